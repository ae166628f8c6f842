//! Tokens that are JWTs, and the keys that they are signed with (docs/design.md §2). `clients` verifies them with the libraries
//! of others.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Connection, PgConnection};
use latchkey::signing::{self, PreviousKey};
use regex::Regex;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::command_line::{printed, refusal};
use crate::support::app::{ENCRYPTION_KEY, User, resource};
use crate::support::client::{Answer, Client};
use crate::support::cluster::Database;
use crate::support::process::{Folder, Served, admin_secret, latchkey, run};
use crate::support::{App, leaks, say};

fn jwt(attributes: Value) -> Value {
    let mut attributes = attributes;
    attributes["format"] = json!("jwt");
    resource("authentication-tokens", attributes)
}

fn own_tokens(user: &User) -> String {
    format!("/api/v2/users/{}/authentication-tokens", user.id)
}

fn make(user: &User, attributes: Value) -> Answer {
    user.client.post(&own_tokens(user), &jwt(attributes)).expect(201)
}

/// The nth part of a JWT.
pub fn part(jwt: &str, nth: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').nth(nth).unwrap()).unwrap()).unwrap()
}

fn keys(client: &Client) -> Vec<Value> {
    client.get("/.well-known/jwks.json").expect(200).body["keys"].as_array().unwrap().clone()
}

fn kids(client: &Client) -> Vec<String> {
    keys(client).iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Whether a published key has signed it.
fn verifies(client: &Client, jwt: &str) -> bool {
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let kid = part(jwt, 0)["kid"].clone();
    let Some(key) = keys(client).into_iter().find(|key| key["kid"] == kid) else { return false };
    let public = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&ED25519, public).verify(signed.as_bytes(), &signature).is_ok()
}

fn rotate(app: &App) {
    let mut connection = PgConnection::establish(&app.database_url).unwrap();
    signing::rotate(&mut connection, &ENCRYPTION_KEY.parse().unwrap(), PreviousKey::MustDecrypt).unwrap();
}

#[test]
fn every_kind_of_token_can_be_a_jwt() {
    let app = App::start();
    let ada = app.user("ada");
    let organization = ada.organization("acme").attribute("external-id").as_str().unwrap().to_owned();
    let (team, workspace) = (ada.team("acme", "ci"), ada.workspace("acme", "prod"));
    let reach = || json!({"abilities": ["agents:read", "storage:*"]});
    ada.client.patch(&format!("/api/v2/teams/{team}"), &resource("teams", reach())).expect(200);
    ada.client.patch(&format!("/api/v2/workspaces/{workspace}"), &resource("workspaces", reach())).expect(200);
    let own = "/api/v2/organizations/acme/authentication-token";
    let of_team = format!("/api/v2/teams/{team}");
    let places = [
        (own_tokens(&ada), "user", &ada.id, "/api/v2/account/details".to_owned()),
        (format!("{of_team}/authentication-token"), "team", &team, of_team.clone()),
        (format!("{of_team}/authentication-tokens"), "team", &team, of_team.clone()),
        (own.to_owned(), "organization", &organization, "/api/v2/organizations/acme".to_owned()),
        (
            format!("{own}?token=audit-trails"),
            "audit-trails",
            &organization,
            "/api/v2/organization/audit-trail".to_owned(),
        ),
        (
            format!("/api/v2/workspaces/{workspace}/authentication-tokens"),
            "workspace",
            &workspace,
            format!("/api/v2/workspaces/{workspace}"),
        ),
    ];
    for (path, kind, subject, opens) in places {
        let until = Utc::now() + TimeDelta::hours(1);
        let reach = if kind == "audit-trails" { json!([]) } else { json!(["agents:read", "storage:*"]) };
        let attributes = json!({"description": "signed", "role": "manager", "abilities": reach,
            "expired-at": until.to_rfc3339()});
        let made = ada.client.post(&path, &jwt(attributes)).expect(201);
        let secret = made.secret();
        assert_eq!(*made.attribute("format"), "jwt", "{path}");
        let prefix = format!("eyJ…{}", &secret[secret.len() - 6..]);
        assert_eq!(*made.attribute("token-prefix"), prefix, "{path}");
        let kid = kids(&app.anonymous()).remove(0);
        assert_eq!(part(&secret, 0), json!({"alg": "EdDSA", "typ": "JWT", "kid": kid}));
        let mut claims = part(&secret, 1);
        let issued = claims["iat"].take().as_i64().unwrap();
        assert!((Utc::now().timestamp() - issued).abs() <= 5, "{path}: {issued}");
        let mut expected = json!({"iss": "latchkey", "aud": "latchkey", "sub": subject, "jti": made.id(), "iat": null,
            "exp": until.timestamp(), "kind": kind, "organization": organization, "role": "manager",
            "abilities": reach});
        if kind == "user" {
            // What a user reaches depends on the organization.
            expected.as_object_mut().unwrap().remove("abilities");
            expected.as_object_mut().unwrap().remove("organization");
        }
        assert_eq!(claims, expected, "{path}");
        assert!(verifies(&app.anonymous(), &secret), "{path}");
        app.with(&secret).get(&opens).expect(200);
        let shown = ada.client.get(&format!("/api/v2/authentication-tokens/{}", made.id())).expect(200);
        assert_eq!(*shown.attribute("token"), Value::Null, "the secret is shown once");
        assert_eq!(*shown.attribute("format"), "jwt");
    }
    let claims = part(&make(&ada, json!({})).secret(), 1);
    assert!(claims.get("exp").is_none(), "it never expires");
    // Of one that has all that its owner has, the claim lists these.
    let whole = ada.client.post(&format!("{of_team}/authentication-token"), &jwt(json!({}))).expect(201);
    assert_eq!(*whole.attribute("abilities"), Value::Null);
    assert_eq!(part(&whole.secret(), 1)["abilities"], json!(["agents:read", "storage:*"]));
}

