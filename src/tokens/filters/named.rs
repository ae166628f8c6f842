//! Filters by what has a name: it can be told by its id, or by its name where the caller sees it.

use std::str::FromStr;

use diesel::prelude::*;

use super::conditions::{Holds, boxed, holds};
use super::values::items;
use crate::access::{Action, Caller, Principal, Target, VisibleWorkspaces};
use crate::database::schema::listed_tokens as t;
use crate::ids::{OrganizationId, TeamId, UserId, WorkspaceId};
use crate::jsonapi::{Error, Given, Result};
use crate::tokens::store::{self, Makers};
use crate::{organizations, workspaces};

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Team,
    Workspace,
    Maker,
    Organization,
    User,
}

/// The values of a filter by something that has a name.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) what: What,
    pub(super) given: Vec<Given>,
}

impl Named {
    /// The condition, with ids in the place of names, by which an index serves. If all are ids, nothing is looked up.
    ///
    /// # Errors
    /// 400 for what is neither an id nor the name of something that the caller sees.
    pub(super) fn condition(&self, connection: &mut PgConnection, caller: &Caller) -> Result<Holds> {
        let asked: Vec<(&str, &str)> = self.given.iter().flat_map(items).collect();
        if let (Some(given), []) = (self.given.first(), asked.as_slice()) {
            let detail = format!("Must name at least one, by the id or the name of {}", self.what.word());
            return Err(Error::parameter(&given.name, detail));
        }
        let names = asked.iter().filter(|(_, text)| !self.what.is_id(text));
        let names: Vec<String> = names.map(|(_, text)| text.to_lowercase()).collect();
        let asked = Asked { values: &asked, names: &names };
        let (condition, found) = match self.what {
            What::Team => {
                let (ids, found) = asked.with(teams_named(connection, caller, &names)?);
                (holds(move || boxed(t::team_id.eq_any(ids.clone()))), found)
            }
            What::Workspace => {
                let (ids, found) = asked.with(workspaces_named(connection, caller, &names)?);
                (holds(move || boxed(t::workspace_id.eq_any(ids.clone()))), found)
            }
            What::Organization => {
                let (ids, found) = asked.with(organizations::named(connection, None, &names)?);
                (holds(move || boxed(t::organization_id.eq_any(ids.clone()))), found)
            }
            What::User => {
                let (ids, found) = asked.with(store::makers_named(connection, Makers::OfAll, &names)?);
                (holds(move || boxed(t::user_id.eq_any(ids.clone()))), found)
            }
            What::Maker => made_by(connection, caller, &asked)?,
        };
        match asked.values.iter().find(|(_, text)| !self.what.is_id(text) && !found.contains(&text.to_lowercase())) {
            None => Ok(condition),
            Some((parameter, text)) => {
                let detail = format!("{text:?} is neither the id nor the name of {} that you see", self.what.word());
                Err(Error::parameter(*parameter, detail))
            }
        }
    }
}

/// What any of several sorts of makers has made, and the names of those that were found.
fn made_by(connection: &mut PgConnection, caller: &Caller, asked: &Asked<'_>) -> Result<(Holds, Vec<String>)> {
    let (by_user, users) = asked.with(users_named(connection, caller, asked.names)?);
    let (by_team, teams) = asked.with(teams_named(connection, caller, asked.names)?);
    let (by_workspace, workspaces) = asked.with(workspaces_named(connection, caller, asked.names)?);
    let (by_organization, organizations) = asked.with(organizations_named(connection, caller, asked.names)?);
    let condition = holds(move || {
        let by_user = t::created_by_user_id.eq_any(by_user.clone());
        let by_team = t::created_by_team_id.eq_any(by_team.clone());
        let by_workspace = t::created_by_workspace_id.eq_any(by_workspace.clone());
        let by_organization = t::created_by_organization_id.eq_any(by_organization.clone());
        boxed(by_user.or(by_team).or(by_workspace).or(by_organization))
    });
    Ok((condition, [users, teams, workspaces, organizations].concat()))
}

/// What a filter was given.
struct Asked<'a> {
    /// Each value beside its parameter.
    values: &'a [(&'a str, &'a str)],
    /// Those that are no ids, in lower case.
    names: &'a [String],
}

