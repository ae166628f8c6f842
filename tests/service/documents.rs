//! What a client sends and what the server must answer, word for word: `fixtures/documents/*.json`.
//!
//! After a wanted change, `LATCHKEY_BLESS=1 cargo test --test service -- documents::` writes the documents anew;
//! read the difference before you commit it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use crate::support::App;
use crate::support::app::{User, identifiers, project_access, resource, team_access};
use crate::support::client::{Answer, Client, MEDIA_TYPE};

#[test]
fn requests_and_answers_are_those_on_file() {
    let told = story(Links::Left);
    let names: BTreeSet<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), told.len(), "each document has a name of its own");
    let bless = std::env::var_os("LATCHKEY_BLESS").is_some();
    let mut differing = vec![];
    for (name, document) in &told {
        let file = folder().join(format!("{name}.json"));
        let now = serde_json::to_string_pretty(document).unwrap() + "\n";
        if bless {
            fs::write(&file, &now).unwrap();
        }
        let on_file = fs::read_to_string(&file).unwrap_or_default();
        if on_file != now {
            differing.push(format!("{}\n--- is now\n{now}--- was\n{on_file}", file.display()));
        }
    }
    for file in fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()) {
        if !names.contains(file.file_stem().unwrap().to_str().unwrap()) {
            differing.push(format!("{} is told by no request", file.display()));
        }
    }
    assert!(
        differing.is_empty(),
        "{}\nIf that is as it should be: LATCHKEY_BLESS=1 cargo test --test service -- documents::",
        differing.join("\n")
    );
}

#[test]
fn every_answer_is_a_json_api_document() {
    for (name, document) in story(Links::Left) {
        // The audit trail has the HCP API's own form, and says so.
        if document["response"]["headers"]["Content-Type"] != MEDIA_TYPE {
            continue;
        }
        if let Some(answer) = document["response"].get("document") {
            assert_eq!(faults_of(answer), Vec::<String>::new(), "{name}");
        }
    }
}

/// Whoever gets an answer gets one at each of its links as well; docs/design.md §5 names those that may be 404.
#[test]
fn every_link_of_every_answer_leads_somewhere() {
    story(Links::Followed);
}

/// Whether the links of each answer are followed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Links {
    Left,
    Followed,
}

/// Every link in a document, beside its name.
fn links_in(value: &Value, found: &mut BTreeSet<(String, String)>) {
    if let Some(links) = value.get("links").and_then(Value::as_object) {
        let target = |link: &Value| link.as_str().or_else(|| link["href"].as_str()).map(str::to_owned);
        found.extend(links.iter().filter_map(|(name, link)| Some((name.clone(), target(link)?))));
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| links_in(item, found)),
        Value::Object(members) => members.values().for_each(|member| links_in(member, found)),
        _ => {}
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/documents")
}

/// What a request holds beside its head.
enum Sends {
    Nothing,
    Document(Value),
    Text(&'static str),
    TooMuch,
}

use Sends::{Document, Nothing, Text, TooMuch};

/// Requests with their answers, as they go on file.
struct Story {
    host: String,
    links: Links,
    told: Vec<(String, Value)>,
}

impl Story {
    fn call(&mut self, name: &str, client: &Client, line: &str, sends: Sends) -> Answer {
        self.call_with(name, client, line, &[], sends)
    }

    fn call_with(&mut self, name: &str, client: &Client, line: &str, headers: &[(&str, &str)], sends: Sends) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut headers = headers.to_vec();
        let mut request = json!({"method": method, "path": path});
        let body = match sends {
            Nothing => None,
            Document(document) => {
                request["document"] = document.clone();
                Some(document.to_string())
            }
            Text(text) => {
                request["text"] = text.into();
                Some(text.to_owned())
            }
            TooMuch => {
                request["text"] = "<64 KiB and a byte>".into();
                Some(" ".repeat(64 * 1024 + 1))
            }
        };
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "Content-Type") {
            headers.push(("Content-Type", MEDIA_TYPE));
        }
        if !headers.is_empty() {
            request["headers"] = headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        }
        let answer = client.send(method, path, &headers, body.as_deref().map(str::as_bytes));
        if self.links == Links::Followed {
            let authorization: Vec<(&str, &str)> =
                headers.iter().copied().filter(|(name, _)| *name == "Authorization").collect();
            self.follow(name, client, &authorization, &answer);
        }
        let mut response = json!({"status": answer.status});
        let shown: Map<String, Value> = ["Content-Type", "Location", "Vary", "Allow", "WWW-Authenticate"]
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), answer.header(name)?.into())))
            .collect();
        if !shown.is_empty() {
            response["headers"] = shown.into();
        }
        if !answer.body.is_null() {
            response["document"] = answer.body.clone();
        }
        let mut exchange = json!({"request": request, "response": response});
        redact(&mut exchange, &self.host);
        self.told.push((name.to_owned(), exchange));
        answer
    }
}

impl Story {
    fn follow(&self, name: &str, client: &Client, headers: &[(&str, &str)], answer: &Answer) {
        let mut links = BTreeSet::new();
        links_in(&answer.body, &mut links);
        for (kind, link) in links {
            let path = link.strip_prefix(&format!("http://{}", self.host)).unwrap_or(&link);
            // A page, and not of this API.
            if kind == "self-html" {
                continue;
            }
            let status = client.send("GET", path, headers, None).status;
            let may_be_none = kind == "related" && path.split('?').next().unwrap().ends_with("/authentication-token");
            assert!(status == 200 || (may_be_none && status == 404), "{name}: {kind} {link} leads to {status}");
        }
    }
}

/// How long a token still lives is different each time: an hour.
fn redact_seconds(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(redact_seconds),
        Value::Object(members) => {
            for (name, member) in members {
                if name == "expires-in-seconds" && member.is_number() {
                    *member = 3600.into();
                }
                redact_seconds(member);
            }
        }
        _ => {}
    }
}

