//! The list, as a table and as cards.

use askama::Template;

use super::shown::ShownToken;
use super::{Page, Scope};
use crate::access::{Action, Target};
use crate::console::answer::Answer;
use crate::console::listing::Listing;
use crate::console::page::Look;
use crate::console::shell::{Shell, Shown};
use crate::credential::Secret;
use crate::ids::{TokenId, WorkspaceId};
use crate::jsonapi::{Direction, Error, Result};
use crate::tokens::{self, NEWEST_FIRST, TokenList};
use crate::{organizations, workspaces};

pub(super) fn pages(list: &str) -> Vec<Page> {
    vec![Page::get(list).looks(show)]
}

/// The tokens of a workspace, by its id and by its name: that is where the API's `links.self-html` leads.
pub(super) fn of_workspaces() -> Vec<Page> {
    vec![
        Page::get("/workspace/{workspace}/access-tokens").looks(show_by_id),
        Page::get("/app/{organization}/workspaces/{name}").looks(show_by_name),
    ]
}

/// A column of the table: its name in the URL, its heading, and by what of the API it is sorted.
struct Column {
    name: &'static str,
    heading: &'static str,
    sort: &'static str,
}

const fn column(name: &'static str, heading: &'static str, sort: &'static str) -> Column {
    Column { name, heading, sort }
}

/// Those that can be left out. The label and the actions are always there.
const COLUMNS: [Column; 9] = [
    column("token", "Token", "token-prefix"),
    column("owner", "Owner", "owner-name"),
    column("role", "Role", "role"),
    column("abilities", "Abilities", ""),
    column("created", "Created", "created-at"),
    column("expires", "Expires", "expired-at"),
    column("used", "Last used", "last-used-at"),
    column("usage", "Usage", "usage-count"),
    column("status", "Status", "status"),
];

/// A heading of the table.
struct Heading {
    name: &'static str,
    text: &'static str,
    /// The same list by this column; none where it cannot be sorted by it.
    link: Option<String>,
    /// For `aria-sort`.
    sorted: &'static str,
    chosen: bool,
}

/// A choice among words, of a filter.
struct Choice {
    name: &'static str,
    label: &'static str,
    words: Vec<(&'static str, &'static str, bool)>,
}

#[derive(Template)]
#[template(path = "tokens.html")]
struct Tokens {
    shell: Shell,
    scope: Scope,
    /// What there is to say of whose tokens these are.
    about: Vec<(&'static str, String)>,
    listing: Listing,
    label: Heading,
    headings: Vec<Heading>,
    choices: Vec<Choice>,
    tokens: Vec<ShownToken>,
    cards: bool,
    may_revoke: bool,
}

impl Tokens {
    fn has(&self, name: &str) -> bool {
        self.headings.iter().any(|heading| heading.name == name && heading.chosen)
    }
}

fn show(look: Look<'_>) -> Result<Answer> {
    let scope = Scope::of(look.connection, look.caller, look.visit)?;
    let title = if scope.organization.is_some() { "Tokens" } else { "My tokens" };
    show_list(look, scope, title.to_owned(), vec![])
}

fn show_by_id(look: Look<'_>) -> Result<Answer> {
    let id = look.visit.path.get("workspace")?;
    show_workspace(look, id)
}

fn show_by_name(look: Look<'_>) -> Result<Answer> {
    let (organization, name) = (look.caller.organization()?, look.visit.path.text("name").to_lowercase());
    let visible = look.caller.visible_workspaces();
    let found = workspaces::named(look.connection, organization, visible, &[name])?.pop();
    let (id, _) = found.ok_or_else(Error::not_found)?;
    show_workspace(look, id)
}

fn show_workspace(look: Look<'_>, id: WorkspaceId) -> Result<Answer> {
    let workspace = workspaces::find(look.connection, id)?;
    if look.caller.organization_id != Some(workspace.organization_id) {
        return Err(Error::not_found());
    }
    let role = workspaces::rights(look.connection, look.caller, id)?.map(|rights| rights.role);
    look.caller.may(Action::SeeWorkspace, Target::Workspace(role))?;
    let organization = organizations::find(look.connection, workspace.organization_id)?.name;
    let tokens = format!("/app/{organization}/tokens");
    let makes = look.caller.can(Action::CreateWorkspaceToken, Target::Workspace(role));
    let scope = Scope {
        list: look.visit.here.split('?').next().unwrap_or_default().to_owned(),
        new: makes.then(|| format!("{tokens}/new?owner={id}")),
        tokens,
        organization: Some(organization),
        of: TokenList::Workspace(id),
    };
    let role = role.map(|role| role.to_string()).unwrap_or_default();
    let about = vec![("Id", id.to_string()), ("Your role", role)];
    show_list(look, scope, format!("Access tokens of {}", Shown(&workspace.name)), about)
}

/// The page of a list whose place the caller may see.
fn show_list(mut look: Look<'_>, scope: Scope, title: String, about: Vec<(&'static str, String)>) -> Result<Answer> {
    let mut listing = Listing::asked(look.visit, &NEWEST_FIRST)?;
    // Whoever has found a secret looks for it. It stays neither in the address bar nor in the browser's history.
    if let Some(secret) = Secret::find_all(listing.q(), 1).first() {
        return Ok(Answer::see_other(listing.with(&[("q", &secret.prefix())])));
    }
    let notice = notice(&mut look, &scope)?;
    let shell = Shell { organization: scope.organization.clone(), ..Shell::of(&look, title)?.notice(notice) };
    let found = tokens::list(look.connection, look.caller, scope.of, &listing.query)?;
    let rights = tokens::rights(look.connection, look.caller, &found.rows)?;
    listing.found(&found.info);
    let shown = found.rows.iter().zip(rights).map(|(token, rights)| ShownToken::of(token, rights, look.caller.now));
    let shown: Vec<ShownToken> = shown.collect();
    let chosen = look.visit.fields.all("columns");
    let heading = |column: &Column| Heading {
        chosen: chosen.is_empty() || chosen.contains(&column.name),
        ..heading(&listing, column)
    };
    Answer::page(&Tokens {
        shell,
        label: heading(&column("label", "Label", "description")),
        headings: COLUMNS.iter().map(heading).collect(),
        choices: choices(look.visit.fields.all_given().as_slice(), matches!(scope.of, TokenList::Organization(_))),
        about,
        may_revoke: shown.iter().any(|token| token.rights.revoke && !token.revoked),
        tokens: shown,
        cards: look.visit.fields.text("view") == "cards",
        scope,
        listing,
    })
}

