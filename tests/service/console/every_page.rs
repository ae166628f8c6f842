//! What holds of every page and of every form.

use crate::support::App;
use crate::support::app::User;
use crate::support::browser::{Browser, forms};
use crate::support::client::Answer;
use crate::support::leaks;

/// A service with an organization, in which ada has signed in.
struct Scene {
    app: App,
    browser: Browser,
    other: User,
}

impl Scene {
    fn new() -> Self {
        let (app, ada) = App::with_acme();
        let browser = Browser::of(&app, &ada);
        let other = app.user("bob");
        Self { app, browser, other }
    }

    /// The path of a page, with something in the place of its parameters.
    fn path(&self, declared: &str) -> String {
        let values = [
            ("{link}", "lkl_000000000000000000000000000000000000000000000000A"),
            ("{organization}", "acme"),
            ("{token}", "at-1111111111111111"),
            ("{workspace}", "ws-1111111111111111"),
            ("{name}", "prod"),
        ];
        let path = values.iter().fold(declared.to_owned(), |path, (name, value)| path.replace(name, value));
        assert!(!path.contains('{'), "{declared} has a parameter that the test does not know");
        path
    }

    /// All that forms could change, but for when what was used last.
    fn state(&self) -> String {
        let tables = [
            "(to_jsonb(t) - 'seen_at')::text AS kept FROM sessions AS t",
            "(to_jsonb(t) - 'last_used_at' - 'usage_count')::text FROM tokens AS t",
            "to_jsonb(t)::text FROM all_users AS t",
            "to_jsonb(t)::text FROM all_organizations AS t",
            "to_jsonb(t)::text FROM sign_in_links AS t",
            "to_jsonb(t)::text FROM audit_events AS t",
        ];
        let rows = tables.map(|table| format!("SELECT {table}")).join(" UNION ALL ");
        self.app.text(&format!("SELECT string_agg(kept, E'\\n' ORDER BY kept) FROM ({rows}) AS rows"))
    }
}

fn methods(wanted: &str) -> Vec<String> {
    latchkey::console::listed().into_iter().filter(|(method, _)| method == wanted).map(|(_, path)| path).collect()
}