/// Puts `<team-1>`, `<time>` and the like in the place of what is different each time.
fn redact(exchange: &mut Value, host: &str) {
    redact_seconds(exchange);
    static ID: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\b(org|team|user|ou|at|ws|tws|prj|tprj|tag|tb|rtk|ae)-([1-9A-HJ-NP-Za-km-z]{16})\b").unwrap()
    });
    static REQUEST_ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[0-9a-f]{8}-[0-9a-f-]{27}$").unwrap());
    static TIME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^20[0-8]\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$").unwrap());
    static DAY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b20[0-8]\d-\d\d-\d\d$").unwrap());
    static SECRET: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\blk[utowa]_[0-9A-Za-z]{49}\b").unwrap());
    static PREFIX: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(lk[utowa]_[0-9A-Za-z]{6}|eyJ….{6})$").unwrap());
    static JWT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\beyJ[\w-]+\.[\w-]+\.[\w-]{86}$").unwrap());
    static BASIC: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^Basic [0-9A-Za-z+/=]+$").unwrap());
    static CURSOR: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\beyJ[\w-]{20,}").unwrap());
    let mut ids: Vec<(String, String)> = vec![];
    walk(exchange, &mut |text| {
        let short = ID.replace_all(text, |found: &Captures<'_>| {
            let known = ids.iter().position(|id| *id == (found[1].to_owned(), found[2].to_owned()));
            let place = known.unwrap_or_else(|| {
                ids.push((found[1].to_owned(), found[2].to_owned()));
                ids.len() - 1
            });
            let nth = ids[..=place].iter().filter(|(kind, _)| *kind == found[1]).count();
            format!("<{}-{nth}>", &found[1])
        });
        let short = REQUEST_ID.replace(&short, "<request-id>").into_owned();
        let short = TIME.replace(&short, "<time>").into_owned();
        let short = DAY.replace(&short, "<day>").into_owned();
        let short = SECRET.replace_all(&short, "<secret>").into_owned();
        let short = PREFIX.replace(&short, "<prefix>").into_owned();
        let short = JWT.replace(&short, "<jwt>").into_owned();
        let short = BASIC.replace(&short, "Basic <anybody:secret>").into_owned();
        let short = CURSOR.replace_all(&short, "<cursor>").into_owned();
        *text = short.replace(host, "<host>");
    });
}

fn walk(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, change)),
        Value::Object(members) => members.values_mut().for_each(|member| walk(member, change)),
        _ => {}
    }
}

