//! Making a token. Its secret is in the answer to the form, and nowhere else.

use askama::Template;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Page, Scope};
use crate::access::{Action, Target};
use crate::console::answer::Answer;
use crate::console::form::{NUMBER, Preset, abilities_of, checked, end_of, number, number_of, presets};
use crate::console::page::{Act, Acting, Look};
use crate::console::shell::{Moment, Shell, Shown};
use crate::credential::{Kind, Secret};
use crate::ids::SessionId;
use crate::jsonapi::{Error, Result};
use crate::sessions::{self, Spent};
use crate::tokens::{self, NewOwner, Token, TokenAttributes, TokenList};
use crate::ttl_policies::{self, Governed};
use crate::{teams, workspaces};

pub(super) fn pages(list: &str) -> Vec<Page> {
    let path = format!("{list}/new");
    vec![Page::get(path.clone()).dangerous().looks(ask), Page::post(path).dangerous().acts(make, ask)]
}

/// The most teams among which an owner is chosen. Others are found by `?owner=team-…`.
const TEAMS: i64 = 500;

/// An owner that can be chosen.
struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

/// How long an organization lets tokens of a kind live.
struct Limit {
    kind: &'static str,
    until: Moment,
}

#[derive(Template)]
#[template(path = "new_token.html")]
struct Ask {
    shell: Shell,
    scope: Scope,
    number: String,
    owners: Vec<Choice>,
    limits: Vec<Limit>,
    presets: Vec<Preset>,
    may_never_end: bool,
    owner_fault: Option<String>,
    description: String,
    description_fault: Option<String>,
    expiry: String,
    expired_at: String,
    expiry_fault: Option<String>,
    role: String,
    roles: [&'static str; 5],
    role_fault: Option<String>,
    which_abilities: String,
    abilities: String,
    abilities_fault: Option<String>,
    format: String,
    format_fault: Option<String>,
}

/// The fields of the form, by the attributes of the API.
const FIELDS: [&str; 8] =
    ["owner", "description", "expired-at", "expires-in-seconds", "role", "abilities", "format", "rotates-until"];

fn ask(look: Look<'_>) -> Result<Answer> {
    let scope = Scope::of(look.connection, look.caller, look.visit)?;
    let (visit, now) = (look.visit, look.caller.now);
    let shell = Shell::of(&look, "New token")?.faults_beside(visit, &FIELDS);
    let mut owners = vec![];
    let mut limits = vec![];
    let mut latest = None;
    match scope.of {
        TokenList::Organization(organization) => {
            let asked = visit.fields.text("owner");
            owners = owners_in(look.connection, look.caller, organization, &asked)?;
            for (kind, text) in
                [(Kind::Team, "a team"), (Kind::Workspace, "a workspace"), (Kind::Organization, "the organization")]
            {
                let until = ttl_policies::latest_expiry(look.connection, Governed::By(organization, kind), now)?;
                limits.extend(until.map(|until| Limit { kind: text, until: Moment(until) }));
            }
            if owners.is_empty() {
                return Err(Error::forbidden("There is no owner here for whom you may make a token"));
            }
        }
        TokenList::User(user) => {
            latest = ttl_policies::latest_expiry(look.connection, Governed::ByOrganizationsOf(user), now)?;
            limits.extend(latest.map(|until| Limit { kind: "a user in your organizations", until: Moment(until) }));
        }
        _ => {}
    }
    let text = |name: &str, usual: &str| {
        if visit.fields.has(name) { visit.fields.text(name) } else { usual.to_owned() }
    };
    let expiry = text("expiry", if within(now, latest) { "90" } else { "usual" });
    let end_fault = || visit.fault_of("expired-at").or_else(|| visit.fault_of("expires-in-seconds"));
    Answer::page(&Ask {
        shell: Shell { organization: scope.organization.clone(), ..shell },
        number: number()?,
        owners,
        limits,
        presets: presets(now, latest, &expiry),
        may_never_end: latest.is_none(),
        owner_fault: visit.fault_of("owner"),
        description: text("description", ""),
        description_fault: visit.fault_of("description"),
        expiry,
        expired_at: text("expired-at", ""),
        expiry_fault: end_fault(),
        role: text("role", ""),
        roles: ["viewer", "member", "manager", "admin", "owner"],
        role_fault: visit.fault_of("role"),
        which_abilities: text("which-abilities", "usual"),
        abilities: text("abilities", ""),
        abilities_fault: visit.fault_of("abilities"),
        format: text("format", ""),
        format_fault: visit.fault_of("format"),
        scope,
    })
}

/// Whether 90 days, which is chosen at first, are allowed.
fn within(now: DateTime<Utc>, latest: Option<DateTime<Utc>>) -> bool {
    latest.is_none_or(|latest| now + chrono::TimeDelta::days(90) <= latest)
}

/// Those for whom the caller may make a token: teams, the organization, and the workspace that is asked for.
fn owners_in(
    connection: &mut diesel::PgConnection,
    caller: &crate::access::Caller,
    organization: crate::ids::OrganizationId,
    asked: &str,
) -> Result<Vec<Choice>> {
    let choice = |value: String, text: String| Choice { chosen: value == asked, value, text };
    let mut owners = vec![];
    if let Ok(id) = asked.parse() {
        let workspace = workspaces::find(connection, id)?;
        if workspace.organization_id != organization {
            return Err(Error::not_found());
        }
        let role = workspaces::rights(connection, caller, id)?.map(|rights| rights.role);
        if caller.can(Action::CreateWorkspaceToken, Target::Workspace(role)) {
            owners.push(choice(asked.to_owned(), format!("workspace {}", Shown(&workspace.name))));
        }
    }
    let teams = teams::first_of(connection, organization, TEAMS)?;
    let mine = teams.iter().filter(|team| caller.can(Action::CreateTeamToken, Target::TeamToken(team.facts(), None)));
    owners.extend(mine.map(|team| choice(team.id.to_string(), format!("team {}", Shown(&team.name)))));
    if caller.can(Action::CreateOrganizationToken, Target::Organization) {
        let texts = [
            (Kind::Organization, "the organization (in the place of its token, if it has one)"),
            (Kind::AuditTrails, "the audit trail (in the place of its token, if it has one)"),
        ];
        owners.extend(texts.map(|(kind, text)| choice(kind.as_str().to_owned(), text.to_owned())));
    }
    Ok(owners)
}

/// Whose token a form asks for.
fn owner_of(scope: &Scope, asked: &str) -> Result<NewOwner> {
    let owner = match scope.of {
        TokenList::User(user) => Some(NewOwner::User(user)),
        _ if asked == Kind::Organization.as_str() => Some(NewOwner::Organization(Kind::Organization)),
        _ if asked == Kind::AuditTrails.as_str() => Some(NewOwner::Organization(Kind::AuditTrails)),
        _ => {
            let team = asked.parse().ok().map(NewOwner::Team);
            team.or_else(|| asked.parse().ok().map(NewOwner::Workspace))
        }
    };
    owner.ok_or_else(|| Error::attribute("/data/attributes/owner", "Choose whose token it is to be"))
}

fn make(act: Act<'_>) -> Result<Answer> {
    let (act, (scope, owner, spent)) = act.lock(|connection, caller, visit| {
        let scope = Scope::of(connection, caller, visit)?;
        let owner = owner_of(&scope, &visit.fields.text("owner"))?;
        // A form can name what is in another organization: that is neither seen nor locked.
        owner.check_within(connection, caller.organization_id)?;
        let owner = owner.lock(connection, caller)?;
        let session = caller.session().ok_or_else(Error::unauthorized)?;
        let spent = sessions::spend_form(connection, session, &number_of(&visit.fields)?)?;
        Ok((scope, owner, spent))
    })?;
    owner.may(act.connection, &act.caller)?;
    if let Spent::Before { token, at } = spent {
        return already_made(act, scope, token, at);
    }
    let attributes = asked(&act)?;
    let mint = tokens::mint(act.services);
    let (token, secret) = owner.issue(act.connection, &act.caller, mint, &attributes)?;
    made(act, scope, &token, &secret, None)
}

/// What the form asks for. All that the console adds is that a token has a name by which it is told from others.
fn asked(act: &Acting<'_>) -> Result<TokenAttributes> {
    let fields = &act.visit.fields;
    let mut attributes = json!({});
    let description = fields.trimmed("description");
    let kind = fields.text("owner");
    let one_of_kind = [Kind::Organization, Kind::AuditTrails].iter().any(|one| one.as_str() == kind);
    let unnamed = (description.is_empty() && !one_of_kind).then(|| {
        Error::attribute(
            "/data/attributes/description",
            "Say what the token is for, so that it can be told from others",
        )
    });
    if !description.is_empty() {
        attributes["description"] = description.into();
    }
    for name in ["role", "format"] {
        let word = fields.text(name);
        if !word.is_empty() {
            attributes[name] = Value::from(word);
        }
    }
    abilities_of(fields, &mut attributes);
    let end = end_of(fields, &mut attributes).err();
    let checked = checked(attributes);
    let faults = unnamed.into_iter().chain(end).chain(checked.as_ref().err().cloned());
    Error::check(faults)?;
    checked
}

#[derive(Template)]
#[template(path = "made.html")]
struct Made {
    shell: Shell,
    scope: Scope,
    label: String,
    secret: String,
    link: String,
    ends: Option<Moment>,
    role: &'static str,
    abilities: String,
    host: String,
    origin: String,
    /// What becomes of the token that this one replaces.
    before: Option<String>,
}

/// The page with the secret: the only one that ever shows it.
pub(super) fn made(
    act: Acting<'_>,
    scope: Scope,
    token: &Token,
    secret: &Secret,
    before: Option<String>,
) -> Result<Answer> {
    let session = act.caller.session().ok_or_else(Error::unauthorized)?;
    sessions::form_has_made(act.connection, session, &act.visit.fields.text(NUMBER), token.id)?;
    let base = act.visit.site.base();
    let look = Look { connection: act.connection, caller: &act.caller, visit: act.visit };
    let label = token.description.as_deref().map_or_else(|| "Token".to_owned(), |text| Shown(text).to_string());
    let shell = Shell::of(&look, format!("{label}: made"))?;
    Answer::page(&Made {
        shell: Shell { organization: scope.organization.clone(), ..shell },
        label,
        secret: secret.reveal().to_owned(),
        link: scope.token(token.id),
        ends: token.ends_at.map(Moment),
        role: token.role.as_str(),
        abilities: super::shown::abilities(token.abilities.as_deref()),
        host: base[url::Position::BeforeHost..url::Position::AfterPort].to_owned(),
        origin: base.origin().ascii_serialization(),
        before,
        scope,
    })
}

#[derive(Template)]
#[template(path = "already_made.html")]
struct AlreadyMade {
    shell: Shell,
    scope: Scope,
    link: Option<String>,
    at: Moment,
}

/// The form was sent before: nothing is made, and no secret is shown.
pub(super) fn already_made(
    act: Acting<'_>,
    scope: Scope,
    token: Option<crate::ids::TokenId>,
    at: DateTime<Utc>,
) -> Result<Answer> {
    let look = Look { connection: act.connection, caller: &act.caller, visit: act.visit };
    let shell = Shell::of(&look, "The token is made already")?;
    let link = token.map(|id| scope.token(id));
    let page =
        AlreadyMade { shell: Shell { organization: scope.organization.clone(), ..shell }, link, at: Moment(at), scope };
    Ok(Answer::page(&page)?.with_status(actix_web::http::StatusCode::CONFLICT))
}

/// Spends the form that was sent.
pub(super) fn spend(
    connection: &mut diesel::PgConnection,
    session: Option<SessionId>,
    fields: &crate::console::fields::Fields,
) -> Result<Spent> {
    let session = session.ok_or_else(Error::unauthorized)?;
    Ok(sessions::spend_form(connection, session, &number_of(fields)?)?)
}