#[test]
fn the_claims_are_those_of_the_documentation() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/jwt.md")).unwrap();
    let row = Regex::new(r"(?m)^\| `(\w+)` \|").unwrap();
    let told: BTreeSet<String> = row.captures_iter(&text).map(|row| row[1].to_owned()).collect();
    let (_app, ada) = App::with_acme();
    let team = ada.team("acme", "ci");
    let until = (Utc::now() + TimeDelta::hours(1)).to_rfc3339();
    let made = ada.described_token(
        &team,
        json!({"description": "", "format": "jwt", "expired-at": until,
        "labels": {"a": "b"}, "labels-in-jwt": true}),
    );
    let claims = part(&made.secret(), 1);
    assert_eq!(claims.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), told);
}

#[test]
fn a_token_is_opaque_unless_it_is_to_be_a_jwt() {
    let app = App::start();
    let ada = app.user("ada");
    for attributes in [json!({}), json!({"format": "opaque"}), json!({"format": null})] {
        let made = ada.client.post(&own_tokens(&ada), &resource("authentication-tokens", attributes)).expect(201);
        assert!(made.secret().starts_with("lku_"));
        assert_eq!(*made.attribute("format"), "opaque");
    }
    assert_eq!(app.count("signing_keys"), 0, "keys are made on first use");
    for format in [json!("JWT"), json!("jws"), json!(""), json!(1), json!(true), json!(["jwt"]), json!({})] {
        let body = resource("authentication-tokens", json!({"format": format}));
        let refused = ada.client.post(&own_tokens(&ada), &body).expect(422);
        assert_eq!(refused.blamed(), ["/data/attributes/format"], "{format}");
    }
    assert_eq!(app.count("signing_keys"), 0);
    // What is given once is not changed.
    let made = make(&ada, json!({}));
    let path = format!("/api/v2/authentication-tokens/{}", made.id());
    let opaque = resource("authentication-tokens", json!({"format": "opaque"}));
    assert_eq!(ada.client.patch(&path, &opaque).expect(422).blamed(), ["/data/attributes/format"]);
}

