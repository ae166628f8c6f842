//! Abilities: what a token may do at other services, which ask for it (docs/design.md §1).

use std::fmt;
use std::str::FromStr;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use serde::{Deserialize, Deserializer, Serialize};

/// The most characters that an ability may have.
pub const ABILITY_MAX: usize = 64;

/// The most abilities that a token may have.
pub const ABILITIES_MAX: u64 = 100;

/// `resource:verb`: each of lower-case letters, digits and hyphens; `*` stands for every verb. At most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, FromSqlRow, AsExpression)]
#[serde(transparent)]
#[diesel(sql_type = Text)]
pub struct Ability(String);

/// A text is no ability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be resource:verb, each of lower-case letters, digits and hyphens (or * for every verb), \
     in at most {ABILITY_MAX} characters"
)]
pub struct InvalidAbility;

impl Ability {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether who has this ability has the other one, too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self == other || self.0.strip_suffix('*').is_some_and(|resource| other.0.starts_with(resource))
    }
}

impl FromStr for Ability {
    type Err = InvalidAbility;

    fn from_str(text: &str) -> Result<Self, InvalidAbility> {
        let word =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        match text.split_once(':') {
            Some((resource, verb)) if text.len() <= ABILITY_MAX && word(resource) && (verb == "*" || word(verb)) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(InvalidAbility),
        }
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Ability {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromSql<Text, Pg> for Ability {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(std::str::from_utf8(value.as_bytes())?.parse()?)
    }
}

impl ToSql<Text, Pg> for Ability {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl utoipa::PartialSchema for Ability {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        crate::jsonapi::schema::pattern("^[a-z0-9-]+:([a-z0-9-]+|\\*)$", ABILITY_MAX).into()
    }
}

impl utoipa::ToSchema for Ability {}

#[cfg(test)]
mod tests {
    use super::*;

    fn ability(text: &str) -> Ability {
        text.parse().unwrap()
    }

    #[test]
    fn an_ability_is_a_resource_and_a_verb() {
        for good in ["agents:read", "a:b", "web-hooks2:send", "storage:*", &format!("{}:*", "a".repeat(62))] {
            assert_eq!(good.parse::<Ability>().unwrap().as_str(), good);
        }
        let long = format!("{}:*", "a".repeat(63));
        for bad in ["", ":", "agents", "agents:", ":read", "Agents:read", "agents:re ad", "*:read", "*", "a:b:c", &long]
        {
            assert_eq!(bad.parse::<Ability>(), Err(InvalidAbility), "{bad}");
        }
    }

    #[test]
    fn a_star_covers_every_verb_of_its_resource() {
        assert!(ability("storage:*").covers(&ability("storage:read")));
        assert!(ability("storage:*").covers(&ability("storage:*")));
        assert!(ability("storage:read").covers(&ability("storage:read")));
        assert!(!ability("storage:read").covers(&ability("storage:*")));
        assert!(!ability("storage:*").covers(&ability("storages:read")));
        assert!(!ability("storage:read").covers(&ability("storage:write")));
    }
}
