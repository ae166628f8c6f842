//! Any combination of filters, orders and pages, against a plain model of what they find.

use std::cmp::Ordering;

use chrono::{SecondsFormat, SubsecRound};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use super::*;
use crate::token_lists::{walk_links, walk_numbers};

/// One filter of a question: its name, and its values as a client writes them.
#[derive(Debug, Clone)]
struct Filter {
    name: &'static str,
    values: Vec<String>,
}

/// A question to a list. Values that begin with `#` stand for ids that are known only when it is asked.
#[derive(Debug, Clone)]
struct Question {
    filters: Vec<Filter>,
    q: &'static str,
    sort: Vec<(&'static str, bool)>,
    size: usize,
    snake: bool,
    chosen: Vec<Index>,
}

const KINDS: [&str; 4] = ["team", "organization", "audit-trails", "workspace"];
const STATUSES: [&str; 4] = ["active", "inactive", "expired", "revoked"];
const ROLES: [&str; 5] = ["viewer", "member", "manager", "admin", "owner"];
const DESCRIPTIONS: [&str; 9] = ["", "nightly", "Nightly", "a,b", "a", "b", "50%", "a_b", "axb"];
const LABELS: [(&str, &str); 3] = [("env", "prod"), ("product", "a,b"), ("team/of", "prod")];
const ABILITIES: [&str; 5] = ["agents:read", "agents:*", "agents:write", "hooks:send", "hooks:*"];
const PREFIXES: [&str; 3] = ["lkt_aaaaaa", "lkt_AAAAAA", "lkw_b0b0b0"];
const SORTS: [&str; 16] = [
    "description",
    "kind",
    "role",
    "status",
    "token-prefix",
    "format",
    "usage-count",
    "created-at",
    "updated-at",
    "last-used-at",
    "expired-at",
    "disabled-at",
    "revoked-at",
    "owner-name",
    "team-name",
    "created-by",
];
/// Half a day beside these days are the times of tokens, so that none is near the border of any filter.
const DAYS: [i64; 11] = [-400, -91, -90, -31, -30, -8, -1, 0, 6, 29, 400];
const PAST: usize = 7;

fn time_of(now: DateTime<Utc>, days: i64, micros: i64) -> DateTime<Utc> {
    (now + TimeDelta::hours(24 * days + 12)).trunc_subsecs(0) + TimeDelta::microseconds(micros)
}

/// Times of which many are equal, and some differ in less than is shown.
fn times(now: DateTime<Utc>, days: &'static [i64]) -> impl Strategy<Value = DateTime<Utc>> + Clone {
    (select(days), select(&[0_i64, 1, 400, 1000, 1001][..])).prop_map(move |(days, micros)| time_of(now, days, micros))
}

fn rows(now: DateTime<Utc>) -> impl Strategy<Value = Row> {
    let past = || times(now, &DAYS[..PAST]);
    let any_time = || times(now, &DAYS);
    let maybe = |chance: f64| prop::option::weighted(chance, past());
    let maker =
        select(vec![Maker::Ada, Maker::Bob, Maker::Team(0), Maker::Team(1), Maker::Organization, Maker::Nobody]);
    let whose = (select(&KINDS[..]), 0..2_usize, maker);
    let said = (
        prop::option::weighted(0.8, select(&DESCRIPTIONS[..])),
        select(&PREFIXES[..]),
        select(vec!["opaque", "jwt"]),
        select(&ROLES[..]),
        (prop::option::weighted(0.8, subsequence(&ABILITIES[..], 0..3)), subsequence(&LABELS[..], 0..3)),
    );
    let when = (past(), past(), maybe(0.6), prop::option::weighted(0.5, any_time()), maybe(0.3));
    // Half of what is revoked is in its grace.
    let ended = prop::option::weighted(0.3, any_time());
    (any::<u128>().no_shrink(), whose, said, when, ended, 0..3_i64).prop_map(
        |(id, whose, said, when, revoked_at, uses)| {
            let (kind, owner, maker) = whose;
            let (description, prefix, format, role, (abilities, labels)) = said;
            let (created_at, updated_at, last_used_at, expired_at, disabled_at) = when;
            Row {
                id: key(id),
                kind,
                owner,
                description,
                prefix,
                format,
                role,
                abilities,
                labels,
                maker,
                replaces: None,
                created_at,
                updated_at,
                last_used_at,
                expired_at,
                disabled_at,
                revoked_at,
                // More than 10, so that order is not that of texts.
                usage_count: uses * 9,
            }
        },
    )
}

/// Rows of which some succeed another one.
fn related(rows: impl Strategy<Value = Vec<Row>>) -> impl Strategy<Value = Vec<Row>> {
    (rows, prop::collection::vec(any::<bool>(), 60)).prop_map(|(mut rows, follows)| {
        for nth in 1..rows.len() {
            rows[nth].replaces = follows[nth % follows.len()].then(|| rows[nth - 1].id);
        }
        rows
    })
}

fn filters(now: DateTime<Utc>) -> impl Strategy<Value = Filter> {
    let words = |name: &'static str, words: &'static [&'static str], most: usize| {
        let texts = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
        subsequence(words, 1..=most).prop_map(move |words| Filter { name, values: texts(words) }).boxed()
    };
    let moments = select(vec![
        "created-after",
        "created-before",
        "updated-after",
        "updated-before",
        "last-used-after",
        "last-used-before",
        "expires-after",
        "expires-before",
        "revoked-after",
        "revoked-before",
        "deleted-after",
        "deleted-before",
    ]);
    // Some of these are the very times of tokens.
    let moments = (moments, times(now, &DAYS), any::<bool>()).prop_map(|(name, time, whole)| {
        let precision = if whole { SecondsFormat::Secs } else { SecondsFormat::Micros };
        Filter { name, values: vec![time.to_rfc3339_opts(precision, true)] }
    });
    prop_oneof![
        2 => words("kind", &["user", "team", "organization", "audit-trails", "workspace"], 4),
        2 => words("status", &["active", "inactive", "disabled", "expired", "revoked"], 4),
        1 => words("replaces", &["#0", "#1", "#2", "at-nonsense"], 4),
        1 => words("replaced-by", &["#0", "#1", "#2"], 3),
        1 => words("created-by-former-member", &["true", "false"], 1),
        1 => words("role", &ROLES, 4),
        1 => words("ability", &ABILITIES, 2),
        1 => words("id", &["#0", "#1", "#2", "at-nonsense"], 4),
        1 => words("description", &DESCRIPTIONS, 4),
        1 => words("team", &["#team-0", "#team-1", "OPS"], 3),
        1 => words("workspace", &["#workspace-0", "lab-1"], 2),
        1 => words("created-by", &["#ada", "#team-0", "#acme", "Acme", "ada", "build-2"], 3),
        1 => words("name", &["personal_access", "svc_access", "cli_refresh"], 3),
        1 => words("label][env", &["prod", "lab"], 1),
        1 => words("label][product", &["a,b"], 1),
        1 => words("unused-for-days", &["0", "1", "30", "89", "90", "91", "399", "400"], 1),
        1 => words("stale", &["true", "false"], 1),
        1 => words("expiry_status", &["active", "expiring_in_7_days", "expiring_in_30_days", "expired", "no_expiration"], 2),
        3 => words("trashed", &["with", "only", "without"], 1),
        4 => moments,
    ]
}

fn questions(now: DateTime<Utc>) -> impl Strategy<Value = Question> {
    let sort = prop::collection::vec((select(&SORTS[..]), any::<bool>()), 0..4);
    let q = prop_oneof![3 => Just(""), 2 => select(&["build", "NIGHT", "_", "%", ",", "lkt_a", "acme", "b0B"][..])];
    let chosen = prop::collection::vec(any::<Index>(), 3);
    (prop::collection::vec(filters(now), 0..4), q, sort, 2..30_usize, any::<bool>(), chosen).prop_map(
        |(mut filters, q, mut sort, size, snake, chosen)| {
            let mut seen = BTreeSet::new();
            filters.retain(|filter| seen.insert(filter.name));
            seen.clear();
            sort.retain(|(key, _)| seen.insert(key));
            Question { filters, q, sort, size, snake, chosen }
        },
    )
}

impl Question {
    /// Puts ids in the place of what stands for them.
    fn resolved(&self, world: &World, rows: &[Row]) -> Self {
        let id = |text: &String| match text.strip_prefix('#') {
            Some("ada") => world.ada.id.clone(),
            Some("acme") => world.acme.clone(),
            Some("team-0") => world.teams[0].clone(),
            Some("team-1") => world.teams[1].clone(),
            Some("workspace-0") => world.workspaces[0].clone(),
            Some("workspace-1") => world.workspaces[1].clone(),
            Some(_) if rows.is_empty() => "at-none".to_owned(),
            Some(nth) => self.chosen[nth.parse::<usize>().unwrap()].get(rows).public_id(),
            None => text.clone(),
        };
        let resolve = |filter: &Filter| Filter { name: filter.name, values: filter.values.iter().map(id).collect() };
        Self { filters: self.filters.iter().map(resolve).collect(), ..self.clone() }
    }