#[test]
fn the_issuer_is_the_public_url() {
    let public = "https://tokens.example.com/latchkey/";
    let app = App::with_keys(Database::new(), ENCRYPTION_KEY, Some(public));
    let claims = part(&make(&app.user("ada"), json!({})).secret(), 1);
    assert_eq!(claims["iss"], "https://tokens.example.com/latchkey");
    assert_eq!(claims["aud"], "https://tokens.example.com/latchkey");
}

#[test]
fn a_jwt_ends_at_once_wherever_latchkey_is_asked() {
    let app = App::start();
    let replica = App::on(app.database_url.clone());
    let ada = app.user("ada");
    let asked = |secret: &str| {
        let statuses = [&app, &replica].map(|app| app.with(secret).get("/api/v2/account/details").status);
        assert_eq!(statuses[0], statuses[1]);
        statuses[0]
    };
    let path = |token: &Answer| format!("/api/v2/authentication-tokens/{}", token.id());
    let token = make(&ada, json!({}));
    let secret = token.secret();
    assert_eq!(asked(&secret), 200);
    ada.client.post_nothing(&format!("{}/actions/disable", path(&token))).expect(200);
    assert_eq!(asked(&secret), 401);
    ada.client.post_nothing(&format!("{}/actions/enable", path(&token))).expect(200);
    assert_eq!(asked(&secret), 200);
    ada.client.delete(&path(&token)).expect(204);
    assert_eq!(asked(&secret), 401);
    // Nothing in the text has changed: to others it is as good as before.
    assert!(verifies(&app.anonymous(), &secret));

    let soon = (Utc::now() + TimeDelta::seconds(2)).to_rfc3339();
    let token = make(&ada, json!({"expired-at": soon}));
    assert_eq!(asked(&token.secret()), 200);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    assert_eq!(asked(&token.secret()), 401);
}

#[test]
fn a_lower_role_holds_although_the_jwt_says_another() {
    let app = App::start();
    let ada = app.user("ada");
    let token = make(&ada, json!({}));
    let lower = resource("authentication-tokens", json!({"role": "viewer"}));
    ada.client.patch(&format!("/api/v2/authentication-tokens/{}", token.id()), &lower).expect(200);
    assert_eq!(part(&token.secret(), 1)["role"], "owner");
    let acme = resource("organizations", json!({"name": "acme", "email": "ops@example.com"}));
    app.with(&token.secret()).post("/api/v2/organizations", &acme).expect(403);
}

#[test]
fn a_successor_has_the_format_of_its_predecessor() {
    let (app, ada) = App::with_acme();
    let own = "/api/v2/organizations/acme/authentication-token";
    let old = ada.client.post(own, &jwt(json!({"abilities": ["agents:read"]}))).expect(201);
    let actions = format!("/api/v2/authentication-tokens/{}/actions", old.id());
    let new = ada.client.post_nothing(&format!("{actions}/regenerate")).expect(201);
    assert_eq!(*new.attribute("format"), "jwt");
    let claims = part(&new.secret(), 1);
    assert_eq!((&claims["jti"], &claims["abilities"]), (&json!(new.id()), &json!(["agents:read"])));
    app.with(&new.secret()).get("/api/v2/account/details").expect(200);
    app.with(&old.secret()).get("/api/v2/account/details").expect(401);
}

