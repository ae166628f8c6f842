//! The world of the walk: every principal and every thing that the table names.
//!
//! The members are ben (in `ci` and `locked`), mia (in `managers`, which has manage-teams), max
//! (in `hosts`, which has manage-membership) and cleo (in `closed`); ian is invited into `ci`.
//! The service account bot is in no team. `open` is visible to the organization; all others but `owners` are secret.
//! `locked` has no member token management.
//! The workspaces are `prod`, which `ci` reads, `lab`, which `ci` administers, and `held`, which `ci` writes to and ada has
//! locked; all in the default project. `prod` and `lab` have the tag `app`. For each level that `ci` can have in a project
//! there is one, and a workspace in it.

use serde_json::json;

use super::bodies::invitation_into;
use crate::support::App;
use crate::support::app::resource;
use crate::support::client::Client;
use crate::support::cluster::Database;

/// Keeps a copy of every row that requests change, and makes the function that puts them back. Tables are made in an order in
/// which none refers to one after it. What the trail tells may stay, and so may keys.
const KEEP: [&str; 3] = [
    "CREATE SCHEMA kept",
    "DO $$
     DECLARE each name;
     BEGIN
         FOR each IN
             SELECT relname FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                 AND relname !~ '^(__diesel|audit_|kept_answers|signing_keys)'
         LOOP
             EXECUTE format('CREATE TABLE kept.%I AS TABLE public.%I', each, each);
         END LOOP;
     END
     $$",
    "CREATE FUNCTION kept.put_back() RETURNS void LANGUAGE plpgsql AS $$
     DECLARE
         each name;
         made name[] := (
             SELECT array_agg(relname ORDER BY oid) FROM pg_class AS made
             WHERE relnamespace = 'public'::regnamespace
                 AND EXISTS (SELECT FROM pg_class WHERE relnamespace = 'kept'::regnamespace AND relname = made.relname)
         );
     BEGIN
         -- What works in the background begins with these.
         LOCK TABLE deletions, end_rewrites;
         FOR nth IN REVERSE cardinality(made)..1 LOOP
             EXECUTE format('DELETE FROM %I', made[nth]);
         END LOOP;
         FOREACH each IN ARRAY made LOOP
             EXECUTE format('INSERT INTO %I SELECT * FROM kept.%I', each, each);
         END LOOP;
     END
     $$",
];