fn story(links: Links) -> Vec<(String, Value)> {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let mut story = Story { host: app.address.to_string(), links, told: vec![] };
    let nobody = app.anonymous();
    let (client, member) = (&ada.client, &bob.client);

    story.call("account-details", client, "GET /api/v2/account/details", Nothing).expect(200);
    let acme = json!({"name": "acme", "email": "admin@example.com"});
    let acme = Document(resource("organizations", acme));
    story.call("organization-create", client, "POST /api/v2/organizations", acme).expect(201);
    story.call("organization-show", client, "GET /api/v2/organizations/acme", Nothing).expect(200);
    let change =
        json!({"email": "new@example.com", "session-timeout": 30, "collaborator-auth-policy": "two_factor_mandatory"});
    let change = Document(resource("organizations", change));
    story.call("organization-update", client, "PATCH /api/v2/organizations/acme", change).expect(200);
    ada.organization("bobs");
    let list = "GET /api/v2/organizations?include=entitlement-set&page[size]=1&page[number]=2";
    story.call("organization-list", client, list, Nothing).expect(200);
    let cursors = "GET /api/v2/organizations?fields[organizations]=name&page[size]=1&page[after]=&sort=-name";
    story.call("organization-list-by-cursor", client, cursors, Nothing).expect(200);
    let entitlements = "GET /api/v2/organizations/acme/entitlement-set";
    story.call("entitlement-set-show", client, entitlements, Nothing).expect(200);

    let abilities = json!([
        {"name": "agents:read", "description": "Look at agents"},
        {"name": "storage:*", "description": "Do anything with stored files",
         "endpoints": [{"methods": ["GET", "PUT", "DELETE"], "path": "/api/storage/{file}"}]},
    ]);
    let abilities = Document(resource("abilities", json!({ "abilities": abilities })));
    story
        .call("organization-abilities-update", client, "PATCH /api/v2/organizations/acme/abilities", abilities)
        .expect(200);
    story.call("organization-abilities-list", client, "GET /api/v2/organizations/acme/abilities", Nothing).expect(200);

    let ci = json!({"name": "ci", "description": "builds", "organization-access": {"manage-workspaces": true},
        "abilities": ["agents:read", "storage:*"]});
    let teams = "POST /api/v2/organizations/acme/teams";
    let team = story.call("team-create", client, teams, Document(resource("teams", ci))).expect(200).id();
    let users = format!("/api/v2/teams/{team}/relationships/users");
    let both = || Document(identifiers("users", &["ada", "bob"]));
    story.call("team-users-add", client, &format!("POST {users}"), both()).expect(204);
    bob.accept(&bob.memberships()[0]);
    let show = format!("GET /api/v2/teams/{team}?include=users,organization-memberships");
    story.call("team-show", client, &show, Nothing).expect(200);
    story.call("team-show-to-a-member", member, &format!("GET /api/v2/teams/{team}"), Nothing).expect(200);
    let change = Document(resource("teams", json!({"visibility": "organization", "description": null})));
    story.call("team-update", client, &format!("PATCH /api/v2/teams/{team}"), change).expect(200);
    story.call("team-list", client, "GET /api/v2/organizations/acme/teams?q=c", Nothing).expect(200);
    story.call("user-show", member, &format!("GET /api/v2/users/{}", ada.id), Nothing).expect(200);

    let singular = format!("/api/v2/teams/{team}/authentication-token");
    let plural = format!("{singular}s");
    let token = story.call("team-token-create", client, &format!("POST {singular}"), Nothing).expect(201);
    story.call("team-token-show", client, &format!("GET {singular}"), Nothing).expect(200);
    let nightly = || {
        let attributes = json!({"description": "nightly", "expired-at": "2099-01-01T01:00:00+01:00"});
        Document(resource("authentication-tokens", attributes))
    };
    let described = story.call("team-tokens-create", client, &format!("POST {plural}"), nightly()).expect(201);
    story.call("error-422-description-taken", client, &format!("POST {plural}"), nightly()).expect(422);
    let unregistered = json!({"description": "backup", "abilities": ["storage:read", "agents:restart"]});
    let unregistered = Document(resource("authentication-tokens", unregistered));
    let name = "error-422-ability-beyond-the-owner";
    story.call(name, client, &format!("POST {plural}"), unregistered).expect(422);
    story.call("team-tokens-list", client, &format!("GET {plural}?q=ci"), Nothing).expect(200);
    let of_organization = "GET /api/v2/organizations/acme/team-tokens?q=ci&filter[expiry_status]=active";
    story.call("organization-team-tokens-list", client, of_organization, Nothing).expect(200);
    let all = "GET /api/v2/organizations/acme/authentication-tokens?filter[kind]=team,workspace&filter[unused-for-days]=0\
               &sort=-description&page[size]=1";
    story.call("organization-authentication-tokens-list", client, all, Nothing).expect(200);
    let by_id = format!("/api/v2/authentication-tokens/{}", described.id());
    story.call("authentication-token-show", client, &format!("GET {by_id}"), Nothing).expect(200);

    let today = format!("GET {by_id}/usage?filter[since]={}", chrono::Utc::now().date_naive());
    story.call("authentication-token-usage", client, &today, Nothing).expect(200);

    let nonsense = "GET /api/v2/organizations?sort=nonsense&page[number]=0&filter[nonsense]=1";
    story.call("error-400-query", client, nonsense, Nothing).expect(400);
    story.call("error-400-json", client, "POST /api/v2/organizations", Text("{\"data\":")).expect(400);
    story.call("error-401", &nobody, "GET /api/v2/account/details", Nothing).expect(401);
    story.call("error-403", member, "DELETE /api/v2/organizations/acme", Nothing).expect(403);
    story.call("error-404", member, "GET /api/v2/organizations/bobs", Nothing).expect(404);
    let unknown = Document(identifiers("users", &["ada", "nobody"]));
    story.call("error-404-unknown-user", client, &format!("POST {users}"), unknown).expect(404);
    story.call("error-405", client, "PUT /api/v2/organizations", Nothing).expect(405);
    let html = [("Accept", "text/html")];
    story.call_with("error-406", client, "GET /api/v2/organizations", &html, Nothing).expect(406);
    let wrong = Document(resource("users", json!({"name": "ci"})));
    story.call("error-409", client, teams, wrong).expect(409);
    story.call("error-413", client, teams, TooMuch).expect(413);
    let plain = [("Content-Type", "text/plain")];
    story.call_with("error-415", client, teams, &plain, Text("ci")).expect(415);
    let faulty = json!({"name": "a b", "visibility": "everyone", "organization-access": {"manage-teams": "yes"}});
    story.call("error-422", client, teams, Document(resource("teams", faulty))).expect(422);
    let owners = format!("/api/v2/teams/{}", ada.owners_team("acme"));
    let renaming = Document(resource("teams", json!({"name": "others"})));
    story.call("error-422-owners", client, &format!("PATCH {owners}"), renaming).expect(422);
    story.call("error-403-owners", client, &format!("DELETE {owners}"), Nothing).expect(403);

    tell_of_team_tokens(&mut story, &app, &ada);
    tell_of_tokens(&mut story, &app, &ada);
    tell_of_members(&mut story, &app, client, &team);
    tell_of_workspaces(&mut story, client, &team);
    tell_of_projects(&mut story, client, &team);
    tell_of_administration(&mut story, &app, &ada, &team);

    // Only now, because a second after its use a token shows when that was.
    let ci = app.with(&token.secret());
    story.call("account-details-of-a-team", &ci, "GET /api/v2/account/details", Nothing).expect(200);
    story.call("authentication-token-delete", client, &format!("DELETE {by_id}"), Nothing).expect(204);
    story.call("team-token-delete", client, &format!("DELETE {singular}"), Nothing).expect(204);
    let last = ada.described_token(&team, json!({"description": "last"})).id();
    let bulk = Document(identifiers("authentication-tokens", &[&last]));
    let path = "DELETE /api/v2/organizations/acme/team-tokens";
    story.call("organization-team-tokens-delete", client, path, bulk).expect(204);
    let found = ada.described_token(&team, json!({"description": "found"})).secret();
    let found = json!([{
        "type": "leaked-tokens",
        "attributes": {"token": found, "url": "https://git.example/acme/app/blob/main/.env"},
    }]);
    story
        .call("leaked-tokens-report", &nobody, "POST /api/v2/leaked-tokens", Document(json!({"data": found})))
        .expect(204);
    story.call("team-users-remove", client, &format!("DELETE {users}"), both()).expect(204);
    story.call("team-delete", client, &format!("DELETE /api/v2/teams/{team}"), Nothing).expect(204);
    story.call("organization-delete", client, "DELETE /api/v2/organizations/acme", Nothing).expect(204);
    story.told
}