    /// The path with all but the page; ends in `?` or `&`.
    fn path(&self) -> String {
        let mut path = format!("{LIST}?");
        for Filter { name, values } in &self.filters {
            let name = if self.snake { name.replace('-', "_") } else { (*name).to_owned() };
            let values: Vec<String> = values.iter().map(|value| encoded(value)).collect();
            // A description can hold a comma.
            let separator = if name == "description" { format!("&filter[{name}]=") } else { ",".to_owned() };
            write!(path, "filter[{name}]={}&", values.join(&separator)).unwrap();
        }
        if !self.q.is_empty() {
            write!(path, "q={}&", encoded(self.q)).unwrap();
        }
        if !self.sort.is_empty() {
            let keys: Vec<String> =
                self.sort.iter().map(|(key, down)| format!("{}{key}", if *down { "-" } else { "" })).collect();
            write!(path, "sort={}&", keys.join(",")).unwrap();
        }
        path
    }

    /// What the list must hold of these rows, in its order.
    fn answer<'a>(&self, world: &World, rows: &'a [Row]) -> Vec<&'a Row> {
        let named = |name: &str| self.filters.iter().any(|filter| filter.name == name);
        let by_status =
            self.filters.iter().any(|filter| filter.name == "status" && filter.values.contains(&"revoked".into()));
        let of_time = ["revoked-after", "revoked-before", "deleted-after", "deleted-before"];
        let revoked = named("trashed") || of_time.into_iter().any(named) || by_status;
        let mut found: Vec<&Row> = rows
            .iter()
            .filter(|row| self.finds(world, rows, row))
            .filter(|row| self.filters.iter().all(|filter| passes(world, row, filter)))
            .filter(|row| revoked || row.status(world.now) != "revoked")
            .collect();
        let newest = [("created-at", true)];
        let sort = if self.sort.is_empty() { &newest } else { self.sort.as_slice() };
        found.sort_by(|one, other| compare(world, one, other, sort));
        found
    }

    /// Whether a row passes the search and all filters but those by status.
    fn finds(&self, world: &World, rows: &[Row], row: &Row) -> bool {
        let q = self.q.to_lowercase();
        let texts = [row.description.unwrap_or_default(), row.prefix, row.owner_name()];
        texts.iter().any(|text| text.to_lowercase().contains(&q))
            && self.filters.iter().all(|filter| holds(world, rows, row, filter))
    }
}