#[test]
fn the_time_in_a_jwt_cannot_be_put_off() {
    let app = App::start();
    let ada = app.user("ada");
    let at = |hours: i64| (Utc::now() + TimeDelta::hours(hours)).to_rfc3339();
    let edit = |token: &Answer, until: Value| {
        let body = resource("authentication-tokens", json!({"expired-at": until}));
        ada.client.patch(&format!("/api/v2/authentication-tokens/{}", token.id()), &body)
    };
    let token = make(&ada, json!({"expired-at": at(2)}));
    for later in [json!(at(3)), Value::Null] {
        assert_eq!(edit(&token, later).expect(422).blamed(), ["/data/attributes/expired-at"]);
    }
    let unchanged = token.attribute("expired-at").clone();
    assert_eq!(*edit(&token, unchanged.clone()).expect(200).attribute("expired-at"), unchanged);
    edit(&token, json!(at(1))).expect(200);
    edit(&token, json!(at(2))).expect(422);
    let soon = (Utc::now() + TimeDelta::milliseconds(1500)).to_rfc3339();
    edit(&token, json!(soon)).expect(200);
    app.with(&token.secret()).get("/api/v2/account/details").expect(200);
    std::thread::sleep(std::time::Duration::from_millis(1600));
    app.with(&token.secret()).get("/api/v2/account/details").expect(401);
    // One that says of no end can be given one.
    edit(&make(&ada, json!({})), json!(at(1))).expect(200);
}

#[test]
fn the_longest_jwt_is_accepted() {
    let public = format!("https://{}.example.com/{}", "h".repeat(60), "p".repeat(1900));
    let app = App::with_keys(Database::new(), ENCRYPTION_KEY, Some(&public));
    let ada = app.user("ada");
    let abilities: Vec<String> = (0..100).map(|nth| format!("{}{nth:02}:read", "a".repeat(57))).collect();
    assert_eq!(abilities[0].len(), 64);
    ada.organization("acme");
    let own = "/api/v2/organizations/acme/authentication-token";
    let secret = ada.client.post(own, &jwt(json!({"abilities": abilities}))).expect(201).secret();
    app.with(&secret).get("/api/v2/account/details").expect(200);
    say(&format!("jwt: the longest has {} characters", secret.len()));
}

/// None is made that Latchkey itself would not take, and what it was to replace stays.
#[test]
fn a_jwt_that_would_be_too_long_is_not_made() {
    let (app, ada) = App::with_acme();
    let own = "/api/v2/organizations/acme/authentication-token";
    let before = ada.client.post(own, &jwt(json!({}))).expect(201).secret();
    let labels: Value = (0..20)
        .map(|nth| (format!("key-{nth}"), json!("\u{1f511}".repeat(255))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let long = jwt(json!({"labels": labels, "labels-in-jwt": true}));
    assert_eq!(ada.client.post(own, &long).expect(422).blamed(), ["/data/attributes/format"]);
    app.with(&before).get("/api/v2/organizations/acme").expect(200);
    let names: Vec<Value> = (0..400).map(|nth| json!({"name": format!("{}-{nth:03}:read", "a".repeat(40))})).collect();
    let registry = resource("abilities", json!({ "abilities": names }));
    ada.client.patch("/api/v2/organizations/acme/abilities", &registry).expect(200);
    assert_eq!(ada.client.post(own, &jwt(json!({}))).expect(422).blamed(), ["/data/attributes/format"]);
    ada.client.post(own, &jwt(json!({"abilities": []}))).expect(201);
    app.with(&before).get("/api/v2/organizations/acme").expect(401);
}

/// A JWT of these claims, signed by a key that is not Latchkey's.
fn forged(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes())))
}