fn heading(listing: &Listing, column: &Column) -> Heading {
    let (by, direction) = listing.order();
    let (sorted, next) = match direction {
        _ if by != column.sort || column.sort.is_empty() => ("none", column.sort.to_owned()),
        Direction::Ascending => ("ascending", format!("-{by}")),
        Direction::Descending => ("descending", by.to_owned()),
    };
    let link = (!column.sort.is_empty()).then(|| listing.with(&[("sort", &next)]));
    Heading { name: column.name, text: column.heading, link, sorted, chosen: true }
}

/// What has become of a token, by its id in the query: what it is now, so that no link makes this page say anything else.
fn notice(look: &mut Look<'_>, scope: &Scope) -> Result<Option<String>> {
    let Ok(id) = look.visit.fields.text("about").parse::<TokenId>() else { return Ok(None) };
    let about = tokens::find_all_including_revoked(look.connection, &[id])?.pop();
    let Some(token) = about.filter(|token| scope.check(token).is_ok()) else { return Ok(None) };
    if tokens::may(look.connection, look.caller, tokens::TokenOperation::Read, &token).is_err() {
        return Ok(None);
    }
    let label = token.description.as_deref().unwrap_or("The token without a description");
    Ok(Some(format!("{}: {}.", Shown(label), token.status)))
}

/// The filters that have a field of their own. Every other one of the API can be in the URL, too.
fn choices(given: &[(String, String)], organization: bool) -> Vec<Choice> {
    let choice = |name: &'static str, label: &'static str, words: &[(&'static str, &'static str)]| Choice {
        name,
        label,
        words: words
            .iter()
            .map(|(word, text)| (*word, *text, given.iter().any(|(known, value)| known == name && value == word)))
            .collect(),
    };
    let mut choices = vec![
        choice(
            "filter[status]",
            "Status",
            &[("active", "Active"), ("inactive", "Disabled"), ("expired", "Expired"), ("revoked", "Revoked")],
        ),
        choice(
            "filter[expiry_status]",
            "Expiry",
            &[
                ("expiring_in_7_days", "Within 7 days"),
                ("expiring_in_30_days", "Within 30 days"),
                ("expired", "Expired"),
                ("no_expiration", "Never"),
            ],
        ),
        choice(
            "filter[role]",
            "Role",
            &[
                ("viewer", "Viewer"),
                ("member", "Member"),
                ("manager", "Manager"),
                ("admin", "Admin"),
                ("owner", "Owner"),
            ],
        ),
    ];
    if organization {
        choices.push(choice(
            "filter[kind]",
            "Owner",
            &[
                ("team", "Teams"),
                ("workspace", "Workspaces"),
                ("user", "Service accounts"),
                ("organization", "The organization"),
                ("audit-trails", "The audit trail"),
            ],
        ));
    }
    choices
}
