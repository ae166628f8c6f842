//! `leaked-tokens`: whoever has found secrets has them revoked, without a token (docs/design.md §3, rule 10).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::app::{Acme, resource};
use crate::support::client::{Answer, Client, MEDIA_TYPE};

const PATH: &str = "/api/v2/leaked-tokens";
const LEAKS: &str = "audit_events WHERE action = 'leak'";

impl Acme {
    fn described(&self, description: &str) -> Answer {
        self.token(json!({ "description": description }))
    }

    fn report(&self, secrets: &[&str]) -> Answer {
        let items: Vec<Value> = secrets.iter().map(|secret| json!({ "token": secret })).collect();
        self.app.anonymous().post(PATH, &reports(&items))
    }

    fn is_good(&self, secret: &str) -> bool {
        self.app.with(secret).get("/api/v2/account/details").status != 401
    }
}

fn reports(items: &[Value]) -> Value {
    let data: Vec<Value> = items.iter().map(|item| json!({"type": "leaked-tokens", "attributes": item})).collect();
    json!({ "data": data })
}

#[test]
fn every_kind_of_token_is_revoked() {
    let scene = Acme::new();
    let workspace = scene.ada.workspace("acme", "prod");
    let make = |path: &str| {
        let body = resource("authentication-tokens", json!({"description": "leaked"}));
        scene.ada.client.post(&format!("/api/v2/{path}"), &body).expect(201)
    };
    let made = [
        make(&format!("teams/{}/authentication-tokens", scene.team)),
        make(&format!("teams/{}/authentication-token", scene.team)),
        make("organizations/acme/authentication-token"),
        make("organizations/acme/authentication-token?token=audit-trails"),
        make(&format!("workspaces/{workspace}/authentication-tokens")),
        make(&format!("users/{}/authentication-tokens", scene.ada.id)),
        scene.ada.described_token(&scene.team, json!({"description": "leaked, too", "format": "jwt"})),
    ];
    let other = scene.described("not leaked").secret();
    let secrets: Vec<String> = made.iter().map(Answer::secret).collect();
    assert!(secrets.iter().all(|secret| scene.is_good(secret)));
    let answer = scene.report(&secrets.iter().map(String::as_str).collect::<Vec<_>>()).expect(204);
    assert_eq!(answer.body, Value::Null);
    assert!(!secrets.iter().any(|secret| scene.is_good(secret)));
    assert!(scene.is_good(&other) && scene.is_good(scene.ada.client.secret()));
    for token in &made {
        let event = format!(
            "{LEAKS} AND resource_id = '{}' AND resource_type = 'authentication_token' AND actor_type = 'System' \
             AND accessor_id IS NULL AND meta->'url' = 'null' AND request_id = '{}'",
            token.id(),
            answer.header("X-Request-Id").unwrap()
        );
        assert_eq!(scene.app.count(&event), 1);
    }
    // In the trail of the organization are those that belong to it.
    let acme = "(SELECT id FROM organizations WHERE name = 'acme')";
    assert_eq!(scene.app.count(&format!("{LEAKS} AND organization_id = {acme}")), 6);
    assert_eq!(scene.app.count(LEAKS), 7);
}

#[test]
fn a_token_is_revoked_whatever_its_status() {
    let scene = Acme::new();
    let [expired, disabled, graced] = ["expired", "disabled", "graced"].map(|name| scene.described(name));
    scene.app.sql("UPDATE tokens SET expired_at = now() WHERE description = 'expired'");
    scene.app.sql("UPDATE tokens SET disabled_at = now() WHERE description = 'disabled'");
    let regenerate = format!("/api/v2/authentication-tokens/{}/actions/regenerate", graced.id());
    let grace = resource("authentication-tokens", json!({"grace-period-seconds": 600}));
    let successor = scene.ada.client.post(&regenerate, &grace).expect(201).secret();
    assert!(scene.is_good(&graced.secret()));
    let secrets = [expired, disabled, graced].map(|token| token.secret());
    scene.report(&[&secrets[0], &secrets[1], &secrets[2]]).expect(204);
    assert_eq!(scene.app.count("tokens WHERE revoked_at <= now() AND updated_at = revoked_at"), 3);
    assert!(!scene.is_good(&secrets[2]) && scene.is_good(&successor));
    assert_eq!(scene.app.count(LEAKS), 3);
    // Now there is nothing more to do.
    let revoked = "(SELECT DISTINCT revoked_at FROM tokens WHERE revoked_at IS NOT NULL) AS times";
    scene.report(&[&secrets[0], &secrets[1], &secrets[2]]).expect(204);
    assert_eq!((scene.app.count(LEAKS), scene.app.count(revoked)), (3, 1));
}

