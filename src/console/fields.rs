//! What a browser sends: the fields of a form, or of a query.

use secrecy::SecretString;
use url::form_urlencoded;

use crate::jsonapi::{Error, Result};

/// The most fields that are read.
const MOST: usize = 1000;

/// Names and values, in the order of the form. There may be passwords among them: they are not printed.
#[derive(Clone, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads what has the media type `application/x-www-form-urlencoded`, or is a query.
    ///
    /// # Errors
    /// 400 for too many.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let fields: Vec<_> = form_urlencoded::parse(bytes).into_owned().take(MOST + 1).collect();
        if fields.len() > MOST {
            return Err(Error::bad_request("too many fields", format!("A form may have at most {MOST} fields")));
        }
        Ok(Self(fields))
    }

    /// The first field of a name; empty if there is none. PostgreSQL has no NUL: it is left out.
    pub(super) fn text(&self, name: &str) -> String {
        self.raw(name).replace('\0', "")
    }

    /// The same without the spaces around it.
    pub(super) fn trimmed(&self, name: &str) -> String {
        self.text(name).trim().to_owned()
    }

    /// A password, which is not printed.
    pub(super) fn secret(&self, name: &str) -> SecretString {
        self.raw(name).into()
    }

    /// All fields of a name, in order, without those that are empty.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|(known, value)| known == name && !value.is_empty());
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// Whether there is a field of a name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Every field that is not empty, in order.
    pub(super) fn all_given(&self) -> Vec<(String, String)> {
        self.0.iter().filter(|(_, value)| !value.is_empty()).cloned().collect()
    }

    fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}
