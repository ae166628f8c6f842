//! Which tokens a caller can read, for lists.

use super::{Action, Caller, Principal, Target, TeamFacts, VisibleWorkspaces};
use crate::ids::{TeamId, TokenId, UserId};

/// Which of an organization's tokens a caller can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleTokens {
    /// Those of teams that the caller has no part in.
    pub other_teams: OtherTeams,
    /// Those of the caller's teams that have `allow-member-token-management`.
    pub own_teams: Vec<TeamId>,
    /// Whether also those of the organization itself.
    pub organization: bool,
    pub workspaces: VisibleWorkspaces,
    /// Whether also those of all service accounts.
    pub service_accounts: bool,
    /// The service account that calls, which reads its own.
    pub own_account: Option<UserId>,
    /// The token that calls, if it is a team's, while the team has `allow-member-token-management`.
    pub itself: Option<TokenId>,
}

/// Which tokens of teams that the caller has no part in are within reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherTeams {
    All,
    /// All but those of the team `owners`.
    AllButOwners,
    /// None.
    None,
}

impl Caller {
    /// Which of an organization's tokens the caller can read, for lists: what the table says of reading each kind,
    /// asked of every sort of owner at once.
    #[must_use]
    pub fn visible_tokens(&self) -> VisibleTokens {
        let any_team = TeamFacts::of_any_secret_team();
        let reads = |team, token| self.can(Action::ReadTeamToken, Target::TeamToken(team, token));
        let of_others = |owners| reads(TeamFacts { owners, ..any_team }, None);
        let other_teams = match (of_others(true), of_others(false)) {
            (true, _) => OtherTeams::All,
            (false, true) => OtherTeams::AllButOwners,
            (false, false) => OtherTeams::None,
        };
        let allowing = TeamFacts { allows_members: true, ..any_team };
        let own_teams = self.rights.teams.iter().copied().filter(|id| reads(TeamFacts { id: *id, ..allowing }, None));
        let own_account = match self.principal {
            Principal::User { id, organization: Some(_), .. } => Some(id),
            _ => None,
        };
        let reads_own = |id: &UserId| self.can(Action::ReadServiceAccountToken, Target::User(*id));
        let itself = self.user().is_none() && reads(allowing, self.token());
        VisibleTokens {
            other_teams,
            own_teams: own_teams.collect(),
            organization: self.can(Action::ReadOrganizationToken, Target::Organization),
            workspaces: self.visible_workspaces(),
            service_accounts: self.can(Action::ReadServiceAccountToken, Target::Organization),
            own_account: own_account.filter(reads_own),
            itself: self.token().filter(|_| itself),
        }
    }
}
