//! Which requests to another service need an ability: methods and the pattern of a path, so that a proxy's request can be
//! mapped to what it needs.

use std::fmt;
use std::str::FromStr;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Jsonb;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::database::jsonb::jsonb;
use crate::database::text_enum::text_enum;

/// The most endpoints that an ability can have.
pub const ENDPOINTS_MAX: usize = 20;

/// The most characters that a path's pattern may have.
pub const PATTERN_MAX: usize = 256;

text_enum! {
    /// A method of HTTP (RFC 9110 §9, RFC 5789).
    pub enum Method {
        Get = "GET",
        Head = "HEAD",
        Post = "POST",
        Put = "PUT",
        Patch = "PATCH",
        Delete = "DELETE",
        Options = "OPTIONS",
    }
}

/// Some requests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct EndpointPattern {
    /// `methods`: at least one.
    #[schema(min_items = 1, max_items = 7, inline)]
    pub methods: Vec<Method>,
    /// `path`: such as `/api/agents/{id}/executions`. A part in braces is any one part, `*` as the last is one or more of
    /// any.
    #[schema(
        value_type = String,
        pattern = r"^(/([A-Za-z0-9._~!$&'()+,;=:@-]+|\{[A-Za-z0-9_-]+\}))*(/\*)?$",
        max_length = 256
    )]
    pub path: PathPattern,
}

/// The pattern of a path: `/` and parts between slashes, each a literal, `{a-name}`, or `*` as the last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct PathPattern(String);

/// A text is no pattern of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a path such as /api/agents/{{id}} of at most {PATTERN_MAX} characters: each part a literal, a name in braces, \
     or * as the last"
)]
pub struct InvalidPattern;

impl FromStr for PathPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let parts = text.strip_prefix('/').filter(|_| text.len() <= PATTERN_MAX).ok_or(InvalidPattern)?;
        let (before, last) = parts.rsplit_once('/').unwrap_or(("", parts));
        let one = |part: &str| is_literal(part) || is_named(part);
        let all = before.split('/').filter(|_| !before.is_empty()).all(one) && (last == "*" || one(last));
        if parts.starts_with('/') || !all { Err(InvalidPattern) } else { Ok(Self(text.to_owned())) }
    }
}

/// Letters, digits and what else a path holds as it is (RFC 3986 §3.3); not what leads elsewhere.
fn is_literal(part: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()+,;=:@".contains(&byte);
    !part.is_empty() && ![".", ".."].contains(&part) && part.bytes().all(fits)
}

fn is_named(part: &str) -> bool {
    let name = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl fmt::Display for PathPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PathPattern {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The endpoints of an ability, as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, FromSqlRow, AsExpression)]
#[serde(transparent)]
#[diesel(sql_type = Jsonb)]
pub struct Endpoints(pub Vec<EndpointPattern>);

impl utoipa::PartialSchema for Endpoints {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Vec::<EndpointPattern>::schema()
    }
}

impl ToSchema for Endpoints {}

jsonb!(Endpoints);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_path_of_plain_parts() {
        for good in ["/a", "/api/agent-base/{id}/executions", "/api/webhook/*", "/*", "/{x}", "/a.b/c:d"] {
            assert_eq!(good.parse::<PathPattern>().unwrap().to_string(), good);
        }
        let long = format!("/{}", "a".repeat(256));
        for bad in [
            "", "/", "//", "a", "/a/", "/a//b", "//a", "/*/a", "/a*", "/{}", "/{a", "/a?b", "/a#b", "/%2e", "/..",
            &long,
        ] {
            assert_eq!(bad.parse::<PathPattern>(), Err(InvalidPattern), "{bad}");
        }
    }
}
