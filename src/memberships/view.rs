//! How memberships look on the wire.

use crate::access::Caller;
use crate::ids::TeamId;
use crate::jsonapi::Resource;
use crate::teams;
use crate::users::{self, Membership};

/// A membership with the teams that its user is in, as far as the caller sees them.
pub(super) fn with_teams(membership: &Membership, caller: &Caller, teams: &[TeamId]) -> Resource {
    let teams = teams.iter().map(|team| teams::identifier(*team)).collect();
    users::membership(membership, caller).to_many("teams", teams)
}
