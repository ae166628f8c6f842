//! A reserved tag key, and what a client may write of one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::database::schema::reserved_tag_keys;
use crate::ids::{OrganizationId, ReservedTagKeyId};
use crate::tag_bindings::valid_key;

/// The most that an organization can reserve.
pub(super) const KEYS_MAX: i64 = 100;

/// A reserved tag key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = reserved_tag_keys, check_for_backend(diesel::pg::Pg))]
pub struct ReservedTagKey {
    pub id: ReservedTagKeyId,
    pub organization_id: OrganizationId,
    /// The key, unique in the organization.
    pub key: String,
    /// Whether a workspace cannot have another value than its project.
    pub disable_overrides: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a client may write.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct ReservedTagKeyAttributes {
    /// `key`: 1 to 128 letters, digits, spaces within and `_ . : / = + - @`.
    #[validate(custom(function = "valid_key"))]
    #[schema(pattern = "^[A-Za-z0-9_.:/=+@-]([A-Za-z0-9 _.:/=+@-]{0,126}[A-Za-z0-9_.:/=+@-])?$")]
    pub key: Option<String>,
    /// `disable-overrides`: whether a workspace cannot have another value than its project.
    pub disable_overrides: Option<bool>,
}
