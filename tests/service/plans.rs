//! `admin/feature-sets` and `admin/organizations/:name/subscription`: what an organization shows that it may use.

use serde_json::{Value, json};

use crate::support::app::Acme;
use crate::support::client::{Answer, Client};
use crate::support::process::{Folder, latchkey, run};

const SUBSCRIPTION: &str = "/api/v2/admin/organizations/acme/subscription";
const ENTITLEMENTS: &str = "/api/v2/organizations/acme/entitlement-set";

/// As shipped clients send it, with what they say of ceilings and dates.
fn subscription(plan: &str) -> Value {
    json!({"data": {
        "type": "subscription",
        "attributes": {"runs-ceiling": 10, "contract-user-limit": 1000, "end-at": "2031-01-01T00:00:00Z"},
        "relationships": {"feature-set": {"data": {"type": "feature-sets", "id": plan}}},
    }})
}

/// The entitlements that are true.
fn shown(client: &Client) -> Vec<String> {
    let entitlements = client.get(ENTITLEMENTS).expect(200).body["data"]["attributes"].clone();
    let all = entitlements.as_object().unwrap().iter();
    all.filter(|(_, value)| **value == true).map(|(name, _)| name.clone()).collect()
}

fn plan_named(root: &Client, name: &str) -> String {
    let found = root.get(&format!("/api/v2/admin/feature-sets?q={}", name.replace(' ', "%20"))).expect(200);
    found.ids().remove(0)
}

fn set(root: &Client, name: &str) -> Answer {
    root.post(SUBSCRIPTION, &subscription(&plan_named(root, name))).expect(200)
}

#[test]
fn a_site_admin_sets_what_an_organization_shows() {
    let acme = Acme::new();
    let root = acme.app.site_admin("root").client;
    let at_first = ["audit-logging", "teams", "usage-reporting"];
    assert_eq!(shown(&acme.ada.client), at_first);
    let set_now = set(&root, "Standard (entitlement)");
    assert_eq!(set_now.body["data"]["relationships"]["feature-set"]["data"]["id"], "standard");
    let standard = shown(&acme.ada.client);
    for name in [
        "agents",
        "audit-logging",
        "cost-estimation",
        "infragraph",
        "operations",
        "private-module-registry",
        "run-tasks",
        "sentinel",
        "sso",
        "state-storage",
        "teams",
        "vcs-integrations",
        "waypoint-templates-and-addons",
    ] {
        assert!(standard.iter().any(|shown| shown == name), "{name}: {standard:?}");
    }
    let organization = acme.ada.client.get("/api/v2/organizations/acme").expect(200);
    assert_eq!(*organization.attribute("plan-identifier"), "standard");
    assert_eq!(organization.attribute("permissions")["can-manage-run-tasks"], true);
    assert_eq!(organization.attribute("permissions")["can-deploy-no-code-modules"], false);
    set(&root, "Business");
    let organization = acme.ada.client.get("/api/v2/organizations/acme").expect(200);
    assert_eq!(organization.attribute("permissions")["can-deploy-no-code-modules"], true);
    set(&root, "Free");
    assert!(shown(&acme.ada.client).contains(&"run-tasks".to_owned()));
    assert!(!shown(&acme.ada.client).contains(&"sso".to_owned()));
    set(&root, "Enterprise");
    assert_eq!(shown(&acme.ada.client), at_first);
    let told = acme.app.count("audit_events WHERE resource_type = 'organization' AND meta ? 'plan'");
    assert_eq!(told, 4);
}

#[test]
fn nobody_else_sets_or_lists_plans() {
    let acme = Acme::new();
    let capped = {
        let root = acme.app.site_admin("root");
        let path = format!("/api/v2/users/{}/authentication-tokens", root.id);
        let viewer = crate::support::app::resource("authentication-tokens", json!({"role": "viewer"}));
        acme.app.with(&root.client.post(&path, &viewer).expect(201).secret())
    };
    for client in [&acme.ada.client, &acme.app.user("zoe").client, &capped] {
        client.post(SUBSCRIPTION, &subscription("business")).expect(404);
    }
    for client in [&acme.ada.client, &acme.app.user("yve").client] {
        client.get("/api/v2/admin/feature-sets").expect(404);
    }
    assert_eq!(acme.app.count("organizations WHERE plan = 'enterprise'"), 1);
}

#[test]
fn a_plan_that_there_is_not_is_refused() {
    let acme = Acme::new();
    let root = acme.app.site_admin("root").client;
    let pointer = ["/data/relationships/feature-set/data/id"];
    assert_eq!(root.post(SUBSCRIPTION, &subscription("gold")).expect(422).blamed(), pointer);
    let nothing = json!({"data": {"type": "subscription"}});
    assert_eq!(root.post(SUBSCRIPTION, &nothing).expect(422).blamed(), pointer);
    root.post("/api/v2/admin/organizations/nowhere/subscription", &subscription("free")).expect(404);
    assert!(root.get("/api/v2/admin/feature-sets?q=gold").expect(200).ids().is_empty());
    let second = root.get("/api/v2/admin/feature-sets?page[size]=2&page[number]=2").expect(200);
    assert_eq!(second.ids(), ["standard", "premium"]);
}

#[test]
fn the_command_line_sets_it_too() {
    let acme = Acme::new();
    let data = Folder::new();
    let plan = |name: &str, plan: &str| {
        let mut command = latchkey();
        command.args(["organization", "plan", name, plan]).arg("--data-dir").arg(&*data);
        run(command.args(["--database-url", &acme.app.database_url]))
    };
    let done = plan("Acme", "premium");
    assert_eq!(String::from_utf8_lossy(&done.stdout), "The plan of acme is premium now.\n");
    assert!(shown(&acme.ada.client).contains(&"sso".to_owned()));
    for (name, word, status) in [("nowhere", "premium", 1), ("acme", "gold", 2)] {
        let refused = plan(name, word);
        assert_eq!(refused.status.code(), Some(status));
        assert_eq!(String::from_utf8_lossy(&refused.stderr).trim().lines().count(), 1);
    }
}