#[test]
fn the_answer_is_the_same_for_what_is_not_real() {
    let scene = Acme::new();
    let real = scene.described("real").secret();
    let unknown = latchkey::credential::Secret::generate(latchkey::credential::Kind::Team).unwrap();
    let mistyped = format!("{}!", &real[..52]);
    let before = scene.app.count("tokens WHERE revoked_at IS NULL");
    let told = |answer: Answer| {
        let answer = answer.expect(204);
        let names = answer.headers.keys().map(ToString::to_string).filter(|name| name != "date");
        (names.collect::<BTreeSet<_>>(), answer.body)
    };
    let mut answers = vec![];
    for secret in [unknown.reveal(), &mistyped, "", "nonsense", "eyJhbGciOiJFZERTQSJ9.e30.x", &"x".repeat(5000)] {
        answers.push(told(scene.report(&[secret])));
    }
    answers.push(told(scene.report(&[])));
    assert_eq!(scene.app.count("tokens WHERE revoked_at IS NULL"), before);
    assert_eq!(scene.app.count(LEAKS), 0);
    answers.push(told(scene.report(&[&real])));
    answers.push(told(scene.report(&[&real])));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[test]
fn each_place_is_an_event_without_a_secret() {
    let scene = Acme::new();
    let (one, two) = (scene.described("one"), scene.described("two"));
    let (first, second) = (one.secret(), two.secret());
    let url = format!("https://ada:sesame@git.example/raw?one={first}&two={second}&part={}", &second[..50]);
    let items = [
        json!({"token": first, "url": url}),
        json!({"token": first, "url": "http://paste.example/x#2"}),
        json!({"token": second, "url": format!("https://paste.example/{}", second.replace('_', "%5f"))}),
    ];
    scene.app.anonymous().post(PATH, &reports(&items)).expect(204);
    let kept = |url: &str, token: &Answer| {
        let event = format!("{LEAKS} AND meta->>'url' = '{url}' AND resource_id = '{}'", token.id());
        assert_eq!(scene.app.count(&event), 1, "{url}");
    };
    let (hint, other) = (&first[..10], &second[..10]);
    kept(&format!("https://git.example/raw?one={hint}…&two={other}…&part={other}…"), &one);
    // What was found in the place is real, too.
    kept(&format!("https://git.example/raw?one={hint}…&two={other}…&part={other}…"), &two);
    kept("http://paste.example/x#2", &one);
    kept("https://paste.example", &two);
    assert_eq!(scene.app.count(&format!("{LEAKS} AND meta->>'description' IN ('one', 'two')")), 4);
}

#[test]
fn a_report_with_a_fault_revokes_nothing_and_repeats_no_secret() {
    let scene = Acme::new();
    let secret = scene.described("real").secret();
    let good = json!({"token": secret, "url": "https://git.example"});
    let long = format!("https://git.example/{}", "x".repeat(2100));
    for (wrong, blamed) in [
        (json!({}), "token"),
        (json!({"token": null}), "token"),
        (json!({"token": 7}), "token"),
        (json!({"token": [secret]}), "token"),
        (json!({"token": {"token": secret}}), "token"),
        (json!({"token": secret, "url": secret}), "url"),
        (json!({"token": secret, "url": ["https://git.example"]}), "url"),
        (json!({"token": secret, "url": ""}), "url"),
        (json!({"token": secret, "url": format!("ftp://{secret}")}), "url"),
        (json!({"token": secret, "url": long}), "url"),
        (json!({"token": format!("{secret}\0")}), "token"),
    ] {
        let answer = scene.app.anonymous().post(PATH, &reports(&[good.clone(), wrong.clone()])).expect(422);
        assert_eq!(answer.blamed(), [format!("/data/1/attributes/{blamed}")], "{wrong}");
        assert!(!answer.body.to_string().contains(&secret[10..47]), "{:#}", answer.body);
    }
    assert!(scene.is_good(&secret));
    assert_eq!(scene.app.count(LEAKS), 0);
}

#[test]
fn a_report_holds_at_most_100() {
    let scene = Acme::new();
    let secret = scene.described("real").secret();
    let mut secrets = vec!["nonsense"; 100];
    secrets.push(&secret);
    assert_eq!(scene.report(&secrets).expect(422).blamed(), ["/data"]);
    assert!(scene.is_good(&secret));
    scene.report(&secrets[1..]).expect(204);
    assert!(!scene.is_good(&secret));
}

#[test]
fn what_is_no_report_is_refused() {
    let scene = Acme::new();
    let client = scene.app.anonymous();
    let secret = scene.described("real").secret();
    let send = |path: &str, headers: &[(&str, &str)], body: &str| {
        let answer = client.send("POST", path, headers, Some(body.as_bytes()));
        assert!(answer.body["errors"].is_array(), "{:#}", answer.body);
        assert!(!answer.body.to_string().contains(&secret[10..47]), "{:#}", answer.body);
        answer
    };
    let label = [("Content-Type", MEDIA_TYPE)];
    let good = reports(&[json!({ "token": secret })]).to_string();
    for (body, status) in [
        (String::new(), 400),
        ("{".to_owned(), 400),
        (good.replace("}]}", "}"), 400),
        (json!({ "data": secret }).to_string(), 400),
        (json!({"data": {"type": "leaked-tokens", "attributes": {"token": secret}}}).to_string(), 400),
        (json!({ "data": [secret] }).to_string(), 400),
        (json!({"data": [{"attributes": {"token": secret}}]}).to_string(), 400),
        (json!({"data": [{"type": secret, "attributes": {"token": secret}}]}).to_string(), 409),
        (json!({"data": [{"type": "leaked-tokens", "attributes": secret}]}).to_string(), 422),
        (" ".repeat(1024 * 1024 + 1), 413),
    ] {
        send(PATH, &label, &body).expect(status);
    }
    assert_eq!(send(&format!("{PATH}?nonsense=1"), &label, &good).expect(400).blamed(), ["nonsense"]);
    send(PATH, &[("Content-Type", "text/plain")], &good).expect(415);
    send(PATH, &[label[0], ("Accept", "text/html")], &good).expect(406);
    for method in ["GET", "PATCH", "DELETE"] {
        assert_eq!(client.send(method, PATH, &[], None).expect(405).header("Allow"), Some("POST"));
    }
    assert!(scene.is_good(&secret));
}

#[test]
fn an_address_may_ask_so_often() {
    let scene = Acme::new();
    let secret = scene.described("real").secret();
    let client = scene.app.anonymous();
    // What a client says of its address changes nothing, nor does a token.
    let report = |client: &Client, nth: usize| {
        let body = reports(&[json!({"token": "nonsense"})]).to_string();
        let address = format!("192.0.2.{nth}");
        let headers = [("Content-Type", MEDIA_TYPE), ("X-Forwarded-For", &*address), ("Forwarded", &*address)];
        client.send("POST", PATH, &headers, Some(body.as_bytes()))
    };
    let began = std::time::Instant::now();
    let answered = (0..200).find(|nth| report(&client, *nth).status != 204).expect("there is a limit");
    let refilled = usize::try_from(began.elapsed().as_secs()).unwrap() + 1;
    assert!((60..=60 + refilled).contains(&answered), "{answered}");
    // Where a second passes between two requests, one more is let through.
    let limited =
        |ask: &dyn Fn() -> Answer| (0..10).map(|_| ask()).find(|answer| answer.status == 429).expect("the limit holds");
    let refused = limited(&|| report(&scene.ada.client, 7));
    assert_eq!(refused.header("Content-Type"), Some(MEDIA_TYPE));
    assert_eq!(refused.body["errors"][0]["status"], "429");
    assert_eq!(refused.body["errors"][0]["id"], refused.header("X-Request-Id").unwrap());
    let seconds: u64 = refused.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    // Also a body that is no report, which is not read; everything else goes on.
    limited(&|| client.send("POST", PATH, &[("Content-Type", MEDIA_TYPE)], Some(b"{")));
    assert!(scene.is_good(&secret));
    std::thread::sleep(std::time::Duration::from_secs(seconds + 1));
    scene.report(&[&secret]).expect(204);
    assert!(!scene.is_good(&secret));
}

#[test]
fn reports_that_race_revoke_once() {
    let scene = Acme::new();
    let secrets: Vec<String> = (0..20).map(|nth| scene.described(&nth.to_string()).secret()).collect();
    std::thread::scope(|threads| {
        for nth in 0..8 {
            let (scene, secrets) = (&scene, &secrets);
            threads.spawn(move || {
                let mut mine: Vec<&str> = secrets.iter().map(String::as_str).collect();
                mine.rotate_left(nth * 2);
                scene.report(&mine).expect(204);
            });
        }
    });
    assert_eq!(scene.app.count(LEAKS), 20);
    assert_eq!(scene.app.count("tokens WHERE kind = 'team' AND revoked_at <= now()"), 20);
}

/// Secrets come from files with an end of line, from a scanner's match with its surroundings, or out of a header.
#[test]
fn a_secret_is_revoked_whatever_surrounds_it() {
    let scene = Acme::new();
    let surroundings = [
        "{}\n",
        " {}",
        "{}\r\n",
        "\t{}",
        "Bearer {}",
        "TFE_TOKEN={}",
        "\"{}\"",
        "'{}',",
        "export X={};",
        "x{}",
        "{} {}",
    ];
    for (nth, around) in surroundings.iter().enumerate() {
        for format in ["opaque", "jwt"] {
            let attributes = json!({"description": format!("{format}{nth}"), "format": format});
            let secret = scene.ada.described_token(&scene.team, attributes).secret();
            let (report, reporter) = (around.replace("{}", &secret), scene.app.anonymous());
            assert!(scene.is_good(&secret));
            let answer = reporter.post(PATH, &reports(&[json!({ "token": report })]));
            assert_eq!(answer.status, 204, "{}", answer.body);
            assert!(!scene.is_good(&secret), "{format} in {around:?}");
        }
    }
}

/// A place such as a log search with a token in its query is what a finder pastes.
#[test]
fn a_secret_in_the_place_is_revoked_and_kept_nowhere() {
    let scene = Acme::new();
    let nothing = json!({"description": "x"});
    let reported = scene.ada.described_token(&scene.team, nothing).secret();
    for (nth, format) in ["opaque", "jwt"].into_iter().enumerate() {
        for (other, encoded) in [false, true].into_iter().enumerate() {
            let attributes = json!({"description": format!("{nth}{other}"), "format": format});
            let live = scene.ada.described_token(&scene.team, attributes).secret();
            let in_url = if encoded { live.replace('_', "%5F").replace('.', "%2E") } else { live.clone() };
            let url = format!("https://logs.example/search?q={in_url}&since=1");
            let report = reports(&[json!({"token": reported, "url": url})]);
            scene.app.anonymous().post(PATH, &report).expect(204);
            assert!(!scene.is_good(&live), "{format}, encoded: {encoded}");
            let parts: Vec<&str> = live.split('.').collect();
            for part in parts.iter().filter(|part| part.len() > 20) {
                let kept = format!("audit_events WHERE position('{}' IN audit_events::text) > 0", &part[..20]);
                assert_eq!(scene.app.count(&kept), 0, "{format}, encoded: {encoded}");
            }
        }
    }
}
