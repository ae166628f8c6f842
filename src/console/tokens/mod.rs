//! Tokens of an organization, and one's own: the same pages for both, at two places.

mod edit;
mod end;
mod list;
mod make;
mod one;
mod shown;

use diesel::PgConnection;

use super::page::{Page, Visit};
use crate::access::{Action, Caller, Target, TeamFacts};
use crate::ids::TokenId;
use crate::jsonapi::{Error, Result};
use crate::organizations;
use crate::tokens::{self, Token, TokenList, TokenOperation};

/// Where the tokens are that a page is about.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// The path of their list.
    pub(super) list: String,
    /// Below which each of them has its pages.
    pub(super) tokens: String,
    /// The page on which one more is made; none for who may make none.
    pub(super) new: Option<String>,
    /// The name of the organization; none for one's own.
    pub(super) organization: Option<String>,
    of: TokenList,
}

pub(super) fn pages() -> Vec<Page> {
    // What has a name of its own comes before any token's id.
    let mut pages = vec![];
    for list in ["/app/settings/tokens", "/app/{organization}/tokens"] {
        pages.extend(list::pages(list));
        pages.extend(make::pages(list));
        pages.extend(end::pages(list));
        pages.extend(one::pages(list));
        pages.extend(edit::pages(list));
    }
    pages.extend(list::of_workspaces());
    pages
}

impl Scope {
    /// The place of a page, for a caller who may list what is there.
    ///
    /// # Errors
    /// 404 or 403, as the table says.
    fn of(connection: &mut PgConnection, caller: &Caller, visit: &Visit) -> Result<Self> {
        if visit.path.has("organization") {
            caller.may(Action::ListTokens, Target::Organization)?;
            let organization = organizations::find(connection, caller.organization()?)?;
            let list = format!("/app/{}/tokens", organization.name);
            let any_team = Target::TeamToken(TeamFacts::of_any_secret_team(), None);
            // Who is in a team may have leave to make its tokens; the page of the form knows of which.
            let makes = caller.can(Action::CreateOrganizationToken, Target::Organization)
                || caller.can(Action::CreateTeamToken, any_team)
                || !caller.rights.teams.is_empty();
            return Ok(Self {
                tokens: list.clone(),
                new: makes.then(|| format!("{list}/new")),
                list,
                organization: Some(organization.name),
                of: TokenList::Organization(organization.id),
            });
        }
        let user = caller.user().ok_or_else(Error::not_found)?;
        caller.may(Action::ReadUserToken, Target::User(user))?;
        let list = "/app/settings/tokens".to_owned();
        let (tokens, new) = (list.clone(), Some(format!("{list}/new")));
        Ok(Self { list, tokens, new, organization: None, of: TokenList::User(user) })
    }

    /// Checks that a token is one of this place.
    ///
    /// # Errors
    /// 404 if it is not.
    fn check(&self, token: &Token) -> Result<()> {
        let here = match self.of {
            TokenList::Organization(id) => token.organization_id == Some(id),
            TokenList::Workspace(id) => token.workspace_id == Some(id),
            TokenList::User(id) => token.organization_id.is_none() && token.user_id == Some(id),
            _ => false,
        };
        if here { Ok(()) } else { Err(Error::not_found()) }
    }

    /// The token that the path names, locked for an operation that the caller may still be refused. What is not of this
    /// place, or not for the caller to see, is not locked.
    ///
    /// # Errors
    /// 404 if there is none.
    fn lock(
        connection: &mut PgConnection,
        caller: &Caller,
        visit: &Visit,
        operation: TokenOperation,
    ) -> Result<(Self, Token)> {
        let (scope, id) = (Self::of(connection, caller, visit)?, visit.path.get("token")?);
        scope.check_seen(connection, caller, &[id])?;
        Ok((scope, tokens::lock(connection, caller, operation, id)?))
    }

    /// Checks that all these tokens are of this place, and that the caller may read them.
    ///
    /// # Errors
    /// 404 if one is not.
    fn check_seen(&self, connection: &mut PgConnection, caller: &Caller, ids: &[TokenId]) -> Result<Vec<Token>> {
        let found = tokens::find_all_including_revoked(connection, ids)?;
        if found.len() != ids.len() {
            return Err(Error::not_found());
        }
        for token in &found {
            self.check(token)?;
            tokens::may(connection, caller, TokenOperation::Read, token)?;
        }
        Ok(found)
    }

    /// The page of a token.
    fn token(&self, id: TokenId) -> String {
        format!("{}/{id}", self.tokens)
    }
}
