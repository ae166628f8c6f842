//! What everybody who speaks of tokens needs: secrets and their digests, kinds, abilities.
//!
//! Nothing in here knows another room of the domain. The token itself, with its owner and its life, is in `tokens`.

mod ability;
mod kind;
mod period;
mod secret;

pub use ability::{ABILITIES_MAX, ABILITY_MAX, Abilities, Ability, InvalidAbility, valid_abilities};
pub use kind::{Creator, Format, Kind, Status};
pub use period::{InvalidPeriod, Period};
pub use secret::{BrowserSecret, BrowserUse, Digest, RandomnessUnavailable, Secret};
pub(crate) use secret::{JWT_MAX, JWT_START, PREFIX_LENGTH, beginning_of_jwt};
