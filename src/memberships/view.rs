//! How memberships look on the wire.

use crate::access::Caller;
use crate::ids::TeamId;
use crate::jsonapi::Resource;
use crate::teams;
use crate::users::{self, Membership, User};

/// A membership with the teams that its user is in, as far as the caller sees them.
pub(super) fn with_teams(membership: &Membership, caller: &Caller, teams: &[TeamId]) -> Resource {
    let teams = teams.iter().map(|team| teams::identifier(*team)).collect();
    users::membership(membership, caller).to_many("teams", teams)
}

/// The user of a membership, as documents about it include one: with the address for whom the membership itself tells it.
pub(super) fn user(user: &User, membership: &Membership, caller: &Caller) -> Resource {
    let public = users::public(user);
    if users::shows_address(membership, caller) {
        public.attribute("email", user.email.as_deref().unwrap_or_default())
    } else {
        public
    }
}
