//! Labels: a maker's own keys and values on a token, by which it is found again.

use std::collections::BTreeMap;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Jsonb;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use validator::ValidationError;

use crate::database::jsonb::jsonb;
use crate::jsonapi::schema;

/// The most labels that a token may have.
pub const LABELS_MAX: usize = 20;

/// The most characters that a label's key may have.
pub const LABEL_KEY_MAX: usize = 63;

/// The most characters that a label's value may have.
pub const LABEL_VALUE_MAX: usize = 255;

/// Keys and values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromSqlRow, AsExpression)]
#[serde(transparent)]
#[diesel(sql_type = Jsonb)]
pub struct Labels(pub BTreeMap<String, String>);

jsonb!(Labels);

impl Labels {
    /// Whether a text can be the key of a label: 1 to 63 letters, digits, hyphens, underscores, dots and slashes of ASCII.
    #[must_use]
    pub fn is_key(text: &str) -> bool {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        (1..=LABEL_KEY_MAX).contains(&text.len()) && text.bytes().all(fits)
    }
}

/// Validates the labels that a client sent.
///
/// # Errors
/// With a message that says what labels may be.
pub(super) fn valid_labels(labels: &Labels) -> Result<(), ValidationError> {
    let fault = |message: String| Err(ValidationError::new("labels").with_message(message.into()));
    if labels.0.len() > LABELS_MAX {
        return fault(format!("Labels must be at most {LABELS_MAX}"));
    }
    for (key, value) in &labels.0 {
        if !Labels::is_key(key) {
            return fault(format!(
                "The key of a label must be 1 to {LABEL_KEY_MAX} letters, digits, hyphens, underscores, dots and slashes"
            ));
        }
        if value.chars().count() > LABEL_VALUE_MAX {
            return fault(format!("The value of a label must be at most {LABEL_VALUE_MAX} characters long"));
        }
    }
    Ok(())
}

/// An object of texts.
pub(super) fn texts() -> ObjectBuilder {
    schema::object().additional_properties(Some(Schema::from(schema::text().max_length(Some(LABEL_VALUE_MAX)).build())))
}

impl utoipa::PartialSchema for Labels {
    fn schema() -> RefOr<Schema> {
        let keys = schema::pattern("^[A-Za-z0-9_./-]{1,63}$", LABEL_KEY_MAX);
        texts().max_properties(Some(LABELS_MAX)).property_names(Some(keys)).into()
    }
}

impl utoipa::ToSchema for Labels {}
