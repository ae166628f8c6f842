//! Public ids: a type's prefix, a hyphen and 16 digits of base58 (docs/design.md §2).
//!
//! The digits are a number of 93 bits, 48 of them the time in milliseconds, and the primary key is that number as a
//! UUIDv8 (RFC 9562 §5.8). Clients of the HCP API refuse ids of another length.
//!
//! One newtype per id, so that the compiler refuses a team's id where a token's belongs. What a client
//! sends is parsed here; an id that does not parse names nothing, so routes answer it with 404.

use std::fmt::{self, Write as _};
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
                Self(generate())
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
                write!(out, concat!($prefix, "-{}"), Digits::of(self.0))
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
    ProjectId = "prj";
    WorkspaceId = "ws";
    /// The id of a team's access to a workspace.
    TeamAccessId = "tws";
    /// The id of a team's access to a project.
    ProjectAccessId = "tprj";
    AuditEventId = "ae";
    /// The id of a tag that workspaces of an organization have.
    TagId = "tag";
    /// The id of a key that is bound to a project or a workspace.
    TagBindingId = "tb";
    ReservedTagKeyId = "rtk";
    /// The id of a browser in which a user has signed in.
    SessionId = "ses";
}

impl TagBindingId {
    /// The id of a project's or a workspace's binding of this key.
    #[must_use]
    pub fn of(owner: Uuid, key: &str) -> Self {
        Self(derived(owner, key))
    }
}

impl ProjectId {
    /// The default project of an organization, which has the organization's own key.
    #[must_use]
    pub const fn default_of(organization: OrganizationId) -> Self {
        Self(organization.0)
    }
}

/// The id of what is known by its name alone and has no row of its own: always the same.
fn derived(owner: Uuid, name: &str) -> Uuid {
    let digest = Sha256::new().chain_update(owner.as_bytes()).chain_update(name).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    with_93_bits(u128::from_be_bytes(bytes))
}

/// A key that sorts after those that this process made before it: a UUIDv7, less what does not fit into an id.
fn generate() -> Uuid {
    with_93_bits(Uuid::now_v7().as_u128())
}

/// The last bits of a key, which are zero.
const UNUSED: u32 = 29;

/// How many of the bits that are used lie before, between and after version and variant.
const PARTS: [u32; 3] = [48, 12, 33];

/// The key with these bits, as far as it has room for them.
fn with_93_bits(bits: u128) -> Uuid {
    let used = bits >> UNUSED << UNUSED;
    uuid::Builder::from_custom_bytes(used.to_be_bytes()).into_uuid()
}

impl UserId {
    /// The id under which `account/details` shows a token that has no user: that of what the token stands for.
    #[must_use]
    pub const fn of_service(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

/// What an id has after its prefix: the number of a key in base58, the most significant digit first.
#[derive(Debug, PartialEq, Eq)]
struct Digits([u8; 16]);

/// In the order of ASCII, so that texts sort as their numbers do.
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

impl Digits {
    fn of(key: Uuid) -> Self {
        let bits = key.as_u128();
        debug_assert_eq!(with_93_bits(bits), key, "not the key of an id");
        let [_, between, after] = PARTS;
        let part = |shift: u32, length: u32| bits >> shift & ((1 << length) - 1);
        let mut number = (bits >> 80) << (between + after) | part(64, between) << after | part(UNUSED, after);
        let mut digits = [0; 16];
        for digit in digits.iter_mut().rev() {
            *digit = BASE58[(number % 58) as usize];
            number /= 58;
        }
        Self(digits)
    }

    /// The key; none for a number beyond 93 bits.
    fn key(&self) -> Option<Uuid> {
        let mut number: u128 = 0;
        for digit in self.0 {
            number = number * 58 + BASE58.iter().position(|known| *known == digit)? as u128;
        }
        let [before, between, after] = PARTS;
        let part = |shift: u32, length: u32| number >> shift & ((1 << length) - 1);
        let bits = part(between + after, before) << 80 | part(after, between) << 64 | part(0, after) << UNUSED;
        (number >> (before + between + after) == 0).then(|| with_93_bits(bits))
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| out.write_char(char::from(*digit)))
    }
}

/// Only the spelling that [`fmt::Display`] writes is an id, so that no two texts name one thing.
fn uuid_after(prefix: &str, text: &str) -> Option<Uuid> {
    Digits(text.strip_prefix(prefix)?.as_bytes().try_into().ok()?).key()
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
        // The last is one more than 93 bits hold.
        let numbers = ["team-0OIl0OIl0OIl0OIl", "team-zzzzzzzzzzzzzzzz", "team-c2QopxhYzbzShJPq"];
        for text in ["", "team-", "team", "team-0OIl", "team-\0", "TEAM-1", &long, &other].iter().chain(&numbers) {
            assert!(text.parse::<TeamId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn every_number_of_93_bits_is_an_id_of_16_digits() {
        let most = Digits::of(with_93_bits(u128::MAX));
        for id in [Digits::of(with_93_bits(0)), most, Digits::of(derived(Uuid::nil(), "x"))] {
            assert_eq!(Digits::of(id.key().unwrap()), id);
        }
        assert_eq!(Digits::of(with_93_bits(0)).to_string(), "1111111111111111");
        assert_eq!(TeamId::generate().to_string().len(), "team-".len() + 16);
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let ids: Vec<TokenId> = (0..100).map(|_| TokenId::generate()).collect();
        assert!(ids.is_sorted());
        let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
        assert!(texts.is_sorted());
    }
}