#[test]
fn a_jwt_that_was_not_made_here_is_refused_like_every_wrong_token() {
    let app = App::start();
    let ada = app.user("ada");
    let good = make(&ada, json!({})).secret();
    let (header, claims) = (part(&good, 0), part(&good, 1));
    let refused = |secret: &str| {
        let mut body = app.with(secret).get("/api/v2/account/details").expect(401).body;
        body["errors"][0]["id"].take();
        body
    };
    let expected = refused("lku_nonsense");
    let [first, second, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[5] ^= 1;
    let mut admin = claims.clone();
    admin["abilities"] = json!(["storage:*"]);
    let admin = URL_SAFE_NO_PAD.encode(admin.to_string());
    // The last character holds four bits that say nothing: who changes them has another text all the same.
    let last = good.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let sibling = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    for secret in [
        forged(&header, &claims),
        forged(&json!({"alg": "EdDSA", "typ": "JWT", "kid": "other"}), &claims),
        format!("{first}.{second}.{}", URL_SAFE_NO_PAD.encode(flipped)),
        format!("{first}.{admin}.{signature}"),
        format!("{}{sibling}", &good[..good.len() - 1]),
        format!("{none}.{second}."),
        format!("{none}.{second}.{signature}"),
        format!("{first}.{second}."),
        format!("{first}.{second}"),
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
        format!("{good}=="),
        format!("{good}.{good}"),
        format!("{first}..{signature}"),
        format!("eyJ{}.{second}.{signature}", "A".repeat(20_000)),
        format!("eyJ{}.{second}.{signature}", "A".repeat(60_000)),
        "eyJ.eyJ.".to_owned(),
        "..".to_owned(),
    ] {
        assert_eq!(refused(&secret), expected, "{}", &secret[..secret.len().min(40)]);
    }
    app.with(&good).get("/api/v2/account/details").expect(200);
}

#[test]
fn the_keys_are_there_for_everybody_and_may_be_kept_a_while() {
    let app = App::start();
    let anybody = app.anonymous();
    let path = "/.well-known/jwks.json";
    let get = |known: &str| anybody.send("GET", path, &[("If-None-Match", known)], None);
    let empty = anybody.get(path).expect(200);
    assert_eq!(empty.body, json!({"keys": []}));
    make(&app.user("ada"), json!({}));
    let answer = anybody.get(path).expect(200);
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    assert_eq!(answer.header("Cache-Control"), Some("public, max-age=300"));
    let tag = answer.header("ETag").unwrap().to_owned();
    assert_ne!(empty.header("ETag"), Some(tag.as_str()));
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let unchanged = get(&known).expect(304);
        assert_eq!(unchanged.header("ETag"), Some(tag.as_str()));
        assert_eq!(unchanged.header("Cache-Control"), Some("public, max-age=300"));
    }
    for other in [empty.header("ETag").unwrap(), "\"other\"", "nonsense", ""] {
        assert_eq!(get(other).expect(200).body, answer.body);
    }
    let key = &answer.body["keys"][0];
    let names: BTreeSet<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["alg", "crv", "kid", "kty", "use", "x"]), "nothing private");
    assert_eq!(
        (&key["kty"], &key["crv"], &key["use"], &key["alg"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("sig"), &json!("EdDSA"))
    );
    rotate(&app);
    assert_eq!(get(&tag).expect(200).body["keys"].as_array().unwrap().len(), 2);
    assert_eq!(anybody.get("/.well-known/terraform.json").header("Cache-Control"), Some("no-store"));
}

#[test]
fn a_retired_key_is_published_while_it_is_needed() {
    let app = App::start();
    let ada = app.user("ada");
    let anybody = app.anonymous();
    let token = make(&ada, json!({"expired-at": (Utc::now() + TimeDelta::hours(1)).to_rfc3339()}));
    let old = kids(&anybody).remove(0);
    rotate(&app);
    let new = kids(&anybody).into_iter().find(|kid| *kid != old).unwrap();
    assert_eq!(kids(&anybody), [&new, &old].map(String::as_str));
    assert!(verifies(&anybody, &token.secret()));
    let next = make(&ada, json!({}));
    assert_eq!(part(&next.secret(), 0)["kid"], *new);
    for secret in [token.secret(), next.secret()] {
        app.with(&secret).get("/api/v2/account/details").expect(200);
    }
    app.sql("UPDATE signing_keys SET retired_at = retired_at - interval '2 hours' WHERE retired_at IS NOT NULL");
    assert_eq!(kids(&anybody).len(), 2, "a token that it has signed is good");
    let actions = format!("/api/v2/authentication-tokens/{}/actions", token.id());
    ada.client.post_nothing(&format!("{actions}/disable")).expect(200);
    assert_eq!(kids(&anybody).len(), 2, "it can be switched on again");
    ada.client.post_nothing(&format!("{actions}/enable")).expect(200);
    let grace = resource("authentication-tokens", json!({"grace-period-seconds": 60}));
    ada.client.post(&format!("{actions}/regenerate"), &grace).expect(201);
    assert_eq!(kids(&anybody).len(), 2, "its grace is not over");
    let id: latchkey::ids::TokenId = token.id().parse().unwrap();
    app.sql(&format!("UPDATE tokens SET revoked_at = now() - interval '1 second' WHERE id = '{}'", id.uuid()));
    assert_eq!(kids(&anybody), [new.as_str()]);
    // One that is needed for ever, and one that has signed nothing: a token may have been under way.
    rotate(&app);
    let unused = kids(&anybody).remove(0);
    rotate(&app);
    assert_eq!(kids(&anybody)[1..], [unused.as_str(), &new]);
    let retire = |minutes: u8| {
        app.sql(&format!(
            "UPDATE signing_keys SET retired_at = now() - interval '{minutes} minutes' WHERE retired_at IS NOT NULL"
        ));
        kids(&anybody)[1..].to_vec()
    };
    assert!(retire(59).contains(&unused));
    assert_eq!(retire(61), [new]);
}