/// Whether a row passes a filter; those by status pass everything.
fn holds(world: &World, rows: &[Row], row: &Row, Filter { name, values }: &Filter) -> bool {
    let among = |text: &str| values.iter().any(|value| value == text);
    let named = |name: &str| values.iter().any(|value| value.eq_ignore_ascii_case(name));
    let value = &values[0];
    let span = |time: Option<DateTime<Utc>>, name: &str| {
        let asked = value.parse::<DateTime<Utc>>().unwrap();
        // As shown: in milliseconds.
        time.map(|time| time.trunc_subsecs(3))
            .is_some_and(|time| if name.ends_with("-after") { time > asked } else { time < asked })
    };
    let before = |time: DateTime<Utc>, days: i64| time < world.now - TimeDelta::days(days);
    let unused = |days: i64, never: i64| match row.last_used_at {
        Some(time) => before(time, days),
        None => before(row.created_at, never),
    };
    match *name {
        "kind" => among(row.kind),
        "role" => among(row.role),
        "ability" => values.iter().any(|asked| row.reaches(asked)),
        "id" => among(&row.public_id()),
        "description" => row.description.is_some_and(among),
        "team" => row.kind == "team" && (among(&world.teams[row.owner]) || named(TEAMS[row.owner])),
        "workspace" => row.kind == "workspace" && (among(&world.workspaces[row.owner]) || named(WORKSPACES[row.owner])),
        "name" => among(if row.kind == "user" { "personal_access" } else { "svc_access" }),
        "label][env" | "label][product" => {
            let (_, key) = name.split_once("][").unwrap();
            row.labels.contains(&(key, value.as_str()))
        }
        "created-by" => match row.maker {
            Maker::Ada => among(&world.ada.id) || named("ada"),
            Maker::Bob => among(&world.bob.id),
            Maker::Team(nth) => among(&world.teams[nth]) || named(TEAMS[nth]),
            Maker::Organization => among(&world.acme) || among("Acme"),
            Maker::Nobody => false,
        },
        "created-after" | "created-before" => span(Some(row.created_at), name),
        "updated-after" | "updated-before" => span(Some(row.updated_at), name),
        "last-used-after" | "last-used-before" => span(row.last_used_at, name),
        "expires-after" | "expires-before" => span(row.expired_at, name),
        "revoked-after" | "revoked-before" | "deleted-after" | "deleted-before" => span(row.revoked_at, name),
        "replaces" => row.predecessor().is_some_and(|id| among(&id)),
        "replaced-by" => row.successor(rows).is_some_and(|id| among(&id)),
        "created-by-former-member" => (row.maker == Maker::Bob) == (value == "true"),
        "unused-for-days" => unused(value.parse().unwrap(), value.parse().unwrap()),
        "stale" => (row.status(world.now) == "active" && unused(90, 30)) == (value == "true"),
        "expiry_status" => values.iter().any(|status| {
            let within =
                |days| row.expired_at.is_some_and(|at| at > world.now && at <= world.now + TimeDelta::days(days));
            match status.as_str() {
                "active" => row.expired_at.is_none_or(|at| at > world.now),
                "expiring_in_7_days" => within(7),
                "expiring_in_30_days" => within(30),
                "expired" => row.expired_at.is_some_and(|at| at <= world.now),
                _ => row.expired_at.is_none(),
            }
        }),
        "status" | "trashed" => true,
        other => panic!("{other}"),
    }
}

