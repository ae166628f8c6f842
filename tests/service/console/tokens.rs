//! Tokens of an organization and one's own: lists, making, changing, ending.

use serde_json::json;

use crate::support::App;
use crate::support::app::{Acme, User, resource};
use crate::support::browser::{Browser, form, forms};
use crate::support::client::Answer;
use crate::support::leaks;

const LIST: &str = "/app/acme/tokens";
const NEW: &str = "/app/acme/tokens/new";
const MINE: &str = "/app/settings/tokens";

/// The one secret on a page.
#[track_caller]
fn secret(page: &Answer) -> String {
    let secret = regex::Regex::new(r"data-secret>(lk[a-z]_[0-9A-Za-z]{49})<").unwrap();
    secret.captures(&page.text).unwrap_or_else(|| panic!("no secret: {}", page.text))[1].to_owned()
}

/// Opens the page to make a token, and sends its form.
fn make(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get(path).expect(200);
    browser.send_form(&page, path, fields)
}

/// The ids of the tokens on a page of a list, in order.
fn ids(page: &Answer) -> Vec<String> {
    let row = regex::Regex::new(r#"<tr class="[^"]*" id="(at-[^"]+)">"#).unwrap();
    row.captures_iter(&page.text).map(|found| found[1].to_owned()).collect()
}

#[test]
fn a_token_is_made_and_its_secret_shown_once() {
    let scene = Acme::new();
    let mut browser = Browser::of(&scene.app, &scene.ada);
    let fields = [("owner", &*scene.team), ("description", "ci-deploy"), ("expiry", "30"), ("role", "member")];
    let made = make(&mut browser, NEW, &fields).expect(200);
    let secret = secret(&made);
    assert_eq!(made.header("Cache-Control"), Some("no-store"));
    assert!(made.text.contains("Not copied yet") && made.text.contains("credentials \"127.0.0.1"), "{}", made.text);
    assert!(scene.works(&secret));
    let list = browser.get(LIST).expect(200);
    let [id] = &ids(&list)[..] else { panic!("one token") };
    let shown = scene.ada.client.get(&format!("/api/v2/authentication-tokens/{id}")).expect(200);
    assert_eq!(*shown.attribute("description"), "ci-deploy");
    assert_eq!(*shown.attribute("role"), "member");
    assert!(list.text.contains(&secret[..10]) && list.text.contains("ci-deploy") && list.text.contains("team ci"));
    // Nowhere else, whatever one looks at afterwards.
    for path in
        [LIST, &format!("{LIST}/{id}"), &format!("{LIST}/{id}/edit"), &format!("{LIST}/revoke?token={id}"), "/app"]
    {
        let page = browser.get(path).expect(200);
        assert_eq!(leaks::look(&page.text, path), Vec::<String>::new());
        assert!(!page.text.contains(&secret[10..]), "{path}");
    }
    assert_eq!(leaks::search_database(&scene.app.database_url), Vec::<String>::new());
    let trail = format!(
        "audit_events WHERE action = 'create' AND resource_id = '{id}' AND token_id IS NULL \
                         AND accessor_id = '{}'",
        scene.ada.id
    );
    assert_eq!(scene.app.count(&trail), 1);
}

/// A double click, a reload of the answer, Back and Enter: one token, and its secret is shown once.
#[test]
fn a_form_that_is_sent_twice_makes_one_token() {
    let scene = Acme::new();
    let mut browser = Browser::of(&scene.app, &scene.ada);
    let page = browser.get(NEW).expect(200);
    let fields = form(&page, NEW).with(&[("owner", &scene.team), ("description", "ci"), ("expiry", "30")]);
    let answers: Vec<(u16, String)> = std::thread::scope(|scope| {
        let send = || {
            let (mut browser, fields) = (browser.clone(), fields.clone());
            scope.spawn(move || {
                let answer = browser.post(NEW, &fields);
                (answer.status, answer.text)
            })
        };
        [(); 4].map(|()| send()).into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    let mut statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    assert_eq!(answers.iter().filter(|(_, text)| text.contains("data-secret")).count(), 1);
    assert_eq!(scene.app.count("tokens WHERE team_id IS NOT NULL"), 1);
    let later = browser.post(NEW, &fields).expect(409);
    assert!(later.text.contains("This form was sent before") && later.text.contains("/app/acme/tokens/at-"));
    // The same when one is regenerated.
    let id = ids(&browser.get(LIST).expect(200)).remove(0);
    let path = format!("{LIST}/{id}/regenerate");
    let page = browser.get(&path).expect(200);
    browser.send_form(&page, &path, &[]).expect(200);
    browser.send_form(&page, &path, &[]).expect(409);
    assert_eq!(scene.app.count("tokens WHERE team_id IS NOT NULL"), 2);
    // A form without its number, or with one of another make, makes none.
    for number in ["", "short", &"x".repeat(65), "ä".repeat(10).as_str()] {
        let page = browser.get(NEW).expect(200);
        let fields = [("owner", &*scene.team), ("description", "x"), ("form-number", number)];
        browser.send_form(&page, NEW, &fields).expect(400);
    }
    assert_eq!(scene.app.count("tokens WHERE team_id IS NOT NULL"), 2);
}

/// A form that was refused has spent nothing, keeps what was written, and says what is wrong beside its field.
#[test]
fn a_refused_form_comes_back_as_it_was() {
    let scene = Acme::new();
    let mut browser = Browser::of(&scene.app, &scene.ada);
    let page = browser.get(NEW).expect(200);
    let wrong = [
        ("owner", &*scene.team),
        ("description", ""),
        ("expiry", "at"),
        ("expired-at", "yesterday"),
        ("which-abilities", "these"),
        ("abilities", "nonsense"),
    ];
    let refused = browser.send_form(&page, NEW, &wrong).expect(422);
    for part in ["Say what the token is for", "yesterday", "nonsense", "aria-invalid", "checked"] {
        assert!(refused.text.contains(part), "no {part}: {}", refused.text);
    }
    assert_eq!(scene.app.count("spent_forms"), 0);
    let beyond = [("description", "x"), ("expiry", "never"), ("abilities", "billing:read")];
    let refused = browser.send_form(&refused, NEW, &beyond).expect(422);
    assert!(refused.text.contains("Abilities must be among those of the team"), "{}", refused.text);
    let right = [("abilities", "agents:read storage:write")];
    let made = browser.send_form(&refused, NEW, &[&beyond[..2], &right].concat()).expect(200);
    assert!(scene.works(&secret(&made)));
    let taken = make(&mut browser, NEW, &[("owner", &*scene.team), ("description", "x")]).expect(422);
    assert!(taken.text.contains("Description has already been taken"));
}

#[test]
fn tokens_are_listed_filtered_sorted_and_paged() {
    let scene = Acme::new();
    let mut made: Vec<String> =
        (0..25).map(|nth| scene.token(json!({"description": format!("token-{nth:02}")})).id()).collect();
    scene.token(json!({"description": "other", "role": "viewer"}));
    let mut browser = Browser::of(&scene.app, &scene.ada);
    // Newest first, page by page.
    let mut page = browser.get(&format!("{LIST}?q=token-")).expect(200);
    let next = regex::Regex::new(r#"rel="next" href="([^"]+)""#).unwrap();
    let mut found = ids(&page);
    assert_eq!(found.len(), 20);
    let place = crate::support::browser::unescaped(&next.captures(&page.text).unwrap()[1]);
    page = browser.get(&place).expect(200);
    assert!(page.text.contains("rel=\"prev\"") && !page.text.contains("rel=\"next\""));
    found.extend(ids(&page));
    made.reverse();
    assert_eq!(found, made);
    let first = |browser: &mut Browser, query: &str| ids(&browser.get(&format!("{LIST}?{query}")).expect(200));
    assert_eq!(first(&mut browser, "sort=description&q=token-&page[size]=1"), [made[24].clone()]);
    assert_eq!(first(&mut browser, "filter[role]=viewer").len(), 1);
    // Every filter of the API; what a form has left empty asks for nothing.
    assert_eq!(first(&mut browser, "q=&filter[status]=&filter[description]=token-07"), [made[17].clone()]);
    let none = browser.get(&format!("{LIST}?q=nothing-like-it")).expect(200);
    assert!(none.text.contains("No token matches."));
    for bad in ["filter[status]=nonsense", "sort=nonsense", "page[after]=x", "filter[nonsense]=x", "page[size]=1000"] {
        browser.get(&format!("{LIST}?{bad}")).expect(400);
    }
    let sorted = browser.get(&format!("{LIST}?sort=-description")).expect(200);
    assert_eq!(sorted.text.matches("aria-sort=\"descending\"").count(), 1);
    // Columns: the label and the actions are always there.
    let few = browser.get(&format!("{LIST}?columns=status&columns=owner")).expect(200);
    let heads = few.text.matches("<th scope=\"col\"").count();
    assert_eq!(heads, 4);
    let cards = browser.get(&format!("{LIST}?view=cards&q=other")).expect(200);
    assert!(cards.text.contains("class=\"card is-active\"") && !cards.text.contains("<table"));
}

/// A secret that was pasted into the search stays nowhere: not in the address, not in what is searched.
#[test]
fn a_secret_in_the_search_is_cut() {
    let scene = Acme::new();
    let made = scene.token(json!({"description": "found"}));
    let secret = made.secret();
    let mut browser = Browser::of(&scene.app, &scene.ada);
    let cut = browser.get(&format!("{LIST}?q={secret}")).expect(303);
    let place = cut.header("Location").unwrap().to_owned();
    assert!(place.contains(&secret[..10]) && !place.contains(&secret[10..]), "another place");
    assert_eq!(ids(&browser.get(&place).expect(200)), [made.id()]);
    let sent = Browser::new(&scene.app).get(&format!("{LIST}?q={secret}")).expect(303);
    assert!(!sent.header("Location").unwrap().contains(&secret[10..]), "another place");
}

#[test]
fn a_token_is_switched_edited_and_revoked() {
    let scene = Acme::new();
    let made = scene.token(json!({"description": "ci", "expired-at": "2031-05-17T08:00:00.123Z"}));
    let (id, secret) = (made.id(), made.secret());
    let mut browser = Browser::of(&scene.app, &scene.ada);
    let own = format!("{LIST}/{id}");
    let page = browser.get(&own).expect(200);
    browser.send_form(&page, &format!("{own}/deactivate"), &[]).expect(303);
    assert!(!scene.works(&secret));
    let page = browser.get(&own).expect(200);
    assert!(page.text.contains("Disabled"));
    browser.send_form(&page, &format!("{own}/activate"), &[]).expect(303);
    assert!(scene.works(&secret));
    // A mere save changes nothing, to the millisecond.
    let edit = format!("{own}/edit");
    let page = browser.get(&edit).expect(200);
    assert!(page.text.contains("2031-05-17T08:00:00.123Z"));
    let kept = [("role", "owner"), ("which-abilities", "all")];
    browser.send_form(&page, &edit, &kept).expect(303);
    assert_eq!(scene.app.count("audit_events WHERE action = 'update' AND resource_type = 'authentication_token'"), 0);
    let changes = [
        ("description", "ci-2"),
        ("expired-at", "2030-02-28"),
        ("role", "viewer"),
        ("which-abilities", "these"),
        ("abilities", "agents:read"),
    ];
    browser.send_form(&page, &edit, &changes).expect(303);
    let shown = scene.ada.client.get(&format!("/api/v2/authentication-tokens/{id}")).expect(200);
    assert_eq!(*shown.attribute("description"), "ci-2");
    assert_eq!(*shown.attribute("expired-at"), "2030-02-28T23:59:59.999Z");
    assert_eq!(*shown.attribute("role"), "viewer");
    assert_eq!(*shown.attribute("abilities"), json!(["agents:read"]));
    let refused = browser.send_form(&page, &edit, &[("expired-at", "2001-01-01")]).expect(422);
    assert!(refused.text.contains("must be a time to come"));
    // The page asks first, and names it; looking revokes nothing.
    let ask = browser.get(&format!("{LIST}/revoke?token={id}")).expect(200);
    assert!(ask.text.contains("Revoke this token?") && ask.text.contains("ci-2") && scene.works(&secret));
    let done = browser.send_form(&ask, &format!("{LIST}/revoke"), &[("revocation-reason", "laptop lost")]).expect(303);
    assert!(!scene.works(&secret));
    let list = browser.get(done.header("Location").unwrap()).expect(200);
    assert!(list.text.contains("ci-2: revoked."), "{}", list.text);
    let page = browser.get(&own).expect(200);
    assert!(page.text.contains("laptop lost"));
}

#[test]
fn a_token_is_regenerated_with_a_grace() {
    let scene = Acme::new();
    let made = scene.token(json!({"description": "ci"}));
    let mut browser = Browser::of(&scene.app, &scene.ada);
    let path = format!("{LIST}/{}/regenerate", made.id());
    let page = browser.get(&path).expect(200);
    let done = browser.send_form(&page, &path, &[("grace-period-seconds", "3600"), ("expiry", "7")]).expect(200);
    let new = secret(&done);
    assert!(scene.works(&new) && scene.works(&made.secret()));
    assert!(done.text.contains("goes on working for 3600 seconds"));
    let again = browser.get(&path).expect(200);
    let refused = browser.send_form(&again, &path, &[]).expect(409);
    assert!(refused.text.contains("has been regenerated already"));
}

#[test]
fn many_are_revoked_together_or_none() {
    let scene = Acme::new();
    let tokens: Vec<Answer> = ["a", "b", "c"].map(|name| scene.token(json!({"description": name}))).into();
    let mut browser = Browser::of(&scene.app, &scene.ada);
    let chosen = |ids: &[&str]| {
        let query: Vec<String> = ids.iter().map(|id| format!("token={id}")).collect();
        format!("{LIST}/revoke?{}", query.join("&"))
    };
    let ask = browser.get(&chosen(&[&tokens[0].id(), &tokens[1].id()])).expect(200);
    assert!(ask.text.contains("Revoke 2 tokens?"));
    // One that is not there: nothing happens to the others.
    let revoke = format!("{LIST}/revoke");
    let mut fields = form(&ask, &revoke).fields;
    fields.push(("token".to_owned(), "at-1111111111111111".to_owned()));
    browser.post(&revoke, &fields).expect(404);
    assert!(tokens.iter().all(|token| scene.works(&token.secret())));
    browser.send_form(&ask, &revoke, &[]).expect(303);
    let works: Vec<bool> = tokens.iter().map(|token| scene.works(&token.secret())).collect();
    assert_eq!(works, [false, false, true]);
    browser.get(&chosen(&[])).expect(303);
    let many: Vec<String> = (0..101).map(|_| latchkey::ids::TokenId::generate().to_string()).collect();
    browser.get(&chosen(&many.iter().map(String::as_str).collect::<Vec<_>>())).expect(400);
}

/// Somebody with a place in the organization, and what each of them sees and may do.
#[test]
fn who_may_not_is_not_offered_and_refused() {
    let scene = Acme::new();
    let made = scene.token(json!({"description": "ci"}));
    let (id, secret) = (made.id(), made.secret());
    let outside = scene.app.user("eve");
    eve_has_an_organization(&outside);
    let manager = scene.holder_of("manage-teams", "mia");
    let plain = scene.member("tom");
    let own = format!("{LIST}/{id}");
    let attempts = |browser: &mut Browser| {
        let number = "0123456789abcdef01234567";
        let token = browser.form_token();
        let send = |browser: &mut Browser, path: &str, fields: &[(&str, &str)]| {
            let form = crate::support::browser::Form { action: String::new(), fields: vec![], html: String::new() };
            browser
                .post(path, &form.with(&[fields, &[("form-token", &token), ("form-number", number)]].concat()))
                .status
        };
        [
            send(browser, &format!("{own}/deactivate"), &[]),
            send(browser, &format!("{own}/edit"), &[("role", "owner"), ("which-abilities", "all")]),
            send(browser, &format!("{own}/regenerate"), &[]),
            send(browser, &format!("{LIST}/revoke"), &[("token", &id)]),
            send(browser, NEW, &[("owner", &scene.team), ("description", "x")]),
        ]
    };
    // A stranger sees nothing of it, also by way of an organization of their own.
    let mut browser = Browser::of(&scene.app, &outside);
    for path in [
        LIST,
        &own,
        NEW,
        &format!("{LIST}/revoke?token={id}"),
        &format!("/app/evil/tokens/{id}"),
        &format!("{MINE}/{id}"),
        &format!("/app/evil/tokens/{id}/edit"),
        &format!("/app/evil/tokens/revoke?token={id}"),
    ] {
        browser.get(path).expect(404);
    }
    assert_eq!(attempts(&mut browser), [404; 5]);
    let evil = make(&mut browser, "/app/evil/tokens/new", &[("owner", &scene.team), ("description", "x")]);
    assert_eq!(evil.status, 404);
    // A member of a team that does not let its members handle its tokens: not even seen.
    let closed = resource("teams", json!({"allow-member-token-management": false}));
    scene.ada.client.patch(&format!("/api/v2/teams/{}", scene.team), &closed).expect(200);
    let mut browser = Browser::of(&scene.app, &plain);
    assert!(ids(&browser.get(LIST).expect(200)).is_empty());
    browser.get(NEW).expect(403);
    let tried = attempts(&mut browser);
    assert!(tried.iter().all(|status| matches!(status, 403 | 404)), "{tried:?}");
    assert!(scene.works(&secret));
    // Whoever manages teams handles the tokens of teams, but not that of the organization.
    let mut browser = Browser::of(&scene.app, &manager);
    let page = browser.get(&own).expect(200);
    assert!(page.text.contains("Revoke ci") && page.text.contains("Regenerate ci") && page.text.contains("Edit ci"));
    let new = browser.get(NEW).expect(200);
    assert!(new.text.contains("team ci") && !new.text.contains("the audit trail"));
    let page = browser.get(NEW).expect(200);
    let refused = browser.send_form(&page, NEW, &[("owner", "organization")]);
    assert!(matches!(refused.status, 403 | 404), "{}", refused.status);
    assert_eq!(scene.app.count("tokens WHERE team_id IS NOT NULL AND NOT revoked"), 1);
    // Demoted with the session open: the next request knows it.
    let teams = scene.ada.client.get("/api/v2/organizations/acme/teams?filter[names]=manage-teams").expect(200);
    scene.ada.client.delete(&format!("/api/v2/teams/{}", teams.ids()[0])).expect(204);
    browser.get(&own).expect(404);
    let tried = attempts(&mut browser);
    assert!(tried.iter().all(|status| matches!(status, 403 | 404)), "{tried:?}");
    assert!(scene.works(&secret));
}

fn eve_has_an_organization(eve: &User) {
    eve.organization("evil");
}

#[test]
fn ones_own_tokens_are_made_and_ended() {
    let app = App::start();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let mut browser = Browser::of(&app, &ada);
    let path = format!("{MINE}/new");
    let made = make(&mut browser, &path, &[("description", "laptop"), ("expiry", "90")]).expect(200);
    let secret = secret(&made);
    assert!(secret.starts_with("lku_"));
    app.with(&secret).get("/api/v2/account/details").expect(200);
    let list = browser.get(MINE).expect(200);
    assert_eq!(ids(&list).len(), 2);
    assert!(list.text.contains("My tokens") && list.text.contains("laptop"));
    browser.get(&format!("{MINE}?source=terraform-login")).expect(200);
    let id = ids(&list).remove(0);
    // Nobody else's business.
    let mut other = Browser::of(&app, &bob);
    for path in [format!("{MINE}/{id}"), format!("{MINE}/revoke?token={id}"), format!("{MINE}/{id}/edit")] {
        other.get(&path).expect(404);
    }
    let token = other.form_token();
    let fields = [("token", &*id), ("form-token", &token)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    other.post(&format!("{MINE}/revoke"), &fields).expect(404);
    let ask = browser.get(&format!("{MINE}/revoke?token={id}")).expect(200);
    browser.send_form(&ask, &format!("{MINE}/revoke"), &[]).expect(303);
    app.with(&secret).get("/api/v2/account/details").expect(401);
}

/// What outlives the session asks for the password, if it was not entered lately.
#[test]
fn making_a_token_asks_for_the_password() {
    let scene = Acme::new();
    let made = scene.token(json!({"description": "ci"}));
    let mut browser = Browser::of(&scene.app, &scene.ada);
    let page = browser.get(NEW).expect(200);
    scene.app.sql("UPDATE sessions SET confirmed_at = now() - interval '16 minutes'");
    let regenerate = format!("{LIST}/{}/regenerate", made.id());
    for path in [NEW, &regenerate] {
        let sent = browser.get(path).expect(303);
        let place: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
        assert_eq!(sent.header("Location"), Some(&*format!("/app/settings/confirm?next={place}")));
    }
    let fields = [("owner", &*scene.team), ("description", "x"), ("expiry", "30")];
    browser.send_form(&page, NEW, &fields).expect(303);
    assert_eq!(scene.app.count("tokens WHERE team_id IS NOT NULL"), 1);
    // What ends something does not.
    browser.get(&format!("{LIST}/revoke?token={}", made.id())).expect(200);
}

#[test]
fn a_policy_is_told_before_it_is_exceeded() {
    let scene = Acme::new();
    let policy = json!({"data": {"type": "organizations", "attributes": {"max-ttl-enabled": true}}});
    scene.ada.client.patch("/api/v2/organizations/acme", &policy).expect(200);
    let days = |days: i64| days * 86_400_000;
    let body = json!({"token-ttl-policies": [
        {"token-type": "team", "max-ttl-ms": days(20)},
        {"token-type": "user", "max-ttl-ms": days(40)},
    ]});
    let body = resource("organization-token-ttl-policies", body);
    scene.ada.client.patch("/api/v2/organizations/acme/token-ttl-policies", &body).expect(200);
    let mut browser = Browser::of(&scene.app, &scene.ada);
    let page = browser.get(NEW).expect(200);
    assert!(page.text.contains("A token of a team ends on"));
    let refused = browser.send_form(&page, NEW, &[("owner", &*scene.team), ("description", "x"), ("expiry", "30")]);
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("class=\"fault\""), "{}", refused.text);
    // One's own: what is too long is not offered.
    let mine = browser.get(&format!("{MINE}/new")).expect(200);
    assert!(mine.text.contains("value=\"30\"") && !mine.text.contains("value=\"60\""), "{}", mine.text);
}

/// Whatever clients write is text on every page, and what cannot be seen in it is.
#[test]
fn hostile_names_are_text() {
    let scene = Acme::new();
    let names = [
        "\"><img src=x onerror=alert(1)>",
        "</title><script>alert(1)</script>",
        "{{7919*7907}} {% raw %}",
        "javascript:alert(1)",
        "' onmouseover='x",
        "a\u{202e}b",
        "\u{2066}open",
        "\u{200b}",
        "مرحبا",
    ];
    let mut browser = Browser::of(&scene.app, &scene.ada);
    for name in names {
        let path = scene.many();
        let body = resource("authentication-tokens", json!({"description": name, "labels": {"k": name}}));
        let id = scene.ada.client.post(&path, &body).expect(201).id();
        let own = format!("{LIST}/{id}");
        for path in [
            LIST,
            &format!("{LIST}?view=cards"),
            &own,
            &format!("{own}/edit"),
            &format!("{own}/regenerate"),
            &format!("{LIST}/revoke?token={id}"),
            NEW,
            &format!("{LIST}?about={id}"),
        ] {
            let page = browser.get(path).expect(200);
            for raw in ["<img", "<script>alert", "onmouseover='x", "' onmouse", "62615533", "\u{2066}", "\u{200b}"] {
                let own_field = path.ends_with("/edit") && !raw.is_ascii();
                assert!(own_field || !page.text.contains(raw), "{raw:?} of {name:?} is in {path}");
            }
            assert!(path.ends_with("/edit") || !page.text.contains('\u{202e}'), "{path}");
        }
        let page = browser
            .get(&format!("{LIST}?q={}", url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>()));
        assert!(!page.text.contains("<img") && !page.text.contains("<script>alert"));
    }
}

/// Each button and link of a row says what it is about.
#[test]
fn buttons_are_named() {
    let scene = Acme::new();
    for name in ["one", "two"] {
        scene.token(json!({"description": name}));
    }
    let mut browser = Browser::of(&scene.app, &scene.ada);
    let page = browser.get(LIST).expect(200);
    for name in ["Revoke one", "Revoke two", "Edit one", "Regenerate two", "Deactivate one", "Choose two"] {
        assert_eq!(page.text.matches(&format!("aria-label=\"{name}\"")).count(), 1, "{name}");
    }
    assert!(page.text.contains("<caption>") && page.text.contains("scope=\"row\""));
    assert_eq!(page.text.matches("role=\"status\"").count(), 1);
    assert!(forms(&page).len() >= 2);
}

/// What each may do with the tokens of a workspace: owners and administrators everything, managers make and edit, members and
/// viewers look. What one may not do is not offered, and refused all the same if it is sent.
#[test]
fn the_tokens_of_a_workspace_are_for_who_has_a_role_in_it() {
    let scene = Acme::new();
    let workspace = scene.ada.workspace("acme", "prod");
    let path = format!("/api/v2/workspaces/{workspace}/authentication-tokens");
    let body = resource("authentication-tokens", json!({"description": "deploy", "role": "viewer"}));
    let made = scene.ada.client.post(&path, &body).expect(201);
    let (id, list) = (made.id(), format!("/workspace/{workspace}/access-tokens"));
    let with = |level: &str| {
        let user = scene.app.user(&format!("user-{level}"));
        let team = scene.ada.team("acme", level);
        scene.ada.add_to_team(&team, &user);
        scene.ada.give_access(&team, &workspace, level);
        user
    };
    let users = [
        (scene.holder_of("manage-workspaces", "anne"), "Edit Regenerate Deactivate Revoke New"),
        (with("admin"), "Edit New"),
        (with("write"), ""),
        (with("read"), ""),
    ];
    for (user, may) in &users {
        let mut browser = Browser::of(&scene.app, user);
        for place in [&*list, "/app/acme/workspaces/prod", "/app/acme/workspaces/PROD"] {
            let page = browser.get(place).expect(200);
            assert_eq!(ids(&page), std::slice::from_ref(&id), "{}", user.username);
            for act in ["Edit", "Regenerate", "Deactivate", "Revoke"] {
                let offered = page.text.contains(&format!("aria-label=\"{act} deploy\""));
                assert_eq!(offered, may.contains(act), "{} {act}", user.username);
            }
            assert_eq!(page.text.contains(">New token<"), may.contains("New"), "{}", user.username);
        }
        let token = browser.form_token();
        let mut send = |action: &str, fields: &[(&str, &str)]| {
            let own = [("form-token", &*token), ("form-number", "0123456789abcdef01234567")];
            let all = [fields, &own].concat();
            let fields: Vec<_> = all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            browser.post(&format!("{LIST}/{action}"), &fields).status
        };
        let edits = [("role", "viewer"), ("which-abilities", "all"), ("description", "deploy")];
        let done = |status: u16| matches!(status, 200 | 303);
        assert_eq!(done(send(&format!("{id}/edit"), &edits)), may.contains("Edit"), "{}", user.username);
        if !may.contains("Revoke") {
            for action in ["deactivate", "activate", "regenerate"] {
                assert_eq!(send(&format!("{id}/{action}"), &[]), 403, "{} {action}", user.username);
            }
            assert_eq!(send("revoke", &[("token", &id)]), 403, "{}", user.username);
        }
        let name = format!("by {}", user.username);
        let new = send("new", &[("owner", &workspace), ("description", &name), ("role", "viewer"), ("expiry", "30")]);
        assert_eq!(done(new), may.contains("New"), "{}: {new}", user.username);
        scene.app.sql(&format!("UPDATE tokens SET revoked = true, revoked_at = now() WHERE description = '{name}'"));
    }
    let mut stranger = Browser::of(&scene.app, &scene.app.user("eve"));
    stranger.get(&list).expect(404);
    stranger.get("/app/acme/workspaces/prod").expect(404);
    let mut outside = Browser::of(&scene.app, &scene.member("tom"));
    outside.get(&list).expect(404);
    outside.get("/app/acme/workspaces/prod").expect(404);
    // Where the API leads.
    let link = scene.ada.client.get(&format!("/api/v2/workspaces/{workspace}")).expect(200);
    let link = link.body["data"]["links"]["self-html"].as_str().unwrap().to_owned();
    Browser::of(&scene.app, &scene.ada).get(&link).expect(200);
}