/// The team tokens of HCP Terraform, a document for each sentence of its description.
fn tell_of_team_tokens(story: &mut Story, app: &App, ada: &User) {
    let client = &ada.client;
    let team = ada.team("bobs", "hcp");
    let (one, list) =
        (format!("/api/v2/teams/{team}/authentication-token"), "GET /api/v2/organizations/bobs/team-tokens");
    let of = |kind: &str, attributes: Value| Document(json!({"data": {"type": kind, "attributes": attributes}}));
    let token = "authentication-token";
    let post = format!("POST {one}");
    story.call("hcp-team-tokens-list-empty", client, list, Nothing).expect(200);
    story.call("hcp-team-token-show-none", client, &format!("GET {one}"), Nothing).expect(404);
    story.call("hcp-team-token-delete-none", client, &format!("DELETE {one}"), Nothing).expect(404);
    let expiring = || of(token, json!({"expired-at": "2099-04-06T12:00:00.000Z"}));
    let first = story.call("hcp-team-token-create-with-expiry", client, &post, expiring()).expect(201);
    let never = of(token, json!({"expired-at": null}));
    let second = story.call("hcp-team-token-create-without-expiry", client, &post, never).expect(201);
    assert!(!first.secret().is_empty() && !second.secret().is_empty());
    story
        .call(
            "hcp-team-token-show-replaced",
            client,
            &format!("GET /api/v2/authentication-tokens/{}", first.id()),
            Nothing,
        )
        .expect(404);
    let past = of(token, json!({"expired-at": "2020-04-06T12:00:00.000Z"}));
    story.call("hcp-team-token-create-past", client, &post, past).expect(422);
    let garbage = of(token, json!({"expired-at": "next week"}));
    story.call("hcp-team-token-create-garbage", client, &post, garbage).expect(422);
    story.call("hcp-team-token-create-another-type", client, &post, of("teams", json!({}))).expect(409);
    let path = format!("POST /api/v2/teams/{team}/authentication-tokens");
    for (description, expiry) in [("later", "2099-06-06T12:00:00.000Z"), ("sooner", "2099-05-06T12:00:00.000Z")] {
        let body = of(token, json!({"description": description, "expired-at": expiry}));
        let made = story.call(&format!("hcp-team-tokens-create-{description}"), client, &path, body).expect(201);
        assert!(!made.secret().is_empty());
    }
    story.call("hcp-team-tokens-list-default-page", client, list, Nothing).expect(200);
    let page = format!("{list}?page[number]=1&page[size]=20");
    let listed = story.call("hcp-team-tokens-list", client, &page, Nothing).expect(200);
    let descriptions: Vec<&Value> =
        listed.body["data"].as_array().unwrap().iter().map(|token| &token["attributes"]["description"]).collect();
    assert_eq!(descriptions, [&json!("sooner"), &json!("later"), &Value::Null], "by expiry, never at the end");
    story.call("hcp-team-tokens-list-searched", client, &format!("{list}?q=hc"), Nothing).expect(200);
    let sorts = ["team-name", "created-by", "expired-at", "last-used-at"];
    for sort in sorts.map(str::to_owned).into_iter().chain(sorts.map(|sort| format!("-{sort}"))) {
        story
            .call(&format!("hcp-team-tokens-list-sort-{sort}"), client, &format!("{list}?sort={sort}"), Nothing)
            .expect(200);
    }
    let nowhere = "GET /api/v2/organizations/nowhere/team-tokens";
    story.call("hcp-team-tokens-list-nowhere", client, nowhere, Nothing).expect(404);
    let unknown = "GET /api/v2/authentication-tokens/at-nothing";
    story.call("hcp-team-token-show-unknown", client, unknown, Nothing).expect(404);
    story.call("hcp-team-token-show", client, &format!("GET {one}"), Nothing).expect(200);
    let outsider = app.user("eve").client;
    story.call("hcp-team-token-show-unauthorized", &outsider, &format!("GET {one}"), Nothing).expect(404);
    // Only now, because a token that was used shows it.
    let (seen, hidden) = (ada.workspace("bobs", "seen"), ada.workspace("bobs", "hidden"));
    ada.give_access(&team, &seen, "read");
    let of_team = app.with(&second.secret());
    let workspaces = "GET /api/v2/organizations/bobs/workspaces?fields[workspaces]=name";
    let listed = story.call("hcp-team-token-lists-workspaces", &of_team, workspaces, Nothing).expect(200);
    assert_eq!(listed.ids(), [seen]);
    let other = format!("GET /api/v2/workspaces/{hidden}");
    story.call("hcp-team-token-shows-no-other-workspace", &of_team, &other, Nothing).expect(404);
    story.call("hcp-team-token-delete", client, &format!("DELETE {one}"), Nothing).expect(204);
}

/// What Latchkey adds to them: tokens of workspaces, switches, successors, ends, labels, JWTs.
fn tell_of_tokens(story: &mut Story, app: &App, ada: &User) {
    let client = &ada.client;
    ada.organization("widgets");
    let workspace = ada.workspace("widgets", "shop");
    let all = format!("/api/v2/workspaces/{workspace}/authentication-tokens");
    let token = |attributes: Value| Document(resource("authentication-tokens", attributes));
    let labelled = token(json!({"description": "sync", "role": "manager", "labels": {"product": "billing"},
        "expires-in-seconds": 3600}));
    let made = story.call("workspace-tokens-create", client, &format!("POST {all}"), labelled).expect(201);
    let jwt = token(json!({"description": "edge", "format": "jwt", "labels": {"product": "billing"},
        "labels-in-jwt": true}));
    let jwt = story.call("workspace-tokens-create-a-jwt", client, &format!("POST {all}"), jwt).expect(201);
    assert!(!made.secret().is_empty() && !jwt.secret().is_empty());
    story
        .call("workspace-tokens-list", client, &format!("GET {all}?filter[label][product]=billing"), Nothing)
        .expect(200);
    let one = format!("/api/v2/authentication-tokens/{}", made.id());
    let change = token(json!({"description": "syncs the shop", "labels": {"product": "shop"}}));
    story.call("authentication-token-update", client, &format!("PATCH {one}"), change).expect(200);
    for action in ["disable", "enable", "deactivate", "activate"] {
        let line = format!("POST {one}/actions/{action}");
        story.call(&format!("authentication-token-{action}"), client, &line, Nothing).expect(200);
    }
    let grace = token(json!({"grace-period-seconds": 600}));
    let line = format!("POST {one}/actions/regenerate");
    let successor = story.call("authentication-token-regenerate", client, &line, grace).expect(201);
    let secret = successor.secret();
    let neighbours = format!(
        "GET {one}?include=created-by,workspace,organization,replaced-by&fields[users]=username\
                              &fields[workspaces]=name&fields[organizations]=name"
    );
    story.call("authentication-token-show-included", client, &neighbours, Nothing).expect(200);
    let other = |role: &str| token(json!({ "description": "more", "role": role }));
    let narrow = Document(resource("workspaces", json!({"allowed-token-roles": ["viewer", "member", "manager"]})));
    let workspace = format!("PATCH /api/v2/workspaces/{workspace}?fields[workspaces]=allowed-token-roles");
    story.call("workspace-allowed-token-roles-update", client, &workspace, narrow).expect(200);
    story.call("error-422-role-not-allowed", client, &format!("POST {all}"), other("admin")).expect(422);
    let reason = token(json!({"revocation-reason": "replaced"}));
    story.call("authentication-token-revoke", client, &format!("POST {one}/actions/revoke"), reason).expect(200);
    let revoked = format!("GET {one}?filter[trashed]=with");
    story.call("authentication-token-show-revoked", client, &revoked, Nothing).expect(200);

    // Only now, because a token that was used shows it.
    let basic = format!("Basic {}", STANDARD.encode(format!("anybody:{secret}")));
    let basic = [("Authorization", basic.as_str())];
    let shop =
        format!("GET {}?fields[workspaces]=name", workspace.strip_prefix("PATCH ").unwrap().split('?').next().unwrap());
    story.call_with("workspace-show-with-a-token-as-password", &app.anonymous(), &shop, &basic, Nothing).expect(200);
    let acts = app.with(&secret);
    assert!(
        !acts
            .post(&all, &resource("authentication-tokens", json!({"description": "child"})))
            .expect(201)
            .secret()
            .is_empty()
    );
    let trail = format!("GET /api/v2/organizations/widgets/audit-trail?filter[token]={}", successor.id());
    story.call("organization-audit-trail-list", client, &trail, Nothing).expect(200);
    let root = app.site_admin("auditor").client;
    let everybody = "/api/v2/admin/authentication-tokens";
    let list = format!("GET {everybody}?filter[organization]=widgets&filter[id]={}", jwt.id());
    story.call("admin-authentication-tokens-list", &root, &list, Nothing).expect(200);
    let reason = token(json!({"revocation-reason": "found in a log"}));
    let line = format!("DELETE {everybody}/{}", jwt.id());
    story.call("admin-authentication-token-delete", &root, &line, reason).expect(204);
}