/// Whether a row passes a filter by status.
fn passes(world: &World, row: &Row, Filter { name, values }: &Filter) -> bool {
    let status = row.status(world.now);
    match *name {
        "status" => values.iter().any(|value| value == status || (value == "disabled" && status == "inactive")),
        "trashed" => match values[0].as_str() {
            "with" => true,
            "only" => status == "revoked",
            _ => status != "revoked",
        },
        _ => true,
    }
}

/// Nulls last ascending, first descending, but what has not happened comes before what has; ties by the ascending id.
fn compare(world: &World, one: &Row, other: &Row, sort: &[(&str, bool)]) -> Ordering {
    fn nulls_last<T: Ord>(one: Option<T>, other: Option<T>) -> Ordering {
        (one.is_none(), one).cmp(&(other.is_none(), other))
    }
    let team = |row: &Row| (row.kind == "team").then(|| TEAMS[row.owner]);
    for (key, descending) in sort {
        let order = match *key {
            "description" => {
                nulls_last(one.description.map(str::to_lowercase), other.description.map(str::to_lowercase))
            }
            "kind" => one.kind.cmp(other.kind),
            "role" => one.role.cmp(other.role),
            "status" => one.status(world.now).cmp(other.status(world.now)),
            "token-prefix" => one.prefix.cmp(other.prefix),
            "format" => one.format.cmp(other.format),
            "usage-count" => one.usage_count.cmp(&other.usage_count),
            "created-at" => one.created_at.cmp(&other.created_at),
            "updated-at" => one.updated_at.cmp(&other.updated_at),
            "last-used-at" => one.last_used_at.cmp(&other.last_used_at),
            "expired-at" => nulls_last(one.expired_at, other.expired_at),
            "disabled-at" => one.disabled_at.cmp(&other.disabled_at),
            "revoked-at" => one.revoked_at.cmp(&other.revoked_at),
            "owner-name" => one.owner_name().to_lowercase().cmp(&other.owner_name().to_lowercase()),
            "team-name" => nulls_last(team(one).map(str::to_lowercase), team(other).map(str::to_lowercase)),
            "created-by" => {
                nulls_last(one.maker_name().map(str::to_lowercase), other.maker_name().map(str::to_lowercase))
            }
            other => panic!("{other}"),
        };
        let order = if *descending { order.reverse() } else { order };
        if order != Ordering::Equal {
            return order;
        }
    }
    one.id.cmp(&other.id)
}

/// The same cases in every run: what fails here fails everywhere.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, b"the same cases in every run: 32."))
}

const INCLUDE: &str = "created-by,team,workspace,replaces,replaced-by";

impl Row {
    /// The id of the token that it succeeds.
    fn predecessor(&self) -> Option<String> {
        self.replaces.map(|id| TokenId::from(id).to_string())
    }

    /// The id of the token that succeeds it.
    fn successor(&self, rows: &[Self]) -> Option<String> {
        rows.iter().find(|row| row.replaces == Some(self.id)).map(Self::public_id)
    }
}

