//! A service with one of everything, so that every route leads somewhere.

use std::collections::BTreeMap;

use serde_json::json;

use super::App;
use super::app::{User, resource};
use super::client::Client;
use super::routes::Route;

/// One of everything, in the organization `acme` that ada owns.
pub struct Everything {
    pub app: App,
    pub ada: User,
    organization: Client,
    root: User,
    ids: BTreeMap<&'static str, String>,
}

impl Everything {
    /// Makes it.
    pub fn new() -> Self {
        let (app, ada) = App::with_acme();
        let team = ada.team("acme", "ci");
        ada.add_to_team(&team, &ada);
        let token = ada.team_token(&team).id();
        let path = "/api/v2/organizations/acme/authentication-token";
        let organization = app.with(&ada.client.post_nothing(path).expect(201).secret());
        ada.client.post_nothing(&format!("{path}?token=audit-trails")).expect(201);
        let membership = ada.memberships().remove(0);
        let workspace = ada.workspace("acme", "prod");
        let access = ada.give_access(&team, &workspace, "read");
        let tags = format!("/api/v2/workspaces/{workspace}/relationships/tags");
        let one = json!({"data": [{"type": "tags", "attributes": {"name": "app"}}]});
        ada.client.post(&tags, &one).expect(204);
        let tag = ada.client.get(&tags).expect(200).ids().remove(0);
        let project = ada.project("acme", "core");
        let project_access = ada.give_project_access(&team, &project, json!({"access": "read"}));
        let reserved = resource("reserved-tag-keys", json!({"key": "env"}));
        let reserved = ada.client.post("/api/v2/organizations/acme/reserved-tag-keys", &reserved).expect(201).id();
        let ids = [
            ("organization", "acme".to_owned()),
            ("team", team),
            ("token", token),
            ("user", ada.id.clone()),
            ("membership", membership),
            ("workspace", workspace),
            ("access", access),
            ("tag", tag),
            ("project", project),
            ("project_access", project_access),
            ("reserved_key", reserved),
        ];
        let root = app.site_admin("root");
        app.give_passwords();
        Self { app, ada, organization, root, ids: ids.into() }
    }

    /// What fills a parameter in a path.
    #[track_caller]
    pub fn id(&self, parameter: &str) -> &str {
        self.ids.get(parameter).unwrap_or_else(|| panic!("there is no {parameter}"))
    }

    /// The ids that fill parameters, by the parameters' names.
    pub fn ids(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ids.iter().map(|(name, id)| (*name, id.as_str()))
    }

    /// A path with every parameter filled.
    #[track_caller]
    pub fn path(&self, template: &str) -> String {
        // Below an organization a workspace has its name.
        let path = template.replace("{organization}/workspaces/{workspace}", "{organization}/workspaces/prod");
        let path = self.ids().fold(path, |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
        assert!(!path.contains('{'), "{template} has a parameter that nothing fills");
        path
    }

    /// The path of a route, with the query without which it does nothing.
    #[track_caller]
    pub fn target(&self, route: &Route) -> String {
        let path = self.path(&route.path);
        match route.name().as_str() {
            "GET /api/v2/team-workspaces" => format!("{path}?filter[workspace][id]={}", self.id("workspace")),
            "GET /api/v2/team-projects" => format!("{path}?filter[project][id]={}", self.id("project")),
            _ => path,
        }
    }

    /// Whom the route lets in: an owner, to the audit trail nobody but the organization's own token, and site admins to
    /// administration.
    pub fn client(&self, route: &Route) -> &Client {
        if route.path.starts_with("/api/v2/admin/") {
            return &self.root.client;
        }
        if route.path == "/api/v2/organization/audit-trail" { &self.organization } else { &self.ada.client }
    }
}