fn tell_of_members(story: &mut Story, app: &App, client: &Client, team: &str) {
    let cleo = app.user("cleo").client;
    let members = "/api/v2/organizations/acme/organization-memberships";
    let mut invitation = resource("organization-memberships", json!({"email": "cleo@example.com"}));
    invitation["data"]["relationships"] = json!({"teams": identifiers("teams", &[team])});
    let invited = story.call("membership-create", client, &format!("POST {members}"), Document(invitation)).expect(201);
    let one = format!("/api/v2/organization-memberships/{}", invited.id());
    let filtered = format!("GET {members}?filter[status]=invited&include=user,teams");
    story.call("membership-list", client, &filtered, Nothing).expect(200);
    story.call("membership-show", client, &format!("GET {one}"), Nothing).expect(200);
    story.call("membership-list-own", &cleo, "GET /api/v2/organization-memberships", Nothing).expect(200);
    story.call("membership-accept", &cleo, &format!("POST {one}/actions/accept"), Nothing).expect(200);
    let path = format!("/api/v2/teams/{team}/relationships/organization-memberships");
    story.call("team-memberships-list", client, &format!("GET {path}?sort=username"), Nothing).expect(200);
    let these = || Document(identifiers("organization-memberships", &[&invited.id()]));
    story.call("team-memberships-remove", client, &format!("DELETE {path}"), these()).expect(204);
    story.call("team-memberships-add", client, &format!("POST {path}"), these()).expect(204);
    story.call("membership-delete", client, &format!("DELETE {one}"), Nothing).expect(204);

    let accounts = "/api/v2/organizations/acme/service-accounts";
    let bot = Document(resource("users", json!({"username": "bot"})));
    let bot = story.call("service-account-create", client, &format!("POST {accounts}"), bot).expect(201).id();
    story.call("service-account-list", client, &format!("GET {accounts}"), Nothing).expect(200);
    let crawls = Document(resource("authentication-tokens", json!({"description": "crawls"})));
    let tokens = format!("POST /api/v2/users/{bot}/authentication-tokens");
    let crawls = story.call("service-account-token-create", client, &tokens, crawls).expect(201);
    let details = "GET /api/v2/account/details";
    story.call("account-details-of-a-service-account", &app.with(&crawls.secret()), details, Nothing).expect(200);

    let policies = "/api/v2/organizations/acme/token-ttl-policies";
    story.call("ttl-policies-list", client, &format!("GET {policies}"), Nothing).expect(200);
    let kind = "organization-token-ttl-policies";
    let item = json!({"token-type": "team", "max-ttl-ms": 86_400_000});
    let change = Document(resource(kind, json!({"token-ttl-policies": [item]})));
    story.call("ttl-policies-update", client, &format!("PATCH {policies}"), change).expect(200);
    let change = Document(json!({"data": [{"type": kind, "attributes": item}]}));
    story.call("ttl-policies-update-by-a-list", client, &format!("PATCH {policies}"), change).expect(200);

    let own = "/api/v2/organizations/acme/authentication-token";
    story.call("organization-token-create", client, &format!("POST {own}"), Nothing).expect(201);
    story.call("organization-token-show", client, &format!("GET {own}"), Nothing).expect(200);
    story.call("organization-token-delete", client, &format!("DELETE {own}"), Nothing).expect(204);
    let cleos = cleo.get("/api/v2/account/details").expect(200).id();
    let tokens = format!("/api/v2/users/{cleos}/authentication-tokens");
    let laptop = Document(resource("authentication-tokens", json!({"description": "laptop"})));
    story.call("user-tokens-create", &cleo, &format!("POST {tokens}"), laptop).expect(201);
    story.call("user-tokens-list", &cleo, &format!("GET {tokens}?fields[authentication-tokens]=description"), Nothing);
    let renaming = Document(resource("users", json!({"username": "cleopatra"})));
    story.call("account-update", &cleo, "PATCH /api/v2/account/update", renaming).expect(200);
}

fn tell_of_administration(story: &mut Story, app: &App, ada: &User, team: &str) {
    let (root, dan) = (app.site_admin("root").client, app.user("dan"));
    ada.add_to_team(team, &dan);
    dan.described_token(team, json!({"description": "deploys"}));
    let list = "GET /api/v2/admin/users?q=dan&include=organizations&fields[organizations]=name";
    story.call("admin-user-list", &root, list, Nothing).expect(200);
    let one = format!("/api/v2/admin/users/{}", dan.id);
    let act = |action: &str| format!("POST {one}/actions/{action}");
    story.call("admin-user-suspend", &root, &act("suspend"), Nothing).expect(200);
    story.call("error-400-suspended", &root, &act("suspend"), Nothing).expect(400);
    story.call("admin-user-unsuspend", &root, &act("unsuspend"), Nothing).expect(200);
    story.call("admin-user-grant-admin", &root, &act("grant_admin"), Nothing).expect(200);
    story.call("admin-user-revoke-admin", &root, &act("revoke_admin"), Nothing).expect(200);
    story.call("admin-user-delete", &root, &format!("DELETE {one}"), Nothing).expect(200);

    story.call("feature-set-list", &root, "GET /api/v2/admin/feature-sets?q=Business", Nothing).expect(200);
    let mut business = resource("subscription", json!({"runs-ceiling": 10}));
    business["data"]["relationships"] = json!({"feature-set": {"data": {"type": "feature-sets", "id": "business"}}});
    let subscription = "POST /api/v2/admin/organizations/acme/subscription";
    story.call("organization-subscription-update", &root, subscription, Document(business)).expect(200);
    let owner = format!("DELETE /api/v2/admin/users/{}", ada.id);
    story.call("error-422-last-owner", &root, &owner, Nothing).expect(422);
}

