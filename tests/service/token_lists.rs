//! `organizations/:name/team-tokens`: order, search, filters, pages, who sees what, and deleting many at once.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use latchkey::ids::TokenId;
use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{User, identifiers, resource};
use crate::support::client::{Answer, Client};

const LIST: &str = "/api/v2/organizations/acme/team-tokens";
const FILTER: &str = "filter[expiry_status]";

/// xorshift64*: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % end
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// What the model knows of a token.
#[derive(Debug, Clone)]
struct Row {
    id: TokenId,
    team: &'static str,
    maker: &'static str,
    expired_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl Row {
    fn insert(&self, app: &App) {
        let time = |time: Option<DateTime<Utc>>| time.map_or("NULL".to_owned(), |t| format!("'{}'", t.to_rfc3339()));
        let id = self.id.uuid();
        app.sql(&format!(
            "INSERT INTO tokens (id, kind, organization_id, team_id, description, token_hash, token_prefix, \
             created_by_user_id, expired_at, last_used_at) \
             SELECT '{id}', 'team', organization_id, id, '{id}', sha256(convert_to('{id}', 'UTF8')), 'lkt_seeded', \
             (SELECT id FROM users WHERE username = '{}'), {}, {} FROM teams WHERE name = '{}'",
            self.maker,
            time(self.expired_at),
            time(self.last_used_at),
            self.team,
        ));
    }

    fn is(&self, status: &str, now: DateTime<Utc>) -> bool {
        let within = |days| self.expired_at.is_some_and(|at| at > now && at <= now + TimeDelta::days(days));
        match status {
            "active" => self.expired_at.is_none_or(|at| at > now),
            "expiring_in_7_days" => within(7),
            "expiring_in_30_days" => within(30),
            "expired" => self.expired_at.is_some_and(|at| at <= now),
            "no_expiration" => self.expired_at.is_none(),
            other => panic!("{other}"),
        }
    }
}

/// Never used comes before all uses, never ending after all ends; names without regard to case; ties by the ascending id.
fn compare(one: &Row, other: &Row, sort: &[&str]) -> Ordering {
    fn nulls_last<T: Ord>(one: Option<T>, other: Option<T>) -> Ordering {
        (one.is_none(), one).cmp(&(other.is_none(), other))
    }
    for key in sort {
        let order = match key.trim_start_matches('-') {
            "team-name" => one.team.to_lowercase().cmp(&other.team.to_lowercase()),
            "created-by" => one.maker.cmp(other.maker),
            "expired-at" => nulls_last(one.expired_at, other.expired_at),
            "last-used-at" => one.last_used_at.cmp(&other.last_used_at),
            other => panic!("{other}"),
        };
        let order = if key.starts_with('-') { order.reverse() } else { order };
        if order != Ordering::Equal {
            return order;
        }
    }
    one.id.cmp(&other.id)
}

const TEAMS: [&str; 4] = ["Build_1", "build-2", "deploy", "ops"];
const MAKERS: [&str; 3] = ["ada", "bob", "zoe"];

fn random_row(random: &mut Random, now: DateTime<Utc>) -> Row {
    // Few times, with microseconds, so that many are equal; half a day away from every border of a filter.
    let days = [-400, -3, -1, 2, 6, 9, 29, 33, 800];
    let mut time = |days: &[i64]| {
        let day = random.one_of(days);
        (random.below(4) > 0).then(|| now + TimeDelta::hours(24 * day + 12) + TimeDelta::microseconds(day))
    };
    let (expired_at, last_used_at) = (time(&days), time(&days[..3]));
    Row {
        id: TokenId::generate(),
        team: random.one_of(&TEAMS),
        maker: random.one_of(&MAKERS),
        expired_at,
        last_used_at,
    }
}

/// `acme` with teams and this many random tokens.
fn seeded(rows: usize, random: &mut Random) -> (App, User, Vec<Row>, DateTime<Utc>) {
    let (app, ada) = App::with_acme();
    for username in &MAKERS[1..] {
        app.user(username);
    }
    for team in TEAMS {
        ada.team("acme", team);
    }
    let now = DateTime::from_timestamp_micros(Utc::now().timestamp_micros()).unwrap();
    let mut rows: Vec<Row> = (0..rows).map(|_| random_row(random, now)).collect();
    // The order of insertion must not be that of the ids.
    for nth in (1..rows.len()).rev() {
        rows.swap(nth, random.below(nth + 1));
    }
    rows.iter().for_each(|row| row.insert(&app));
    (app, ada, rows, now)
}

/// Every page by its number; the question ends in `?` or `&`.
pub fn walk_numbers(client: &Client, question: &str, size: usize) -> Vec<String> {
    let mut found = vec![];
    for number in 1.. {
        let page = client.get(&format!("{question}page[size]={size}&page[number]={number}")).expect(200);
        let pagination = &page.body["meta"]["pagination"];
        found.extend(page.ids());
        if pagination["next-page"].is_null() {
            assert_eq!(pagination["total-count"], found.len());
            assert_eq!(pagination["total-pages"], number);
            return found;
        }
        assert_eq!(page.ids().len(), size);
    }
    unreachable!()
}

/// Every page from one end to the other, by the links `next` or `prev`.
pub fn walk_links(client: &Client, start: &str, link: &str, mut between: impl FnMut()) -> Vec<Vec<String>> {
    let mut pages = vec![];
    let mut next = Some(start.to_owned());
    while let Some(path) = next {
        let page = client.get(&path).expect(200);
        pages.push(page.ids());
        next = page.body["links"][link].as_str().map(path_of);
        between();
    }
    pages
}

/// A link without scheme and host.
pub fn path_of(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap_or_else(|| panic!("{url} is not absolute"));
    rest[rest.find('/').unwrap()..].to_owned()
}

#[test]
fn random_walks_find_what_a_plain_model_finds() {
    let mut random = Random(20_261_121);
    let (_app, ada, rows, now) = seeded(120, &mut random);
    let keys = ["team-name", "-team-name", "created-by", "-created-by", "expired-at", "-expired-at", "last-used-at"];
    let keys = [&keys[..], &["-last-used-at"]].concat();
    let statuses = ["active", "expiring_in_7_days", "expiring_in_30_days", "expired", "no_expiration"];
    for round in 0..60 {
        // Each key alone first, then several together.
        let mut sort: Vec<&str> = keys.get(round).map_or(vec![], |key| vec![*key]);
        while round >= keys.len() && sort.len() <= random.below(4) {
            let key = random.one_of(&keys);
            if sort.iter().all(|other| other.trim_start_matches('-') != key.trim_start_matches('-')) {
                sort.push(key);
            }
        }
        let wanted: Vec<&str> = (0..random.below(3)).map(|_| random.one_of(&statuses)).collect();
        let search = random.one_of(&["", "", "", "BUILD", "o", "_", "nothing"]);
        let size = 1 + random.below(40);

        let mut question = format!("{LIST}?sort={}&q={search}&", sort.join(","));
        if !wanted.is_empty() {
            question = format!("{question}{FILTER}={}&", wanted.join(","));
        }
        let mut expected: Vec<&Row> = rows
            .iter()
            .filter(|row| row.team.to_lowercase().contains(&search.to_lowercase()))
            .filter(|row| wanted.is_empty() || wanted.iter().any(|status| row.is(status, now)))
            .collect();
        expected.sort_by(|one, other| compare(one, other, &sort));
        let expected: Vec<String> = expected.iter().map(|row| row.id.to_string()).collect();

        assert_eq!(walk_numbers(&ada.client, &question, size), expected, "by numbers: {question}");
        let first = format!("{question}page[size]={size}&page[after]=");
        let pages = walk_links(&ada.client, &first, "next", || {});
        assert_eq!(pages.concat(), expected, "by cursors: {question}");
        assert!(pages.iter().rev().skip(1).all(|page| page.len() == size), "{question}");
    }
}

#[test]
fn rows_inserted_during_a_cursor_walk_disturb_no_old_row() {
    let mut random = Random(42);
    let (app, ada, rows, now) = seeded(60, &mut random);
    let old: BTreeSet<String> = rows.iter().map(|row| row.id.to_string()).collect();
    for sort in ["expired-at", "-last-used-at", "team-name,-created-by"] {
        let start = format!("{LIST}?sort={sort}&page[size]=7&page[after]=");
        let found = walk_links(&ada.client, &start, "next", || {
            (0..3).for_each(|_| random_row(&mut random, now).insert(&app));
        });
        let found = found.concat();
        let distinct: BTreeSet<&String> = found.iter().collect();
        assert_eq!(distinct.len(), found.len(), "{sort}: a row came twice");
        let missing: Vec<_> = old.iter().filter(|id| !distinct.contains(id)).collect();
        assert!(missing.is_empty(), "{sort}: {missing:?}");
    }
}

#[test]
fn the_default_order_is_by_expiry() {
    let mut random = Random(7);
    let (_app, ada, ..) = seeded(30, &mut random);
    let ids = |question: &str| ada.client.get(&format!("{LIST}?{question}")).expect(200).ids();
    assert_eq!(ids("page[size]=100"), ids("page[size]=100&sort=expired-at"));
    assert_ne!(ids("page[size]=100"), ids("page[size]=100&sort=-expired-at"));
}

#[test]
fn unknown_sorts_filters_and_parameters_are_refused() {
    let (_app, ada) = App::with_acme();
    for (question, parameter) in [
        ("sort=colour", "sort"),
        ("sort=expired-at,colour", "sort"),
        ("sort=+expired-at", "sort"),
        ("sort=--expired-at", "sort"),
        ("filter[expiry_status]=ripe", FILTER),
        ("filter[expiry_status]=active,ripe", FILTER),
        ("filter[colour]=red", "filter[colour]"),
        ("colour=red", "colour"),
        ("page[colour]=1", "page[colour]"),
    ] {
        let answer = ada.client.get(&format!("{LIST}?{question}")).expect(400);
        assert_eq!(answer.blamed(), [parameter], "{question}");
    }
}

#[test]
fn a_search_takes_wildcards_literally() {
    let mut random = Random(3);
    let (_app, ada, rows, _) = seeded(40, &mut random);
    let found = |q: &str| -> BTreeSet<String> {
        ada.client.get(&format!("{LIST}?page[size]=100&q={q}")).expect(200).ids().into_iter().collect()
    };
    let of = |wanted: &[&str]| -> BTreeSet<String> {
        rows.iter().filter(|row| wanted.contains(&row.team)).map(|row| row.id.to_string()).collect()
    };
    assert_eq!(found("build"), of(&["Build_1", "build-2"]));
    assert_eq!(found("D_1"), of(&["Build_1"]));
    assert_eq!(found("_"), of(&["Build_1"]));
    assert_eq!(found("%25"), of(&[]));
    assert_eq!(found("%5C"), of(&[]));
    assert_eq!(found("%27"), of(&[]));
    assert_eq!(found("UI%25D"), of(&[]));
}

#[test]
fn pages_are_20_long_unless_asked_and_100_at_most() {
    let mut random = Random(5);
    let (_app, ada, ..) = seeded(101, &mut random);
    for (question, length) in [("", 20), ("page[size]=7", 7), ("page[size]=100", 100), ("page[size]=1000", 100)] {
        let page = ada.client.get(&format!("{LIST}?{question}")).expect(200);
        assert_eq!(page.ids().len(), length, "{question}");
        assert_eq!(page.body["meta"]["pagination"]["page-size"], length);
        assert_eq!(page.body["meta"]["pagination"]["total-count"], 101);
    }
    let huge = "page[size]=99999999999999999999999999";
    assert_eq!(ada.client.get(&format!("{LIST}?{huge}")).expect(200).ids().len(), 100);
    // Of a page by cursor the profile has more than the most refused.
    ada.client.get(&format!("{LIST}?page[size]=100&page[after]=")).expect(200);
    for more in ["page[size]=101&page[after]=", "page[size]=101&page[before]=", &format!("{huge}&page[after]=")] {
        let refused = ada.client.get(&format!("{LIST}?{more}")).expect(400);
        assert_eq!(refused.blamed(), ["page[size]"], "{more}");
        assert_eq!(refused.body["errors"][0]["meta"]["page"]["maxSize"], 100);
    }
}

#[test]
fn a_page_past_the_end_is_empty() {
    let mut random = Random(6);
    let (_app, ada, ..) = seeded(5, &mut random);
    for number in ["3", "9000000000000000000", &i64::MAX.to_string()] {
        let page = ada.client.get(&format!("{LIST}?page[size]=4&page[number]={number}")).expect(200);
        assert!(page.ids().is_empty());
        let pagination = &page.body["meta"]["pagination"];
        assert_eq!(pagination["current-page"].to_string(), number);
        assert_eq!(pagination["next-page"], Value::Null);
        assert_eq!(pagination["prev-page"], 2);
        assert_eq!((&pagination["total-pages"], &pagination["total-count"]), (&json!(2), &json!(5)));
    }
}

#[test]
fn bad_pages_are_refused() {
    let (_app, ada) = App::with_acme();
    for name in ["page[number]", "page[size]"] {
        for value in ["0", "-1", "x", "", "1.5", "%00"] {
            assert_eq!(ada.client.get(&format!("{LIST}?{name}={value}")).expect(400).blamed(), [name], "{value}");
        }
    }
    ada.client.get(&format!("{LIST}?page[number]=9223372036854775808")).expect(400);
    ada.client.get(&format!("{LIST}?page[after]=&page[before]=")).expect(400);
}

#[test]
fn links_are_absolute_and_keep_the_question() {
    let mut random = Random(8);
    let (app, ada, ..) = seeded(30, &mut random);
    let question = format!("{LIST}?q=o&sort=-team-name&filter[expiry_status]=active,expired&page[size]=3");
    let second = ada.client.get(&format!("{question}&page[number]=2")).expect(200);
    let links = &second.body["links"];
    for name in ["self", "first", "prev", "next", "last"] {
        let link = links[name].as_str().unwrap();
        assert!(link.starts_with(&format!("http://{}/api/v2/", app.address)), "{link}");
        let known = |c: char| c.is_ascii_alphanumeric() || "-._~:/?&=%".contains(c);
        assert!(link.chars().all(known), "{link} is not percent-encoded");
        for part in ["q=o", "sort=-team-name", "filter%5Bexpiry_status%5D=active%2Cexpired", "page%5Bsize%5D=3"] {
            assert!(link.contains(part), "{link} lacks {part}");
        }
        ada.client.get(&path_of(link)).expect(200);
    }
    assert_eq!(ada.client.get(&path_of(links["self"].as_str().unwrap())).ids(), second.ids());
    let first = ada.client.get(&path_of(links["first"].as_str().unwrap()));
    assert_eq!(first.body["links"]["prev"], Value::Null);
    assert_eq!(path_of(first.body["links"]["next"].as_str().unwrap()), path_of(links["self"].as_str().unwrap()));
    let last = ada.client.get(&path_of(links["last"].as_str().unwrap()));
    assert_eq!(last.body["links"]["next"], Value::Null);
}

#[test]
fn a_cursor_walk_goes_both_ways() {
    let mut random = Random(9);
    let (_app, ada, ..) = seeded(25, &mut random);
    for sort in ["expired-at", "-expired-at", "-last-used-at,team-name"] {
        let start = format!("{LIST}?sort={sort}&page[size]=4&page[after]=");
        let mut last = start.clone();
        while let Some(next) = ada.client.get(&last).expect(200).body["links"]["next"].as_str() {
            last = path_of(next);
        }
        let forth = walk_links(&ada.client, &start, "next", || {});
        let mut back = walk_links(&ada.client, &last, "prev", || {});
        back.reverse();
        assert_eq!(back.concat(), forth.concat(), "{sort}");
    }
}

#[test]
fn the_cursor_profile_is_named_back() {
    const PROFILE: &str = "https://jsonapi.org/profiles/ethanresnick/cursor-pagination/";
    let mut random = Random(10);
    let (_app, ada, ..) = seeded(25, &mut random);
    let accept = format!("application/vnd.api+json; profile=\"{PROFILE}\"");
    let answer = ada.client.send("GET", LIST, &[("Accept", &accept)], None).expect(200);
    assert!(answer.header("Content-Type").unwrap().contains(&format!("profile=\"{PROFILE}\"")));
    let cursor = answer.body["data"][4]["meta"]["page"]["cursor"].as_str().expect("each item has its cursor");
    let rest = ada.client.get(&format!("{LIST}?page[after]={cursor}")).expect(200);
    assert_eq!(rest.ids(), [&answer.ids()[5..], &rest.ids()[15..]].concat());
    let before = ada.client.get(&format!("{LIST}?page[before]={cursor}")).expect(200);
    assert_eq!(before.ids(), answer.ids()[..4]);
}

#[test]
fn a_forged_cursor_is_a_bad_request() {
    let mut random = Random(11);
    let (_app, ada, rows, _) = seeded(5, &mut random);
    let id = json!(rows[0].id.uuid());
    let time = |text: &str| (json!({"sort": "expired-at", "values": [text, id]}), "expired-at");
    let forged = [
        (json!({"sort": "-expired-at", "values": [null, id]}), "expired-at"),
        (json!({"sort": "expired-at", "values": [null]}), "expired-at"),
        (json!({"sort": "expired-at", "values": [null, null]}), "expired-at"),
        (json!({"sort": "expired-at", "values": [null, id, id]}), "expired-at"),
        (json!({"sort": "expired-at", "values": [7, id]}), "expired-at"),
        (json!({"sort": "expired-at", "values": [null, "x"]}), "expired-at"),
        (json!({"sort": "expired-at", "values": {"a": 1}}), "expired-at"),
        (json!({"sort": "team-name", "values": ["a\0b", id]}), "team-name"),
        (json!({"sort": "team-name", "values": [["a"], id]}), "team-name"),
        (json!([]), "expired-at"),
        time("yesterday"),
        time("infinity"),
        time("2026-02-30T00:00:00Z"),
    ];
    for (document, sort) in forged {
        let cursor = URL_SAFE_NO_PAD.encode(document.to_string());
        for name in ["page[after]", "page[before]"] {
            let answer = ada.client.get(&format!("{LIST}?sort={sort}&{name}={cursor}"));
            assert_eq!(answer.expect(400).blamed(), [name], "{document}");
        }
    }
    for text in ["x", "%00", "%FF", "null", "e30", &"A".repeat(5000)] {
        ada.client.get(&format!("{LIST}?page[after]={text}")).expect(400);
    }
    // What the database may read otherwise than we do is understood or refused, but no fault of the server.
    let mut odd: Vec<_> = [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:00",
        "2026-01-01T00:00:00+23:59",
        "2026-01-01T00:00:00-23:59",
        "2026-12-31T23:59:60Z",
        "9999-12-31T23:59:59.999999999-12:00",
    ]
    .map(|text| time(text).0)
    .to_vec();
    let simple = rows[0].id.uuid().simple().to_string();
    for id in [format!("urn:uuid:{}", rows[0].id.uuid()), format!("{{{}}}", rows[0].id.uuid()), simple] {
        odd.push(json!({"sort": "expired-at", "values": [null, id]}));
    }
    for document in odd {
        let cursor = URL_SAFE_NO_PAD.encode(document.to_string());
        let answer = ada.client.get(&format!("{LIST}?sort=expired-at&page[after]={cursor}"));
        assert!(matches!(answer.status, 200 | 400), "{document}: {}", answer.status);
    }
}

/// Ada's organization with the teams `ci` (Bob's) and `ops`, and a token of each and of the owners.
struct Scene {
    app: App,
    ada: User,
    bob: User,
    ci_team: String,
    ci: Answer,
    ops: Answer,
    owners: Answer,
}

impl Scene {
    fn set() -> Self {
        let app = App::start();
        let (ada, bob) = (app.user("ada"), app.user("bob"));
        ada.organization("acme");
        let (ci_team, ops_team) = (ada.team("acme", "ci"), ada.team("acme", "ops"));
        ada.add_to_team(&ci_team, &bob);
        let (ci, ops) = (ada.team_token(&ci_team), ada.team_token(&ops_team));
        let owners = ada.team_token(&ada.owners_team("acme"));
        Self { app, ada, bob, ci_team, ci, ops, owners }
    }

