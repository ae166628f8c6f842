//! Tokens whose secret is a JSON Web Token (RFC 7519): what it says, and what its text cannot take back (docs/design.md §2).

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::{Labels, NewToken, Owner, Token};
use crate::access::Role;
use crate::credential::{Abilities, Format, JWT_MAX, Kind, Secret};
use crate::ids::{OrganizationId, TokenId};
use crate::jsonapi::{Error, Result};
use crate::signing::Signer;

/// What a new token's secret is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form<'a> {
    Opaque,
    /// A JWT, signed by this service.
    Jwt {
        signer: &'a Signer,
        /// What its owner may reach, of which it says what the token does.
        reach: &'a Abilities,
    },
}

impl<'a> Form<'a> {
    /// The form of a format, signed by `signer` if it is to be signed, of a token whose owner has `reach`.
    pub(super) const fn of(format: Format, signer: &'a Signer, reach: &'a Abilities) -> Self {
        match format {
            Format::Opaque => Self::Opaque,
            Format::Jwt => Self::Jwt { signer, reach },
        }
    }

    pub(super) const fn format(self) -> Format {
        match self {
            Self::Opaque => Format::Opaque,
            Self::Jwt { .. } => Format::Jwt,
        }
    }
}

/// What a JWT says, as of when the token was made.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    jti: TokenId,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<OrganizationId>,
    role: Role,
    /// Of a person's token none: it is no organization's, and what it may reach depends on that.
    #[serde(skip_serializing_if = "Option::is_none")]
    abilities: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a Labels>,
}

/// The secret of a new token, and the key that has signed it.
pub(super) fn sign(
    connection: &mut PgConnection,
    (signer, reach): (&Signer, &Abilities),
    id: TokenId,
    new: &NewToken<'_>,
) -> Result<(Secret, String)> {
    let claims = Claims {
        iss: signer.issuer(),
        sub: subject(new.owner),
        // Whoever accepts the tokens of this service.
        aud: signer.issuer(),
        jti: id,
        iat: Utc::now().timestamp(),
        // In whole seconds: rather too early than too late.
        exp: new.expired_at.map(|at| at.timestamp()),
        kind: new.owner.kind(),
        // Not its name, which can pass to another one.
        organization: new.owner.organization(),
        role: new.role,
        abilities: super::store::effective_abilities_of(connection, new, reach)?,
        labels: new.labels_in_jwt.then_some(new.labels),
    };
    let signed = signer.sign(connection, &claims)?;
    if signed.jwt.expose_secret().len() > JWT_MAX {
        let detail = format!(
            "The JWT would have more than {JWT_MAX} characters: list fewer abilities or labels, or make it opaque"
        );
        return Err(Error::attribute("/data/attributes/format", detail));
    }
    Ok((Secret::of_jwt(signed.jwt), signed.kid))
}

/// The public id of what a token authenticates as.
fn subject(owner: Owner) -> String {
    match owner {
        Owner::User(id) | Owner::ServiceAccount(_, id) => id.to_string(),
        Owner::Team(_, id) => id.to_string(),
        Owner::Organization(id) | Owner::AuditTrails(id) => id.to_string(),
        Owner::Workspace(_, id) => id.to_string(),
    }
}

/// Checks that a token may expire then: what is signed in a JWT cannot be put off.
///
/// # Errors
/// 422 for a JWT and a later time than it has.
pub(super) fn check_expiry(token: &Token, at: Option<DateTime<Utc>>) -> Result<()> {
    let Some(signed) = token.expired_at.filter(|_| token.format == Format::Jwt) else { return Ok(()) };
    if at.is_some_and(|at| at <= signed) {
        return Ok(());
    }
    Err(Error::attribute(
        "/data/attributes/expired-at",
        format!(
            "Expired at must be no later than {}: the time in a JWT cannot be put off; regenerate it instead",
            crate::jsonapi::time(signed)
        ),
    ))
}