fn tell_of_workspaces(story: &mut Story, client: &Client, team: &str) {
    let all = "/api/v2/organizations/acme/workspaces";
    let binding = json!({"type": "tag-bindings", "attributes": {"key": "env", "value": "prod"}});
    let mut prod = resource("workspaces", json!({"name": "prod", "description": "What customers see"}));
    let tag = |name: &str| json!({"type": "tags", "attributes": {"name": name}});
    prod["data"]["relationships"] = json!({"tags": {"data": [tag("app")]}, "tag-bindings": {"data": [binding]}});
    let made = story.call("workspace-create", client, &format!("POST {all}"), Document(prod)).expect(201);
    let one = format!("/api/v2/workspaces/{}", made.id());
    let tags = format!("{one}/relationships/tags");
    let more = || Document(json!({"data": [tag("team:web")]}));
    story.call("workspace-tags-add", client, &format!("POST {tags}"), more()).expect(204);
    story.call("workspace-tags-list", client, &format!("GET {tags}?page[size]=1"), Nothing).expect(200);
    story.call("workspace-tags-remove", client, &format!("DELETE {tags}"), more()).expect(204);
    let change = Document(json!({"data": [binding]}));
    story.call("tag-bindings-update", client, &format!("PATCH {one}/tag-bindings"), change).expect(200);
    story.call("tag-bindings-list", client, &format!("GET {one}/tag-bindings"), Nothing).expect(200);
    let effective = format!("GET {one}/effective-tag-bindings");
    story.call("effective-tag-bindings-list", client, &effective, Nothing).expect(200);
    let all_tags = "/api/v2/organizations/acme/tags";
    let listed = story.call("tag-list", client, &format!("GET {all_tags}?q=a"), Nothing).expect(200);
    let other = client.post(all, &resource("workspaces", json!({"name": "test"}))).expect(201).id();
    let these = || Document(identifiers("workspaces", &[&other]));
    let of_tag = format!("POST /api/v2/tags/{}/relationships/workspaces", listed.ids()[0]);
    story.call("tag-workspaces-add", client, &of_tag, these()).expect(204);
    let web = Document(identifiers("tags", &listed.ids()[1..].iter().map(String::as_str).collect::<Vec<_>>()));
    story.call("tag-delete", client, &format!("DELETE {all_tags}"), web).expect(204);
    let consumers = format!("{one}/relationships/remote-state-consumers");
    story.call("remote-state-consumers-add", client, &format!("POST {consumers}"), these()).expect(204);
    story.call("remote-state-consumers-replace", client, &format!("PATCH {consumers}"), these()).expect(204);
    let page = format!("GET {consumers}?page[size]=1");
    story.call("remote-state-consumers-list", client, &page, Nothing).expect(200);
    story.call("remote-state-consumers-remove", client, &format!("DELETE {consumers}"), these()).expect(204);
    let reason = Document(resource("workspaces", json!({"reason": "Maintenance"})));
    story.call("workspace-lock", client, &format!("POST {one}/actions/lock?include=locked_by"), reason).expect(200);
    let safe_delete = format!("POST {one}/actions/safe-delete");
    story.call("error-409-locked", client, &safe_delete, Nothing).expect(409);
    story.call("workspace-unlock", client, &format!("POST {one}/actions/unlock"), Nothing).expect(200);
    client.post_nothing(&format!("{one}/actions/lock")).expect(200);
    story.call("workspace-force-unlock", client, &format!("POST {one}/actions/force-unlock"), Nothing).expect(200);
    client.delete(&format!("/api/v2/workspaces/{other}")).expect(204);
    story.call("workspace-show", client, &format!("GET {one}"), Nothing).expect(200);
    story.call("workspace-show-by-name", client, &format!("GET {all}/prod?include=organization"), Nothing).expect(200);
    let list = format!("GET {all}?search[tags]=app&include=effective_tag_bindings");
    story.call("workspace-list", client, &list, Nothing).expect(200);
    let change = Document(resource("workspaces", json!({"auto-apply": true})));
    story.call("workspace-update", client, &format!("PATCH {one}"), change).expect(200);

    let access = "/api/v2/team-workspaces";
    let read = Document(team_access(team, &made.id(), json!({"access": "read"})));
    let given = story.call("team-access-create", client, &format!("POST {access}"), read).expect(201);
    let of_one = format!("GET {access}?filter[workspace][id]={}&include=team,workspace", made.id());
    story.call("team-access-list", client, &of_one, Nothing).expect(200);
    let given = format!("{access}/{}", given.id());
    story.call("team-access-show", client, &format!("GET {given}"), Nothing).expect(200);
    let custom = Document(resource("team-workspaces", json!({"access": "custom", "runs": "apply"})));
    story.call("team-access-update", client, &format!("PATCH {given}"), custom).expect(200);
    story.call("team-access-delete", client, &format!("DELETE {given}"), Nothing).expect(204);
    story.call("workspace-delete", client, &format!("DELETE {one}"), Nothing).expect(204);
}

