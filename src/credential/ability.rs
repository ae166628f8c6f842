//! Abilities: what a token may do at other services, which ask for it (docs/design.md §1).

use std::fmt;
use std::str::FromStr;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use serde::{Deserialize, Deserializer, Serialize};
use validator::ValidationError;

/// The most characters that an ability may have.
pub const ABILITY_MAX: usize = 64;

/// The most abilities that a token, a team or a workspace may have.
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

    /// What covers it: itself, every verb of its resource, and `*`, which is every ability but Latchkey's own.
    #[must_use]
    pub fn covering(&self) -> Vec<String> {
        let every_verb = self.0.split_once(':').map(|(resource, _)| format!("{resource}:*"));
        let every_one = (!self.is_latchkeys_own()).then(|| "*".to_owned());
        [Some(self.0.clone()), every_verb, every_one].into_iter().flatten().collect()
    }

    /// Whether it is one of Latchkey's own, `tokens:…`: always registered, given by owners alone, and had only by who lists
    /// it.
    #[must_use]
    pub fn is_latchkeys_own(&self) -> bool {
        self.0.starts_with("tokens:")
    }

    /// Whether who has this ability has the other one, too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self == other || self.0.strip_suffix('*').is_some_and(|resource| other.0.starts_with(resource))
    }
}

/// The abilities that somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Abilities {
    /// Every one that there is. Latchkey's own are among them for who may list them, and had only by who does.
    Every,
    These(Vec<Ability>),
}

impl Abilities {
    /// Whether this is among them.
    #[must_use]
    pub fn cover(&self, ability: &Ability) -> bool {
        match self {
            Self::Every => true,
            Self::These(these) => these.iter().any(|own| own.covers(ability)),
        }
    }

    /// Whether all of the other's are among them.
    #[must_use]
    pub fn cover_all(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Every, _) => true,
            (Self::These(_), Self::Every) => false,
            (Self::These(_), Self::These(others)) => others.iter().all(|other| self.cover(other)),
        }
    }

    /// What two have in common.
    #[must_use]
    pub fn in_common(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Every, common) | (common, Self::Every) => common.clone(),
            (Self::These(ours), Self::These(others)) => {
                let of_ours = ours.iter().filter(|ability| other.cover(ability));
                let of_others = others.iter().filter(|ability| !ours.contains(ability) && self.cover(ability));
                Self::These(of_ours.chain(of_others).cloned().collect())
            }
        }
    }
}

impl fmt::Display for Abilities {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => out.write_str("every ability"),
            Self::These(these) if these.is_empty() => out.write_str("none"),
            Self::These(these) => out.write_str(&these.iter().map(Ability::as_str).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// Validates a list of abilities that a client sent: at most 100, each once.
///
/// # Errors
/// With a message that says which is there twice, or that there are too many.
pub fn valid_abilities(abilities: &[Ability]) -> Result<(), ValidationError> {
    let fault = |message: String| Err(ValidationError::new("abilities").with_message(message.into()));
    if u64::try_from(abilities.len()).is_ok_and(|number| number > ABILITIES_MAX) {
        return fault(format!("Abilities must be at most {ABILITIES_MAX}"));
    }
    let twice = abilities.iter().enumerate().find(|(nth, ability)| abilities[..*nth].contains(ability));
    twice.map_or(Ok(()), |(_, ability)| fault(format!("Abilities must hold {ability} only once")))
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