/// A database in which every principal and every thing of the table exists, and their names.
pub struct World {
    database: Database,
    secrets: Vec<(&'static str, Option<String>)>,
    ids: Vec<(&'static str, String)>,
}

impl World {
    /// Builds it.
    pub fn build() -> Self {
        let app = App::start();
        let (ada, ben, cleo) = (app.user("ada"), app.user("ben"), app.user("cleo"));
        let (mia, zoe, root) = (app.user("mia"), app.user("zoe"), app.site_admin("root"));
        // One who is suspended, and another site admin.
        let (sam, rob) = (app.user("sam"), app.site_admin("rob"));
        app.sql("UPDATE users SET suspended_at = now() WHERE username = 'sam'");
        ada.organization("acme");
        zoe.organization("elsewhere");
        let ci = ada.team("acme", "ci");
        let locked = ada.team_with("acme", json!({"name": "locked", "allow-member-token-management": false}));
        let closed = ada.team("acme", "closed");
        let open = ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
        let managing = json!({"name": "managers", "organization-access": {"manage-teams": true}});
        let managers = ada.team_with("acme", managing);
        let owners = ada.owners_team("acme");
        ada.add_to_team(&ci, &ben);
        ada.add_to_team(&locked, &ben);
        ada.add_to_team(&closed, &cleo);
        ada.add_to_team(&managers, &mia);

        let (max, ian) = (app.user("max"), app.user("ian"));
        app.give_passwords();
        let hosting = json!({"name": "hosts", "organization-access": {"manage-membership": true}});
        ada.add_to_team(&ada.team_with("acme", hosting), &max);
        let memberships = "/api/v2/organizations/acme/organization-memberships";
        let mut invitation = invitation_into(&ci);
        invitation["data"]["attributes"]["email"] = "ian@example.com".into();
        let ian_membership = ada.client.post(memberships, &invitation).expect(201).id();
        let membership =
            |email: &str| ada.client.get(&format!("{memberships}?filter[email]={email}")).expect(200).ids().remove(0);
        let (ada_membership, cleo_membership) = (membership("ada@example.com"), membership("cleo@example.com"));
        let own = "/api/v2/organizations/acme/authentication-token";
        let organization_token = ada.client.post_nothing(own).expect(201);
        let audit_token = ada.client.post_nothing(&format!("{own}?token=audit-trails")).expect(201);

        let (prod, lab) = (ada.workspace("acme", "prod"), ada.workspace("acme", "lab"));
        let (prod_access, lab_access) = (ada.give_access(&ci, &prod, "read"), ada.give_access(&ci, &lab, "admin"));

        let held = ada.workspace("acme", "held");
        ada.give_access(&ci, &held, "write");
        ada.client.post_nothing(&format!("/api/v2/workspaces/{held}/actions/lock")).expect(200);
        let one = json!({"data": [{"type": "tags", "attributes": {"name": "app"}}]});
        for workspace in [&prod, &lab] {
            ada.client.post(&format!("/api/v2/workspaces/{workspace}/relationships/tags"), &one).expect(204);
        }
        let tag = ada.client.get("/api/v2/organizations/acme/tags").expect(200).ids().remove(0);
        let projects = ["read", "write", "maintain", "admin", "custom", "empty"].map(|level| {
            let project = ada.project("acme", &format!("p-{level}"));
            let attributes = match level {
                "custom" => json!({
                    "access": "custom",
                    "project-access": {"settings": "update"},
                    "workspace-access": {"runs": "plan", "create": true, "delete": true},
                }),
                "empty" => json!({"access": "admin"}),
                level => json!({ "access": level }),
            };
            let access = ada.give_project_access(&ci, &project, attributes);
            let inside = (level != "empty").then(|| ada.workspace_in(&project, "acme", &format!("w-{level}")));
            (project, access, inside)
        });
        let default = ada.client.get("/api/v2/organizations/acme").expect(200);
        let default =
            default.body["data"]["relationships"]["default-project"]["data"]["id"].as_str().unwrap().to_owned();
        let reserved = ada.client.post(
            "/api/v2/organizations/acme/reserved-tag-keys",
            &resource("reserved-tag-keys", json!({"key": "env"})),
        );
        let reserved = reserved.expect(201).id();

        let ci_token = ada.team_token(&ci);
        let ci_described = ada.described_token(&ci, json!({"description": "nightly"}));
        let locked_token = ada.team_token(&locked);
        let owners_token = ada.team_token(&owners);
        // Owners' secrets, so that nothing but their state stands against them.
        let [expired, revoked, disabled] = ["expired", "revoked", "disabled"].map(|state| {
            let token = ada.described_token(&owners, json!({"description": state}));
            (token.id(), token.secret())
        });
        for (token, ending) in [(&expired, "expired_at"), (&revoked, "revoked_at"), (&disabled, "disabled_at")] {
            let prefix = &token.1[..10];
            app.sql(&format!("UPDATE tokens SET {ending} = now() WHERE token_prefix = '{prefix}'"));
        }
        let mut mistyped = owners_token.secret();
        let last = if mistyped.pop() == Some('0') { '1' } else { '0' };
        mistyped.push(last);
        let unknown = latchkey::credential::Secret::generate(latchkey::credential::Kind::User).unwrap();

        let bot = ada.service_account("acme", "bot");
        let (bot_token, bot_membership) = (bot.token_id(&app), bot.memberships().remove(0));
        let ben_token = ben.token_id(&app);
        let tokens_of = |workspace: &str| {
            let path = format!("/api/v2/workspaces/{workspace}/authentication-tokens");
            ada.client.post(&path, &resource("authentication-tokens", json!({"role": "owner"}))).expect(201)
        };
        let (workspace_token, prod_token, lab_token) = (tokens_of(&prod), tokens_of(&prod), tokens_of(&lab));
        let secrets = vec![
            ("stranger", Some(zoe.client.secret().to_owned())),
            ("member", Some(ben.client.secret().to_owned())),
            ("team token", Some(ci_token.secret())),
            ("manager", Some(mia.client.secret().to_owned())),
            ("owner", Some(ada.client.secret().to_owned())),
            ("owners' token", Some(owners_token.secret())),
            ("site admin", Some(root.client.secret().to_owned())),
            ("invited", Some(ian.client.secret().to_owned())),
            ("membership manager", Some(max.client.secret().to_owned())),
            ("organization token", Some(organization_token.secret())),
            ("audit-trails token", Some(audit_token.secret())),
            ("workspace token", Some(workspace_token.secret())),
            ("service account", Some(bot.client.secret().to_owned())),
            ("anonymous", None),
            ("expired", Some(expired.1)),
            ("revoked", Some(revoked.1)),
            ("disabled", Some(disabled.1)),
            ("mistyped", Some(mistyped)),
            ("unknown", Some(unknown.reveal().to_owned())),
        ];
        let [p_read, p_write, p_maintain, p_admin, p_custom, p_empty] = projects;
        let inside = |project: &(String, String, Option<String>)| project.2.clone().unwrap();
        let ids = vec![
            ("default", default),
            ("reserved", reserved),
            ("w-read", inside(&p_read)),
            ("w-write", inside(&p_write)),
            ("w-maintain", inside(&p_maintain)),
            ("w-admin", inside(&p_admin)),
            ("w-custom", inside(&p_custom)),
            ("read-access", p_read.1),
            ("maintain-access", p_maintain.1),
            ("admin-access", p_admin.1),
            ("p-read", p_read.0),
            ("p-write", p_write.0),
            ("p-maintain", p_maintain.0),
            ("p-admin", p_admin.0),
            ("p-custom", p_custom.0),
            ("p-empty", p_empty.0),
            ("ada", ada.id.clone()),
            ("zoe", zoe.id.clone()),
            ("ian", ian.id.clone()),
            ("ben", ben.id.clone()),
            ("sam", sam.id.clone()),
            ("rob", rob.id.clone()),
            ("ada-membership", ada_membership),
            ("cleo-membership", cleo_membership),
            ("ian-membership", ian_membership),
            ("organization-token", organization_token.id()),
            ("audit-token", audit_token.id()),
            ("ci", ci),
            ("locked", locked),
            ("closed", closed),
            ("open", open),
            ("owners", owners),
            ("ci-token", ci_token.id()),
            ("ci-described", ci_described.id()),
            ("locked-token", locked_token.id()),
            ("owners-token", owners_token.id()),
            ("ben-token", ben_token),
            ("bot", bot.id.clone()),
            ("bot-token", bot_token),
            ("bot-membership", bot_membership),
            ("workspace-token", workspace_token.id()),
            ("prod-token", prod_token.id()),
            ("lab-token", lab_token.id()),
            ("prod", prod),
            ("lab", lab),
            ("held", held),
            ("tag", tag),
            ("prod-access", prod_access),
            ("lab-access", lab_access),
        ];
        app.in_one_transaction(&KEEP);
        let database = app.database_url.clone();
        app.stop();
        Self { database, secrets, ids }
    }

    /// A service on a copy of it, in which every token is of this role if one is said.
    pub fn copy(&self, role: Option<&str>) -> App {
        let app = App::on(self.database.copy());
        if let Some(role) = role {
            app.sql(&format!("UPDATE kept.tokens SET role = '{role}'"));
            self.put_back(&app);
        }
        app
    }

    /// Undoes what requests to a copy have changed.
    pub fn put_back(&self, app: &App) {
        app.in_one_transaction(&["SELECT kept.put_back()"]);
    }

    /// Calls as one of those whose secrets it knows.
    pub fn client(&self, app: &App, caller: &str) -> Client {
        let secret = &self.secrets.iter().find(|(known, _)| *known == caller).unwrap().1;
        secret.as_ref().map_or_else(|| app.anonymous(), |secret| app.with(secret))
    }

    /// The id of a thing.
    pub fn named(&self, name: &str) -> String {
        self.ids.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name}")).1.clone()
    }

    /// A path with the ids in place of the names in braces.
    pub fn path(&self, template: &str) -> String {
        let mut path = format!("/api/v2{template}");
        for (name, id) in &self.ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        assert!(!path.contains('{'), "{path}");
        path
    }
}