fn tell_of_projects(story: &mut Story, client: &Client, team: &str) {
    let all = "/api/v2/organizations/acme/projects";
    let binding = |key: &str| json!({"type": "tag-bindings", "attributes": {"key": key, "value": "core"}});
    let mut core = resource("projects", json!({"name": "Core services", "description": "What all others need"}));
    core["data"]["relationships"] = json!({"tag-bindings": {"data": [binding("area")]}});
    let made = story.call("project-create", client, &format!("POST {all}"), Document(core)).expect(201);
    let one = format!("/api/v2/projects/{}", made.id());
    story.call("project-list", client, &format!("GET {all}?include=effective_tag_bindings"), Nothing).expect(200);
    let found = format!("GET {all}?filter[names]=core%20services&filter[tagged][0][key]=area");
    story.call("project-list-filtered", client, &found, Nothing).expect(200);
    story.call("project-show", client, &format!("GET {one}"), Nothing).expect(200);
    let change = Document(resource("projects", json!({"auto-destroy-activity-duration": "14d"})));
    story.call("project-update", client, &format!("PATCH {one}"), change).expect(200);
    let bindings = || Document(json!({"data": [binding("team")]}));
    let path = format!("{one}/tag-bindings");
    story.call("project-tag-bindings-update", client, &format!("PATCH {path}"), bindings()).expect(200);
    story.call("project-tag-bindings-list", client, &format!("GET {path}"), Nothing).expect(200);
    let replace = format!("PATCH {one}/relationships/tag-bindings");
    story.call("project-tag-bindings-replace", client, &replace, bindings()).expect(204);
    let effective = format!("GET {one}/effective-tag-bindings");
    story.call("project-effective-tag-bindings-list", client, &effective, Nothing).expect(200);
    let with_default = "GET /api/v2/organizations/acme?include=default-project";
    story.call("organization-show-with-default-project", client, with_default, Nothing).expect(200);

    let mut inside = resource("workspaces", json!({"name": "inside"}));
    inside["data"]["relationships"] = json!({"project": {"data": {"type": "projects", "id": made.id()}}});
    let workspaces = "POST /api/v2/organizations/acme/workspaces?include=project,effective_tag_bindings";
    let inside = story.call("workspace-create-in-a-project", client, workspaces, Document(inside)).expect(201);
    let back = format!("POST /api/v2/projects/{}/relationships/workspaces", made.id());
    let moved = Document(identifiers("workspaces", &[&inside.id()]));
    story.call("project-workspaces-move", client, &back, moved).expect(204);
    story.call("error-403-project-with-workspaces", client, &format!("DELETE {one}"), Nothing).expect(403);
    client.delete(&format!("/api/v2/workspaces/{}", inside.id())).expect(204);

    let access = "/api/v2/team-projects";
    let read = Document(project_access(team, &made.id(), json!({"access": "read"})));
    let given = story.call("project-access-create", client, &format!("POST {access}"), read).expect(201);
    let of_one = format!("GET {access}?filter[project][id]={}&include=team,project", made.id());
    story.call("project-access-list", client, &of_one, Nothing).expect(200);
    let given = format!("{access}/{}", given.id());
    story.call("project-access-show", client, &format!("GET {given}"), Nothing).expect(200);
    let custom =
        json!({"access": "custom", "project-access": {"settings": "update"}, "workspace-access": {"move": true}});
    let custom = Document(resource("team-projects", custom));
    story.call("project-access-update", client, &format!("PATCH {given}"), custom).expect(200);
    story.call("project-access-delete", client, &format!("DELETE {given}"), Nothing).expect(204);
    story.call("project-delete", client, &format!("DELETE {one}"), Nothing).expect(204);

    let keys = "/api/v2/organizations/acme/reserved-tag-keys";
    let key = Document(resource("reserved-tag-keys", json!({"key": "environment"})));
    let reserved = story.call("reserved-tag-key-create", client, &format!("POST {keys}"), key).expect(201);
    story.call("reserved-tag-key-list", client, &format!("GET {keys}"), Nothing).expect(200);
    let reserved = format!("/api/v2/reserved-tag-keys/{}", reserved.id());
    let change = Document(resource("reserved-tag-keys", json!({"disable-overrides": true})));
    story.call("reserved-tag-key-update", client, &format!("PATCH {reserved}"), change).expect(200);
    story.call("reserved-tag-key-delete", client, &format!("DELETE {reserved}"), Nothing).expect(204);
}

/// Where a document breaks a rule of <https://jsonapi.org/format/1.1/#document-structure>.
fn faults_of(document: &Value) -> Vec<String> {
    let mut faults = vec![];
    let mut must = |holds: bool, rule: String| {
        if !holds {
            faults.push(rule);
        }
    };
    let Some(top) = document.as_object() else { return vec!["a document is an object".into()] };
    only(&mut must, "the document", top, &["jsonapi", "data", "errors", "meta", "links", "included"]);
    must(["data", "errors", "meta"].iter().any(|name| top.contains_key(*name)), "data, errors or meta is there".into());
    must(!(top.contains_key("data") && top.contains_key("errors")), "data and errors exclude each other".into());
    must(!top.contains_key("included") || top.contains_key("data"), "included needs data".into());
    must(top.get("meta").is_none_or(Value::is_object), "meta is an object".into());
    if let Some(about) = top.get("jsonapi") {
        let about = object(&mut must, "jsonapi", about);
        only(&mut must, "jsonapi", &about, &["version", "ext", "profile", "meta"]);
        must(about.get("version").is_none_or(Value::is_string), "jsonapi.version is a string".into());
    }
    if let Some(links) = top.get("links") {
        let known = ["self", "related", "describedby", "first", "last", "prev", "next"];
        check_links(&mut must, "the document", links, &known);
    }
    let primary: Vec<&Value> = match top.get("data") {
        None | Some(Value::Null) => vec![],
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
    };
    let included: Vec<&Value> = match top.get("included") {
        None => vec![],
        Some(Value::Array(items)) => items.iter().collect(),
        Some(_) => {
            must(false, "included is a list".into());
            vec![]
        }
    };
    let mut keys = BTreeSet::new();
    for resource in primary.iter().chain(&included) {
        check_resource(&mut must, resource);
        must(keys.insert(key(resource)), format!("{:?} is there once", key(resource)));
    }
    let mut reached: BTreeSet<_> = primary.iter().map(|resource| key(resource)).collect();
    let mut way: Vec<&Value> = primary;
    while let Some(resource) = way.pop() {
        let linked: BTreeSet<_> = linkage(resource).into_iter().map(key).collect();
        let new = included.iter().filter(|other| linked.contains(&key(other)) && reached.insert(key(other)));
        way.extend(new.copied().collect::<Vec<_>>());
    }
    for resource in included {
        must(reached.contains(&key(resource)), format!("{:?} is linked from the primary data", key(resource)));
    }
    if let Some(errors) = top.get("errors") {
        let errors = errors.as_array().cloned().unwrap_or_default();
        must(!errors.is_empty(), "errors is a list and not empty".into());
        errors.iter().for_each(|error| check_error(&mut must, error));
    }
    faults
}

fn only(must: &mut impl FnMut(bool, String), what: &str, members: &Map<String, Value>, known: &[&str]) {
    for name in members.keys() {
        must(known.contains(&name.as_str()), format!("{what} has no member {name}"));
    }
}

