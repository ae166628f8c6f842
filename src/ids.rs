//! Public ids: a type's prefix, a hyphen and a UUIDv7 in base58 (docs/design.md §2).
//!
//! One newtype per id, so that the compiler refuses a team's id where a token's belongs. What a client
//! sends is parsed here; an id that does not parse names nothing, so routes answer it with 404.

use std::fmt;
use std::str::FromStr;

use diesel_derive_newtype::DieselNewType;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A text that is not an id of the wanted type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}-…")]
pub struct InvalidId {
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, DieselNewType)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id; ids sort by the time of their making.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The UUID that is the primary key.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(primary_key: Uuid) -> Self {
                Self(primary_key)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, concat!($prefix, "-{}"), bs58::encode(self.0.as_bytes()).into_string())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                uuid_after(concat!($prefix, "-"), text).map(Self).ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
    )+};
}

ids! {
    OrganizationId = "org";
    TeamId = "team";
    UserId = "user";
    /// An id of a user's membership in an organization.
    MembershipId = "ou";
    TokenId = "at";
    WorkspaceId = "ws";
    /// The id of a team's access to a workspace.
    TeamAccessId = "tws";
    AuditEventId = "ae";
    TagId = "tag";
    /// The id of a key that is bound to a workspace.
    TagBindingId = "tb";
}

impl TagId {
    /// The id of an organization's tag of this name.
    #[must_use]
    pub fn of(organization: OrganizationId, name: &str) -> Self {
        Self(derived(organization.0, name))
    }
}

impl TagBindingId {
    /// The id of a workspace's binding of this key.
    #[must_use]
    pub fn of(workspace: WorkspaceId, key: &str) -> Self {
        Self(derived(workspace.0, key))
    }
}

/// The id of what is known by its name alone and has no row of its own: always the same (RFC 9562 §5.8).
fn derived(owner: Uuid, name: &str) -> Uuid {
    let digest = Sha256::new().chain_update(owner.as_bytes()).chain_update(name).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

impl UserId {
    /// The id under which `account/details` shows a token that has no user: that of what the token stands for.
    #[must_use]
    pub const fn of_service(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

/// Only the spelling that [`fmt::Display`] writes is an id, so that no two texts name one thing.
fn uuid_after(prefix: &str, text: &str) -> Option<Uuid> {
    let encoded = text.strip_prefix(prefix)?;
    let mut bytes = [0; 16];
    let length = bs58::decode(encoded).onto(&mut bytes).ok()?;
    (length == bytes.len()).then(|| Uuid::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_what_was_written() {
        let id = TeamId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().starts_with("team-"));
    }

    #[test]
    fn ids_of_other_types_and_malformed_ones_are_refused() {
        let other = TokenId::generate().to_string();
        let long = format!("team-{}", "2".repeat(4000));
        for text in ["", "team-", "team", "team-0OIl", "team-\0", "TEAM-1", &long, &other] {
            assert!(text.parse::<TeamId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let ids: Vec<TokenId> = (0..100).map(|_| TokenId::generate()).collect();
        assert!(ids.is_sorted());
        let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
        assert!(texts.is_sorted());
    }
}