#[test]
fn jwts_that_are_made_during_a_rotation_are_good() {
    let app = App::start();
    let ada = app.user("ada");
    let barrier = Barrier::new(17);
    let secrets: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    (0..6).map(|_| make(&ada, json!({})).secret()).collect::<Vec<_>>()
                })
            })
            .collect();
        barrier.wait();
        for _ in 0..4 {
            rotate(&app);
            std::thread::sleep(std::time::Duration::from_millis(30));
        }
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(secrets.len(), 96);
    for secret in &secrets {
        assert!(verifies(&app.anonymous(), secret));
        app.with(secret).get("/api/v2/account/details").expect(200);
    }
    let used: BTreeSet<String> = secrets.iter().map(|secret| part(secret, 0)["kid"].to_string()).collect();
    assert!(used.len() > 1, "no rotation came between");
    assert_eq!(app.count("signing_keys WHERE retired_at IS NULL"), 1);
}

#[test]
fn two_services_that_sign_for_the_first_time_make_one_key() {
    let app = App::start();
    let replica = App::on(app.database_url.clone());
    let ada = app.user("ada");
    let barrier = Barrier::new(12);
    let tokens: Vec<Answer> = std::thread::scope(|scope| {
        let services = [&app, &replica].into_iter().cycle().take(12);
        let threads: Vec<_> = services
            .map(|service| {
                scope.spawn(|| {
                    barrier.wait();
                    service.with(ada.client.secret()).post(&own_tokens(&ada), &jwt(json!({}))).expect(201)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(app.count("signing_keys"), 1);
    assert_eq!(app.count("audit_events WHERE resource_type = 'signing_key' AND action = 'create'"), 1);
    for token in tokens {
        assert!(verifies(&replica.anonymous(), &token.secret()));
        app.with(&token.secret()).get("/api/v2/account/details").expect(200);
    }
}

#[test]
fn another_encryption_key_signs_nothing_and_says_so() {
    let app = App::start();
    let ada = app.user("ada");
    let secret = make(&ada, json!({})).secret();
    let other = App::with_keys(app.database_url.clone(), &"55".repeat(32), None);
    let there = other.with(ada.client.secret());
    let before = app.count("tokens");
    let refused = there.post(&own_tokens(&ada), &jwt(json!({}))).expect(500);
    assert!(refused.detail().contains("log says why"), "{}", refused.detail());
    assert_eq!((app.count("tokens"), app.count("signing_keys")), (before, 1), "nothing was made");
    assert!(leaks::logged().contains("is encrypted with another encryption key than the one given"));
    // All else goes on.
    there.post(&own_tokens(&ada), &resource("authentication-tokens", json!({}))).expect(201);
    other.with(&secret).get("/api/v2/account/details").expect(200);
    assert!(verifies(&other.anonymous(), &secret));

    let data = Folder::new();
    let served = Served::on(&app.database_url, &data, &[]);
    assert!(served.logged().contains("no token can be made as a JWT"), "{}", served.logged());
    served.with(&secret).get("/api/v2/account/details").expect(200);
    served.with(ada.client.secret()).post(&own_tokens(&ada), &jwt(json!({}))).expect(500);
    assert!(served.stop());
    // With the key that fits.
    let served = Served::on(&app.database_url, &data, &["--encryption-key", ENCRYPTION_KEY]);
    assert!(!served.logged().contains("no token can be made as a JWT"));
    served.with(ada.client.secret()).post(&own_tokens(&ada), &jwt(json!({}))).expect(201);
    assert!(served.stop());
}

#[test]
fn the_database_holds_no_private_key_in_clear() {
    use diesel::prelude::*;
    use latchkey::database::schema::signing_keys::dsl as keys;
    let app = App::start();
    let secret = make(&app.user("ada"), json!({})).secret();
    let found = keys::signing_keys.select((keys::kid, keys::public_key, keys::sealed_private_key.assume_not_null()));
    let mut connection = PgConnection::establish(&app.database_url).unwrap();
    let (kid, public, sealed): (String, Vec<u8>, Vec<u8>) = found.first(&mut connection).unwrap();
    // As it is documented: a nonce, then the private key, encrypted for this kid.
    let (nonce, sealed) = sealed.split_at(12);
    let open = |key: [u8; 32], kid: &str| {
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &key).unwrap());
        let bound_to = Aad::from(format!("latchkey signing key {kid}"));
        let mut text = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).unwrap();
        key.open_in_place(nonce, bound_to, &mut text).map(|opened| opened.to_vec())
    };
    let private = open([0x6a; 32], &kid).unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(&private).unwrap();
    assert_eq!(pair.public_key().as_ref(), public);
    assert!(open([0x6b; 32], &kid).is_err() && open([0x6a; 32], "other").is_err());
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let dump = leaks::dump(&app.database_url);
    assert!(dump.contains(&hex(&public)) && dump.contains(&hex(sealed)), "the dump holds the key's row");
    let (signed, signature) = secret.rsplit_once('.').unwrap();
    for clear in [hex(&private), STANDARD.encode(&private), URL_SAFE_NO_PAD.encode(&private)] {
        assert!(!dump.contains(&clear) && !leaks::logged().contains(&clear));
    }
    assert!(!dump.contains(signature) && !dump.contains(signed));
    // A retired one has no private part any more.
    rotate(&app);
    assert_eq!(app.count("signing_keys WHERE retired_at IS NOT NULL AND sealed_private_key IS NULL"), 1);
    assert!(!leaks::dump(&app.database_url).contains(&hex(sealed)));
}

fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = latchkey();
    command.args(arguments).arg("--data-dir").arg(data);
    command
}

#[test]
fn keys_are_rotated_while_the_service_runs_and_while_not() {
    let data = Folder::new();
    let rotate = || printed(&run(&mut command(&data, &["keys", "rotate"])));
    let list = || printed(&run(&mut command(&data, &["keys", "list"])));
    let kid = |said: &str, nth: usize| said.lines().nth(nth).unwrap().split_whitespace().next().unwrap().to_owned();
    assert_eq!(list(), "", "there is no key yet");
    let first = rotate();
    assert_eq!(first, format!("{}  in use\n", kid(&first, 0)));

    let service = Served::start(&data);
    let admin = service.with(&admin_secret(&data));
    let tokens =
        format!("/api/v2/users/{}/authentication-tokens", admin.get("/api/v2/account/details").expect(200).id());
    let make = || admin.post(&tokens, &jwt(json!({}))).expect(201).secret();
    let old = make();
    assert_eq!(part(&old, 0)["kid"], *kid(&first, 0));
    let second = rotate();
    assert_eq!(kid(&second, 1), kid(&first, 0));
    assert!(second.lines().nth(1).unwrap().contains("retired"), "{second}");
    // Without a restart.
    let new = make();
    assert_eq!(part(&new, 0)["kid"], *kid(&second, 0));
    for secret in [&old, &new] {
        assert!(verifies(&admin, secret));
        service.with(secret).get("/api/v2/account/details").expect(200);
    }
    assert!(service.stop());

    let third = rotate();
    let listed = list();
    let states = Regex::new(r"(?m)^([\w-]{43})  (in use|retired, published|retired)  since (\S+)$").unwrap();
    let states: Vec<_> = states.captures_iter(&listed).map(|line| (line[1].to_owned(), line[2].to_owned())).collect();
    let state = |said: &str, word: &str| (kid(said, 0), word.to_owned());
    let expected = [state(&third, "in use"), state(&second, "retired, published"), state(&first, "retired, published")];
    assert_eq!(states, expected, "{listed}");
    assert!(DateTime::parse_from_rfc3339(listed.split_whitespace().nth(4).unwrap()).is_ok(), "{listed}");
}

#[test]
fn a_rotation_needs_the_encryption_key_unless_it_is_given_up() {
    let app = App::start();
    let ada = app.user("ada");
    let old = make(&ada, json!({})).secret();
    let data = Folder::new();
    let rotate = |more: &[&str]| {
        let mut command = command(&data, &["keys", "rotate", "--database-url", &app.database_url]);
        run(command.args(more))
    };
    let said = refusal(&rotate(&[]), 1);
    assert!(said.contains("another encryption key") && said.contains("--new-encryption-key"), "{said}");
    assert_eq!(app.count("signing_keys"), 1);
    printed(&rotate(&["--encryption-key", ENCRYPTION_KEY]));
    assert_eq!(app.count("signing_keys"), 2);
    let rotations = "audit_events WHERE resource_type = 'signing_key' AND action = 'rotate' AND actor_type = 'System'";
    assert_eq!(app.count(rotations), 1);
    printed(&rotate(&["--new-encryption-key"]));
    assert_eq!(app.count(rotations), 2);
    // The services need the new encryption key, too; what was signed before is good.
    ada.client.post(&own_tokens(&ada), &jwt(json!({}))).expect(500);
    let key = std::fs::read_to_string(data.join("encryption-key")).unwrap();
    let other = App::with_keys(app.database_url.clone(), key.trim(), None);
    let new = other.with(ada.client.secret()).post(&own_tokens(&ada), &jwt(json!({}))).expect(201).secret();
    for secret in [old, new] {
        assert!(verifies(&app.anonymous(), &secret));
        app.with(&secret).get("/api/v2/account/details").expect(200);
    }
}

#[test]
fn an_encryption_key_that_is_none_is_refused_and_not_shown() {
    let data = Folder::new();
    let wrong = "sesame-opens-nothing-here";
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["keys", "rotate"]] {
        let said = refusal(&run(command(&data, arguments).args(["--encryption-key", wrong])), 1);
        assert!(said.contains("--encryption-key") && said.contains("32 random bytes"), "{said}");
        assert!(!said.contains("sesame"), "{said}");
        let said = refusal(&run(command(&data, arguments).env("LATCHKEY_ENCRYPTION_KEY", wrong)), 1);
        assert!(said.contains("--encryption-key") && !said.contains("sesame"), "{said}");
        let help = printed(&run(latchkey().args(arguments).arg("--help").env("LATCHKEY_ENCRYPTION_KEY", wrong)));
        assert!(help.contains("LATCHKEY_ENCRYPTION_KEY") && !help.contains("sesame"), "{help}");
    }
    // An empty variable is none, and the file of the data folder is used.
    printed(&run(command(&data, &["keys", "rotate"]).env("LATCHKEY_ENCRYPTION_KEY", "")));
    std::fs::write(data.join("encryption-key"), format!("{wrong}\n")).unwrap();
    let said = refusal(&run(&mut command(&data, &["keys", "rotate"])), 1);
    assert!(said.contains("encryption-key") && said.contains("32 random bytes") && !said.contains("sesame"), "{said}");
}
