//! A maker's own labels on a token, and why one was revoked (docs/tokens.md).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::app::{Acme, resource};
use crate::support::client::Answer;

fn token(attributes: Value) -> Value {
    resource("authentication-tokens", attributes)
}

fn at(id: &str) -> String {
    format!("/api/v2/authentication-tokens/{id}")
}

#[test]
fn labels_are_kept_shown_changed_and_inherited() {
    let scene = Acme::new();
    let labels = json!({"product": "billing", "env/zone": "prod ä, 1"});
    let made = scene.ada.described_token(&scene.team, json!({"description": "a", "labels": labels}));
    assert!(!made.secret().is_empty());
    assert_eq!(*made.attribute("labels"), labels);
    let edit = |attributes: Value| scene.ada.client.patch(&at(&made.id()), &token(attributes));
    assert_eq!(*edit(json!({"description": "b"})).expect(200).attribute("labels"), labels);
    let successor = scene.ada.client.post_nothing(&format!("{}/actions/regenerate", at(&made.id()))).expect(201);
    assert!(!successor.secret().is_empty());
    assert_eq!(*successor.attribute("labels"), labels);
    let edit = |attributes: Value| scene.ada.client.patch(&at(&successor.id()), &token(attributes));
    let changed = edit(json!({"labels": {"env": "lab"}})).expect(200);
    assert_eq!(*changed.attribute("labels"), json!({"env": "lab"}), "in the place of those before");
    assert_eq!(*edit(json!({"labels": {}})).expect(200).attribute("labels"), json!({}));
    let told = "audit_events WHERE action = 'update' AND meta @> '{\"labels\": {\"env\": \"lab\"}}'";
    assert_eq!(scene.app.count(told), 1);
}

#[test]
fn labels_are_bounded() {
    let scene = Acme::new();
    let numbered = |many: usize| -> Value {
        (0..many).map(|nth| (format!("key-{nth}"), json!("x"))).collect::<serde_json::Map<_, _>>().into()
    };
    let made = scene.ada.described_token(&scene.team, json!({"description": "a", "labels": numbered(20)}));
    assert!(!made.secret().is_empty());
    let edit = |labels: Value| scene.ada.client.patch(&at(&made.id()), &token(json!({ "labels": labels })));
    edit(json!({"k".repeat(63): "ä".repeat(255)})).expect(200);
    for wrong in [
        numbered(21),
        json!({"": "x"}),
        json!({"a b": "x"}),
        json!({"ä": "x"}),
        json!({"a[b]": "x"}),
        json!({"k".repeat(64): "x"}),
        json!({"a": "x".repeat(256)}),
        json!({"a": 7}),
        json!({"a": null}),
        json!(["a"]),
        json!("a"),
        json!(null),
    ] {
        let answer = edit(wrong.clone());
        if wrong.is_null() {
            // As wherever null is no value: nothing is said.
            answer.expect(200);
            continue;
        }
        assert!(answer.expect(422).blamed()[0].starts_with("/data/attributes/labels"), "{wrong}");
    }
}