#[track_caller]
fn is_a_safe_page(answer: &Answer, what: &str) {
    let header = |name: &str| answer.header(name).unwrap_or_else(|| panic!("{what} has no {name}")).to_owned();
    let policy = header("Content-Security-Policy");
    for part in
        ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'", "script-src 'self'"]
    {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    assert_eq!(header("X-Content-Type-Options"), "nosniff", "{what}");
    assert_eq!(header("Cache-Control"), "no-store", "{what}");
    assert_eq!(header("Referrer-Policy"), "same-origin", "{what}");
    if answer.status != 303 {
        assert_eq!(header("Content-Type"), "text/html; charset=utf-8", "{what}");
        assert!(answer.text.starts_with("<!doctype html>") && answer.text.contains("<h1>"), "{what}");
        for inline in [" style=", " onclick=", " onload=", "<style", "javascript:"] {
            assert!(!answer.text.contains(inline), "{what} has {inline}");
        }
        assert!(
            !answer.text.contains("src=\"http") && !answer.text.contains("href=\"http"),
            "{what} loads from elsewhere"
        );
        assert_eq!(leaks::look(&answer.text, what), Vec::<String>::new());
    }
}

#[test]
fn every_page_has_the_same_policy_also_if_it_refuses() {
    let mut scene = Scene::new();
    for declared in methods("GET") {
        let path = scene.path(&declared);
        is_a_safe_page(&scene.browser.get(&path), &format!("GET {declared}"));
        is_a_safe_page(&Browser::new(&scene.app).get(&path), &format!("GET {declared}, not signed in"));
        let elsewhere = scene.app.anonymous().send("GET", &path, &[("Host", "tokens.example")], None);
        is_a_safe_page(&elsewhere, &format!("GET {declared} elsewhere"));
        let head = scene.browser.send("HEAD", &path, &[], None);
        assert_eq!((head.status, head.text.as_str()), (scene.browser.get(&path).status, ""), "HEAD {declared}");
    }
    for path in ["/app/nowhere/x/y/z", "/app/acme/nowhere", "/app/%ff", "/app/settings/nowhere"] {
        let missing = scene.browser.get(path).expect(404);
        is_a_safe_page(&missing, path);
    }
}

#[test]
fn looking_changes_nothing() {
    let mut scene = Scene::new();
    let before = scene.state();
    for declared in methods("GET").into_iter().chain(methods("POST")) {
        let path = scene.path(&declared);
        scene.browser.get(&path);
        Browser::new(&scene.app).get(&path);
    }
    assert!(scene.state() == before, "something has changed");
    assert!(scene.browser.is_in());
}

#[test]
fn no_form_is_taken_from_elsewhere() {
    let mut scene = Scene::new();
    let (own, origin) = (scene.browser.form_token(), scene.browser.origin.clone());
    let mut guest = Browser::new(&scene.app);
    let of_guest = guest.form_token();
    let of_other = Browser::of(&scene.app, &scene.other).form_token();
    let before = scene.state();
    let token = |token: &str| vec![("form-token".to_owned(), token.to_owned())];
    let all = methods("POST");
    assert!(all.len() >= 7, "{all:?}");
    for declared in all {
        let path = scene.path(&declared);
        // Whoever is signed in, whatever the form has: sent by another site, or by nobody knows whom.
        for (browser, own) in [(&mut scene.browser, &own), (&mut guest, &of_guest)] {
            for headers in [
                &[][..],
                &[("Origin", "https://evil.example")],
                &[("Origin", "null")],
                &[("Origin", &*origin), ("Sec-Fetch-Site", "cross-site")],
                &[("Sec-Fetch-Site", "same-site")],
                &[("Sec-Fetch-Site", "none")],
            ] {
                let answer = browser.post_from(&path, &token(own), headers);
                // Who is not signed in is not asked for more.
                let sent_to_sign_in =
                    answer.status == 303 && answer.header("Location").unwrap().starts_with("/app/sign-in");
                assert!(answer.status == 403 || sent_to_sign_in, "{} {declared} {headers:?}", answer.status);
            }
            // Sent from here, with a token that is none of this browser.
            for wrong in ["", "x", &of_other, &format!("{own}x")] {
                let answer = browser.post(&path, &token(wrong));
                assert!(matches!(answer.status, 403 | 303), "{} {declared}", answer.status);
            }
            browser.post(&path, &[]);
        }
    }
    assert!(scene.state() == before, "something was done");
    assert!(scene.browser.is_in());
}

/// Each form of each page brings a token, and none of them is shown twice.
#[test]
fn each_form_brings_its_token() {
    let scene = Scene::new();
    let mut seen = std::collections::BTreeSet::new();
    for declared in methods("GET") {
        let path = scene.path(&declared);
        for mut browser in [scene.browser.clone(), Browser::new(&scene.app)] {
            let page = browser.get(&path);
            let tokens: Vec<String> = forms(&page).iter().map(|form| form.field("form-token").to_owned()).collect();
            assert_eq!(page.text.matches("<form").count(), tokens.len() + page.text.matches("method=\"get\"").count());
            assert!(tokens.first().is_none_or(|token| seen.insert(token.clone())), "{declared}");
        }
    }
}

#[test]
fn styles_and_scripts_are_kept_for_good() {
    let scene = Scene::new();
    let page = scene.app.anonymous().get("/app/sign-in").expect(200);
    let paths = regex::Regex::new(r#"(?:href|src)="(/assets/[^"]+)""#).unwrap();
    let paths: Vec<&str> = paths.captures_iter(&page.text).map(|found| found.extract::<1>().1[0]).collect();
    assert_eq!(paths.len(), 2);
    for path in paths {
        let asset = scene.app.anonymous().get(path).expect(200);
        assert_eq!(asset.header("Cache-Control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(asset.header("X-Content-Type-Options"), Some("nosniff"));
        let kind = asset.header("Content-Type").unwrap();
        assert!(kind == "text/css; charset=utf-8" || kind == "text/javascript; charset=utf-8", "{kind}");
        assert!(asset.text.len() < 30_000, "{path} is large");
    }
    scene.app.anonymous().get("/assets/console-0000000000000000.css").expect(404);
}

#[test]
fn the_bare_address_leads_to_the_pages() {
    let scene = Scene::new();
    assert_eq!(scene.app.anonymous().get("/").expect(303).header("Location"), Some("/app"));
}
