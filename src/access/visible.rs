//! Which tokens a caller can read, for lists.

use super::{Action, Caller, Subject, TeamFacts, WorkspaceReach};
use crate::ids::{TeamId, TokenId};

/// Which of an organization's tokens a caller can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenReach {
    /// Those of teams that the caller has no part in.
    pub beyond: Beyond,
    /// Those of the caller's teams that have `allow-member-token-management`.
    pub own_teams: Vec<TeamId>,
    /// Whether also those of the organization itself.
    pub organization: bool,
    /// Those of which workspaces.
    pub workspaces: WorkspaceReach,
    /// The token that calls, if it is no user's: of a team's only while the team has `allow-member-token-management`.
    pub itself: Option<TokenId>,
}

/// Which tokens of teams that the caller has no part in are within reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// All.
    Everything,
    /// All but those of the team `owners`.
    OrdinaryTeams,
    /// None.
    Nothing,
}

impl Caller {
    /// Which of an organization's tokens the caller can read, for lists: what the table says of reading each kind,
    /// asked of every sort of owner at once.
    #[must_use]
    pub fn token_reach(&self) -> TokenReach {
        let reads = |owners| {
            let team = TeamFacts { owners, ..TeamFacts::of_any_secret_team() };
            self.can(Action::ReadTeamToken, Subject::TeamToken(team, None))
        };
        let beyond = match (reads(true), reads(false)) {
            (true, _) => Beyond::Everything,
            (false, true) => Beyond::OrdinaryTeams,
            (false, false) => Beyond::Nothing,
        };
        let is_user = self.user().is_some();
        let own_teams = if is_user { self.standing.teams.iter().copied().collect() } else { vec![] };
        TokenReach {
            beyond,
            own_teams,
            organization: self.can(Action::ReadOrganizationToken, Subject::Place),
            workspaces: self.workspace_reach(),
            itself: (!is_user).then_some(self.token),
        }
    }
}