/// The ids of what a page includes.
fn included(page: &Answer) -> BTreeSet<String> {
    let resources = page.body["included"].as_array().cloned().unwrap_or_default();
    resources.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// The ids of what belongs to these rows, which are no part of the list themselves.
fn neighbours(world: &World, rows: &[Row], shown: &[&Row]) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for row in shown {
        ids.extend(match row.maker {
            Maker::Ada => Some(world.ada.id.clone()),
            Maker::Bob => Some(world.bob.id.clone()),
            Maker::Team(nth) => Some(world.teams[nth].clone()),
            Maker::Organization => Some("acme".to_owned()),
            Maker::Nobody => None,
        });
        ids.extend((row.kind == "team").then(|| world.teams[row.owner].clone()));
        ids.extend((row.kind == "workspace").then(|| world.workspaces[row.owner].clone()));
        ids.extend(row.predecessor().into_iter().chain(row.successor(rows)));
    }
    for row in shown {
        ids.remove(&row.public_id());
    }
    ids
}

fn ids(rows: &[&Row]) -> Vec<String> {
    rows.iter().map(|row| row.public_id()).collect()
}

#[test]
fn any_combination_finds_what_a_plain_model_finds() {
    let world = World::build();
    let now = world.now;
    let case = (related(prop::collection::vec(rows(now), 0..50)), prop::collection::vec(questions(now), 5));
    let checked = runner(16).run(&case, |(rows, questions)| {
        world.clear();
        world.insert(&rows);
        for question in questions {
            let question = question.resolved(&world, &rows);
            let (path, size) = (question.path(), question.size);
            let expected = ids(&question.answer(&world, &rows));
            prop_assert_eq!(walk_numbers(&world.ada.client, &path, size), expected.clone(), "by numbers: {}", path);
            let start = format!("{path}page[size]={size}&page[after]=");
            let pages = walk_links(&world.ada.client, &start, "next", || {});
            prop_assert!(pages.iter().rev().skip(1).all(|page| page.len() == size), "full pages: {}", path);
            prop_assert_eq!(pages.concat(), expected.clone(), "by cursors: {}", path);
            let told = world.ada.client.get(&path).expect(200).body["meta"]["status-counts"].clone();
            let count = |status: &str| {
                rows.iter().filter(|row| row.status(now) == status && question.finds(&world, &rows, row)).count()
            };
            let counts: serde_json::Map<_, _> =
                STATUSES.iter().map(|status| ((*status).to_owned(), count(status).into())).collect();
            prop_assert_eq!(told, Value::from(counts), "counts: {}", path);
            let page = world.ada.client.get(&format!("{path}page[size]=100&include={INCLUDE}")).expect(200);
            prop_assert_eq!(page.ids(), expected, "with include: {}", path);
            let shown = question.answer(&world, &rows);
            prop_assert_eq!(included(&page), neighbours(&world, &rows, &shown), "included: {}", path);
        }
        Ok(())
    });
    checked.unwrap_or_else(|fault| panic!("{fault}"));
}

#[test]
fn rows_that_come_during_a_walk_by_cursor_disturb_none() {
    let world = World::build();
    let now = world.now;
    let many = |most: usize| prop::collection::vec(rows(now), most / 2..most);
    let checked = runner(12).run(&(many(50), questions(now), many(60)), |(rows, question, new)| {
        world.clear();
        world.insert(&rows);
        let question = question.resolved(&world, &rows);
        let start = format!("{}page[size]={}&page[after]=", question.path(), question.size.min(9));
        let mut new = new.chunks(4);
        let pages = walk_links(&world.ada.client, &start, "next", || world.insert(new.next().unwrap_or_default()));
        let found = pages.concat();
        let distinct: BTreeSet<&String> = found.iter().collect();
        prop_assert_eq!(distinct.len(), found.len(), "a row came twice: {}", start);
        let old: BTreeSet<String> = rows.iter().map(Row::public_id).collect();
        let found_old: Vec<String> = found.iter().filter(|id| old.contains(*id)).cloned().collect();
        prop_assert_eq!(found_old, ids(&question.answer(&world, &rows)), "{}", start);
        Ok(())
    });
    checked.unwrap_or_else(|fault| panic!("{fault}"));
}

/// The key of these bits, as far as an id can be written of it (docs/design.md §2).
fn key(bits: u128) -> Uuid {
    uuid::Builder::from_custom_bytes((bits >> 29 << 29).to_be_bytes()).into_uuid()
}