impl Asked<'_> {
    /// What is asked for by its id or was found by its name, and the names that were found, in lower case.
    fn with<T: FromStr>(&self, found: Vec<(T, String)>) -> (Vec<T>, Vec<String>) {
        let (found, names): (Vec<T>, Vec<String>) =
            found.into_iter().map(|(id, name)| (id, name.to_lowercase())).unzip();
        let ids = self.values.iter().filter_map(|(_, text)| text.parse().ok()).chain(found);
        (ids.collect(), names)
    }
}

impl What {
    fn is_id(self, text: &str) -> bool {
        match self {
            Self::Team => text.parse::<TeamId>().is_ok(),
            Self::Workspace => text.parse::<WorkspaceId>().is_ok(),
            Self::Organization => text.parse::<OrganizationId>().is_ok(),
            Self::User => text.parse::<UserId>().is_ok(),
            Self::Maker => {
                [Self::User, Self::Team, Self::Workspace, Self::Organization].iter().any(|one| one.is_id(text))
            }
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Team => "a team",
            Self::Workspace => "a workspace",
            Self::Organization => "an organization",
            Self::User => "a user",
            Self::Maker => "a maker of tokens",
        }
    }
}

/// Where names count.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In the organization that the request is about.
    Organization(OrganizationId),
    /// In every organization: for site admins alone.
    Everywhere,
    /// A user's own tokens are no organization's.
    Nowhere,
}

impl Place {
    fn of(caller: &Caller) -> Self {
        match caller.organization_id {
            Some(id) => Self::Organization(id),
            None if caller.is_site_admin() => Self::Everywhere,
            None => Self::Nowhere,
        }
    }
}

/// Those users of these names who count as makers.
fn users_named(connection: &mut PgConnection, caller: &Caller, names: &[String]) -> Result<Vec<(UserId, String)>> {
    let makers = match (Place::of(caller), &caller.principal) {
        // It learns nothing of who else is in the organization.
        (Place::Organization(_), Principal::Workspace { id, .. }) => Makers::OfWorkspace(*id),
        (Place::Organization(id), _) => Makers::Of(id),
        (Place::Everywhere, _) => Makers::OfAll,
        (Place::Nowhere, Principal::User { id, username, .. }) if names.contains(&username.to_lowercase()) => {
            return Ok(vec![(*id, username.clone())]);
        }
        (Place::Nowhere, _) => return Ok(vec![]),
    };
    Ok(store::makers_named(connection, makers, names)?)
}

/// Those teams of these names that the caller sees, or would see if they were not deleted.
fn teams_named(connection: &mut PgConnection, caller: &Caller, names: &[String]) -> Result<Vec<(TeamId, String)>> {
    let found = match Place::of(caller) {
        Place::Nowhere => vec![],
        Place::Everywhere => store::teams_named(connection, None, names)?,
        Place::Organization(id) => {
            let mut found = store::teams_named(connection, Some(id), names)?;
            found.retain(|(team, _)| caller.can(Action::SeeTeam, Target::Team(*team)));
            found
        }
    };
    Ok(found.into_iter().map(|(team, name)| (team.id, name)).collect())
}

/// Those workspaces of these names that the caller sees; who sees all of them also has those that are deleted.
fn workspaces_named(
    connection: &mut PgConnection,
    caller: &Caller,
    names: &[String],
) -> Result<Vec<(WorkspaceId, String)>> {
    match Place::of(caller) {
        Place::Nowhere => Ok(vec![]),
        Place::Everywhere => Ok(store::workspaces_named(connection, None, names)?),
        Place::Organization(id) => match caller.visible_workspaces() {
            VisibleWorkspaces::All => Ok(store::workspaces_named(connection, Some(id), names)?),
            some => Ok(workspaces::named(connection, id, some, names)?),
        },
    }
}

/// The organization that the request is about, if it has one of these names; or all that have.
fn organizations_named(
    connection: &mut PgConnection,
    caller: &Caller,
    names: &[String],
) -> Result<Vec<(OrganizationId, String)>> {
    match Place::of(caller) {
        Place::Nowhere => Ok(vec![]),
        Place::Everywhere => Ok(organizations::named(connection, None, names)?),
        Place::Organization(id) => Ok(organizations::named(connection, Some(id), names)?),
    }
}