#[test]
fn tokens_are_found_by_their_labels() {
    let scene = Acme::new();
    let make = |description: &str, labels: Value| {
        let made = scene.ada.described_token(&scene.team, json!({"description": description, "labels": labels}));
        assert!(!made.secret().is_empty());
    };
    make("one", json!({"env": "prod", "product": "a,b"}));
    make("two", json!({"env": "lab", "product": "a,b"}));
    make("three", json!({"env": "prod", "a_b": "1"}));
    make("four", json!({}));
    let found = |question: &str| -> Vec<String> {
        let list = format!("/api/v2/organizations/acme/authentication-tokens?sort=created-at&{question}");
        let answer = scene.ada.client.get(&list).expect(200);
        let data = answer.body["data"].as_array().unwrap();
        data.iter().map(|one| one["attributes"]["description"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("filter[label][env]=prod"), ["one", "three"]);
    assert_eq!(found("filter[label][env]=Prod"), Vec::<String>::new());
    assert_eq!(found("filter[label][env]=prod&filter[label][product]=a,b"), ["one"]);
    assert_eq!(found("filter[label][env]=prod&filter[label][env]=lab"), ["one", "two", "three"]);
    assert_eq!(found("filter[label][a_b]=1"), ["three"]);
    assert_eq!(found("filter[label][a-b]=1"), Vec::<String>::new(), "of keys each letter counts");
    assert_eq!(found("filter[label][nowhere]="), Vec::<String>::new());
    for wrong in ["filter[label]=prod", "filter[label][]=prod", "filter[label][a][b]=c", "filter[label][a%20b]=c"] {
        scene.ada.client.get(&format!("/api/v2/organizations/acme/authentication-tokens?{wrong}")).expect(400);
    }
}

#[test]
fn a_jwt_says_them_if_it_is_asked_to() {
    let scene = Acme::new();
    let claims = |made: &Answer| -> Value {
        let secret = made.secret();
        let part = secret.split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let labels = json!({"product": "billing"});
    let silent = json!({"description": "a", "format": "jwt", "labels": labels});
    assert!(claims(&scene.ada.described_token(&scene.team, silent)).get("labels").is_none());
    let telling = json!({"description": "b", "format": "jwt", "labels": labels, "labels-in-jwt": true});
    let made = scene.ada.described_token(&scene.team, telling);
    assert_eq!(claims(&made)["labels"], labels);
    let successor = scene.ada.client.post_nothing(&format!("{}/actions/regenerate", at(&made.id()))).expect(201);
    assert_eq!(claims(&successor)["labels"], labels);
    let opaque = token(json!({"description": "c", "labels": labels, "labels-in-jwt": true}));
    let refused = scene.ada.client.post(&format!("{}s", scene.one()), &opaque).expect(422);
    assert_eq!(refused.blamed(), ["/data/attributes/labels-in-jwt"]);
    let change = token(json!({"labels-in-jwt": false}));
    scene.ada.client.patch(&at(&successor.id()), &change).expect(422);
}

#[test]
fn why_a_token_was_revoked_is_kept_and_shown() {
    let scene = Acme::new();
    let made = || {
        let made = scene.ada.described_token(&scene.team, json!({"description": "a"}));
        assert!(!made.secret().is_empty());
        made.id()
    };
    let id = made();
    let revoke = |reason: Value| {
        let body = token(json!({ "revocation-reason": reason }));
        scene.ada.client.post(&format!("{}/actions/revoke", at(&id)), &body)
    };
    revoke(json!("x".repeat(256))).expect(422);
    let ended = revoke(json!("left the company")).expect(200);
    assert_eq!(ended.attribute("revocation-reason"), "left the company");
    assert_eq!(revoke(json!("again")).expect(200).attribute("revocation-reason"), "left the company");
    let shown = scene.ada.client.get(&format!("{}?filter[trashed]=with", at(&id))).expect(200);
    assert_eq!(shown.attribute("revocation-reason"), "left the company");
    let told = format!(
        "audit_events WHERE resource_id = '{id}' AND action = 'destroy' AND meta @> '{}'",
        json!({"revocation-reason": "left the company"})
    );
    assert_eq!(scene.app.count(&told), 1);
    // A DELETE takes the same body.
    let deleted = made();
    let body = token(json!({"revocation-reason": "left the company"}));
    scene.ada.client.delete_with(&at(&deleted), &token(json!({"revocation-reason": 7}))).expect(422);
    scene.ada.client.delete_with(&at(&deleted), &token(json!({"reason": "left"}))).expect(422);
    scene.ada.client.delete_with(&at(&deleted), &body).expect(204);
    let shown = scene.ada.client.get(&format!("{}?filter[trashed]=with", at(&deleted))).expect(200);
    assert_eq!(shown.attribute("revocation-reason"), "left the company");
    let root = scene.app.site_admin("root");
    let reasoned = || scene.app.count("tokens WHERE revocation_reason = 'left the company'");
    assert_eq!(reasoned(), 2);
    root.client.delete_with(&format!("/api/v2/admin/authentication-tokens/{}", made()), &body).expect(204);
    assert!(!scene.ada.client.post_nothing(&scene.one()).expect(201).secret().is_empty());
    scene.ada.client.delete_with(&scene.one(), &body).expect(204);
    let own = "/api/v2/organizations/acme/authentication-token";
    for which in ["", "?token=audit-trails"] {
        assert!(!scene.ada.client.post_nothing(&format!("{own}{which}")).expect(201).secret().is_empty());
        scene.ada.client.delete_with(&format!("{own}{which}"), &body).expect(204);
    }
    let last = scene.token(json!({"description": "last"}));
    scene.app.with(&last.secret()).delete_with("/api/v2/authentication-tokens/current", &body).expect(204);
    assert_eq!(reasoned(), 7);
    let silent = made();
    let ended = scene.ada.client.post_nothing(&format!("{}/actions/revoke", at(&silent))).expect(200);
    assert_eq!(*ended.attribute("revocation-reason"), Value::Null);
}