fn object(must: &mut impl FnMut(bool, String), what: &str, value: &Value) -> Map<String, Value> {
    must(value.is_object(), format!("{what} is an object"));
    value.as_object().cloned().unwrap_or_default()
}

/// A link is a string, null, or an object with `href`; ours are absolute URLs or paths.
fn check_links(must: &mut impl FnMut(bool, String), what: &str, links: &Value, known: &[&str]) {
    let links = object(must, &format!("{what}'s links"), links);
    only(must, &format!("{what}'s links"), &links, known);
    for (name, link) in links {
        let target = link.get("href").unwrap_or(&link);
        let text = target.as_str().unwrap_or_default();
        let good = (text.starts_with('/') || text.starts_with("http")) && !text.contains([' ', '[', ']']);
        must(target.is_null() || good, format!("{what}'s link {name} is a URL: {link}"));
    }
}

/// JSON:API "Member Names": letters, digits and other-than-ASCII at both ends, `-`, `_` and space between.
fn is_member_name(name: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii();
    let inside = |c: char| edge(c) || matches!(c, '-' | '_' | ' ');
    name.starts_with(edge) && name.ends_with(edge) && name.chars().all(inside)
}

fn check_resource(must: &mut impl FnMut(bool, String), resource: &Value) {
    let what = format!("{:?}", key(resource));
    let members = object(must, &what, resource);
    only(must, &what, &members, &["type", "id", "lid", "attributes", "relationships", "links", "meta"]);
    for name in ["type", "id"] {
        let text = members.get(name).and_then(Value::as_str).unwrap_or_default();
        must(!text.is_empty(), format!("{what}: {name} is a string"));
    }
    let empty = json!({});
    let attributes = object(must, &what, members.get("attributes").unwrap_or(&empty));
    let relationships = object(must, &what, members.get("relationships").unwrap_or(&empty));
    for name in attributes.keys().chain(relationships.keys()) {
        must(is_member_name(name), format!("{what}: {name:?} is a member name"));
        must(!["type", "id"].contains(&name.as_str()), format!("{what}: no field is called {name}"));
    }
    for (name, relationship) in &relationships {
        must(!attributes.contains_key(name), format!("{what}: {name} is one field"));
        check_relationship(must, &format!("{what}.{name}"), relationship);
    }
    if let Some(links) = members.get("links") {
        // The other two are the HCP API's.
        check_links(must, &what, links, &["self", "self-html", "inherited-from"]);
    }
}

fn check_relationship(must: &mut impl FnMut(bool, String), what: &str, relationship: &Value) {
    let members = object(must, what, relationship);
    only(must, what, &members, &["links", "data", "meta"]);
    must(!members.is_empty(), format!("{what} has links, data or meta"));
    if let Some(links) = members.get("links") {
        check_links(must, what, links, &["self", "related"]);
        must(links.as_object().is_some_and(|links| !links.is_empty()), format!("{what} has self or related"));
    }
    for identifier in linked(relationship) {
        let identifier = object(must, what, identifier);
        only(must, what, &identifier, &["type", "id", "meta"]);
        let named = ["type", "id"].iter().all(|name| identifier.get(*name).is_some_and(Value::is_string));
        must(named, format!("{what} links to a type and an id"));
    }
}

fn check_error(must: &mut impl FnMut(bool, String), error: &Value) {
    let members = object(must, "an error", error);
    only(must, "an error", &members, &["id", "links", "status", "code", "title", "detail", "source", "meta"]);
    must(!members.is_empty(), "an error has members".into());
    for name in ["id", "status", "code", "title", "detail"] {
        must(members.get(name).is_none_or(Value::is_string), format!("an error's {name} is a string"));
    }
    if let Some(source) = members.get("source") {
        let source = object(must, "an error's source", source);
        only(must, "an error's source", &source, &["pointer", "parameter", "header"]);
        let pointer = source.get("pointer").and_then(Value::as_str).unwrap_or_default();
        must(pointer.is_empty() || pointer.starts_with('/'), format!("{pointer:?} is a JSON pointer"));
    }
}

fn key(resource: &Value) -> (&str, &str) {
    (resource["type"].as_str().unwrap_or_default(), resource["id"].as_str().unwrap_or_default())
}

fn linked(relationship: &Value) -> Vec<&Value> {
    match relationship.get("data") {
        None | Some(Value::Null) => vec![],
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
    }
}

fn linkage(resource: &Value) -> Vec<&Value> {
    let relationships = resource["relationships"].as_object();
    relationships.into_iter().flat_map(Map::values).flat_map(linked).collect()
}

#[test]
fn the_checker_knows_what_json_api_forbids() {
    for good in [
        json!({"data": null}),
        json!({"meta": {}}),
        json!({"data": [{"type": "a", "id": "1", "relationships": {"b": {"data": {"type": "b", "id": "1"}}}}],
            "included": [{"type": "b", "id": "1"}]}),
        json!({"errors": [{"status": "404", "source": {"pointer": "/data"}}]}),
    ] {
        assert_eq!(faults_of(&good), Vec::<String>::new(), "{good}");
    }
    for bad in [
        json!([]),
        json!({}),
        json!({"data": null, "errors": [{"status": "404"}]}),
        json!({"data": null, "more": 1}),
        json!({"data": {"type": "a"}}),
        json!({"data": {"type": "a", "id": 1}}),
        json!({"data": {"type": "a", "id": "1", "name": "x"}}),
        json!({"data": {"type": "a", "id": "1", "attributes": {"-x": 1}}}),
        json!({"data": {"type": "a", "id": "1", "attributes": {"b": 1}, "relationships": {"b": {"data": null}}}}),
        json!({"data": {"type": "a", "id": "1", "relationships": {"b": {}}}}),
        json!({"data": {"type": "a", "id": "1", "relationships": {"b": {"data": {"type": "b"}}}}}),
        json!({"data": {"type": "a", "id": "1", "links": {"self": 7}}}),
        json!({"data": {"type": "a", "id": "1"}, "included": [{"type": "b", "id": "1"}]}),
        json!({"data": [{"type": "a", "id": "1"}, {"type": "a", "id": "1"}]}),
        json!({"errors": []}),
        json!({"errors": [{"status": 404}]}),
        json!({"errors": [{"source": {"pointer": "data"}}]}),
    ] {
        assert!(!faults_of(&bad).is_empty(), "{bad}");
    }
}