    fn manager(&self) -> User {
        let manager = self.app.user("mia");
        let access = json!({"name": "managers", "organization-access": {"manage-teams": true}});
        self.ada.add_to_team(&self.ada.team_with("acme", access), &manager);
        manager
    }

    #[track_caller]
    fn assert_live(&self, tokens: &[&Answer]) {
        for token in [&self.ci, &self.ops, &self.owners] {
            let live = tokens.iter().any(|live| live.id() == token.id());
            let status = self.app.with(&token.secret()).get("/api/v2/organizations/acme").status;
            assert_eq!(status, if live { 200 } else { 401 });
        }
    }
}

#[track_caller]
fn assert_sees(client: &Client, tokens: &[&Answer]) {
    let seen: BTreeSet<String> = client.get(LIST).expect(200).ids().into_iter().collect();
    assert_eq!(seen, tokens.iter().map(|token| token.id()).collect());
}

#[test]
fn a_list_holds_just_what_its_reader_may_read() {
    let scene = Scene::set();
    let described = scene.ada.described_token(&scene.ci_team, json!({"description": "x"}));
    let Scene { app, ada, bob, ci, ops, owners, .. } = &scene;
    assert_sees(&ada.client, &[ci, &described, ops, owners]);
    assert_sees(&app.with(&owners.secret()), &[ci, &described, ops, owners]);
    assert_sees(&bob.client, &[ci, &described]);
    assert_sees(&app.with(&ci.secret()), &[ci]);
    assert_sees(&app.with(&described.secret()), &[&described]);
    assert_sees(&scene.manager().client, &[ci, &described, ops]);

    let eve = app.user("eve");
    eve.organization("evil");
    eve.client.get(LIST).expect(404);
    app.anonymous().get(LIST).expect(401);

    let forbid = resource("teams", json!({"allow-member-token-management": false}));
    ada.client.patch(&format!("/api/v2/teams/{}", scene.ci_team), &forbid).expect(200);
    assert_sees(&bob.client, &[]);
    assert_sees(&app.with(&ci.secret()), &[]);
    assert_sees(&ada.client, &[ci, &described, ops, owners]);
}

#[test]
fn a_teams_list_holds_just_its_own() {
    let scene = Scene::set();
    let path = format!("/api/v2/teams/{}/authentication-tokens", scene.ci_team);
    let soon =
        scene.ada.described_token(&scene.ci_team, json!({"description": "b", "expired-at": "2090-01-01T00:00:00Z"}));
    let late =
        scene.ada.described_token(&scene.ci_team, json!({"description": "a", "expired-at": "2091-01-01T00:00:00Z"}));
    for client in [&scene.ada.client, &scene.bob.client] {
        assert_eq!(client.get(&path).expect(200).ids(), [soon.id(), late.id(), scene.ci.id()]);
        let one = client.get(&format!("{path}?sort=-expired-at&page[size]=1")).expect(200);
        assert_eq!(one.ids(), [scene.ci.id()]);
        assert_eq!(one.body["meta"]["pagination"]["total-count"], 3);
        let never = client.get(&format!("{path}?filter[expiry_status]=no_expiration")).expect(200);
        assert_eq!(never.ids(), [scene.ci.id()]);
    }
    assert_eq!(scene.app.with(&soon.secret()).get(&path).expect(200).ids(), [soon.id()]);
}

#[test]
fn many_are_deleted_at_once() {
    let scene = Scene::set();
    let (ci, ops) = (scene.ci.id(), scene.ops.id());
    let with_duplicate = identifiers("authentication-tokens", &[&ci, &ops, &ci]);
    scene.ada.client.delete_with(LIST, &with_duplicate).expect(204);
    scene.assert_live(&[&scene.owners]);
    assert_eq!(scene.app.count("audit_events WHERE resource_type = 'authentication_token' AND action = 'destroy'"), 2);
    scene.ada.client.delete_with(LIST, &json!({"data": []})).expect(204);
    scene.assert_live(&[&scene.owners]);
}

#[test]
fn one_bad_id_and_nothing_is_deleted() {
    let scene = Scene::set();
    let eve = scene.app.user("eve");
    eve.organization("evil");
    let foreign = eve.team_token(&eve.team("evil", "ci"));
    let revoked = scene.ada.described_token(&scene.ci_team, json!({"description": "x"}));
    let path = format!("/api/v2/authentication-tokens/{}", revoked.id());
    scene.ada.client.delete(&path).expect(204);
    let unknown = TokenId::generate().to_string();
    for bad in [&foreign.id(), &revoked.id(), &unknown, "at-", "team-x", "*"] {
        let body = identifiers("authentication-tokens", &[&scene.ci.id(), bad, &scene.ops.id()]);
        let answer = scene.ada.client.delete_with(LIST, &body).expect(404);
        assert_eq!(answer.blamed(), ["/data/1/id"], "{bad}");
        scene.assert_live(&[&scene.ci, &scene.ops, &scene.owners]);
    }
    let body = identifiers("authentication-tokens", &["at-1", &scene.ci.id(), "at-2"]);
    assert_eq!(scene.ada.client.delete_with(LIST, &body).expect(404).blamed(), ["/data/0/id", "/data/2/id"]);
    assert_eq!(scene.app.with(&foreign.secret()).get("/api/v2/organizations/evil").status, 200);
}

#[test]
fn a_bad_id_is_pointed_at_in_the_list_as_sent() {
    let scene = Scene::set();
    let ci = scene.ci.id();
    let body = identifiers("authentication-tokens", &[&ci, &ci, "at-unknown"]);
    assert_eq!(scene.ada.client.delete_with(LIST, &body).expect(404).blamed(), ["/data/2/id"]);
}

#[test]
fn a_list_of_another_type_is_a_conflict() {
    let scene = Scene::set();
    let mixed = json!({"data": [
        {"type": "authentication-tokens", "id": scene.ci.id()},
        {"type": "teams", "id": scene.ops.id()},
    ]});
    assert_eq!(scene.ada.client.delete_with(LIST, &mixed).expect(409).blamed(), ["/data/1/type"]);
    for malformed in [json!({}), json!({"data": null}), json!({"data": {}}), json!([])] {
        scene.ada.client.delete_with(LIST, &malformed).expect(400);
    }
    scene.ada.client.delete(LIST).expect(400);
    scene.assert_live(&[&scene.ci, &scene.ops, &scene.owners]);
}

#[test]
fn who_may_not_delete_them_all_deletes_none() {
    let scene = Scene::set();
    let delete = |client: &Client, ids: &[&str]| client.delete_with(LIST, &identifiers("authentication-tokens", ids));
    let (ci, ops, owners) = (scene.ci.id(), scene.ops.id(), scene.owners.id());
    let manager = scene.manager();
    for (client, ids, status) in [
        (&scene.bob.client, vec![&*ci, &*ops], 404),
        (&manager.client, vec![&*ci, &*owners], 404),
        // It may delete itself, and no other.
        (&scene.app.with(&scene.ci.secret()), vec![&*ci, &*ops], 404),
    ] {
        let answer = delete(client, &ids).expect(status);
        assert_eq!(answer.blamed(), [format!("/data/{}/id", ids.len() - 1)]);
        scene.assert_live(&[&scene.ci, &scene.ops, &scene.owners]);
    }
    delete(&scene.bob.client, &[&ci]).expect(204);
    delete(&manager.client, &[&ops]).expect(204);
    scene.assert_live(&[&scene.owners]);
}
