//! What workspaces are grouped by, beside tag bindings: tags, which are names.
//!
//! A tag is its organization's: it stays when no workspace has it any more, until it is deleted.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{Workspace, tag_store};
use crate::access::Caller;
use crate::database::schema;
use crate::ids::{OrganizationId, TagId};
use crate::jsonapi::{Error, Relationships, ResourceBody, Result};
use crate::tag_bindings::Bindings;

/// A workspace can have as many tags.
pub const MAX_TAGS: usize = 100;

/// An organization can have as many tags.
pub const MAX_TAGS_OF_ORGANIZATION: usize = 10_000;

/// The type that names a tag.
pub(crate) const TAG: &str = "tags";

/// A tag as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = schema::tags, check_for_backend(diesel::pg::Pg))]
pub struct Tag {
    pub id: TagId,
    pub organization_id: OrganizationId,
    /// Its name, in lower case, unique in the organization.
    pub name: String,
    pub created_at: DateTime<Utc>,
}

/// What a client may write of a tag.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct TagAttributes {
    /// `name`: 1 to 255 letters, digits, hyphens, underscores and colons, with a letter or digit at both ends. Kept in
    /// lower case.
    #[validate(custom(function = "valid_name"))]
    #[schema(pattern = "^[A-Za-z0-9]([A-Za-z0-9_:-]{0,253}[A-Za-z0-9])?$")]
    pub name: Option<String>,
}

fn valid_name(name: &str) -> Result<(), ValidationError> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':');
    if name.len() <= 255 && edge(name.chars().next()) && edge(name.chars().next_back()) && name.chars().all(inside) {
        return Ok(());
    }
    let message = "Name must be 1 to 255 letters, digits, hyphens, underscores and colons, with a letter or digit at \
                   both ends";
    Err(ValidationError::new("name").with_message(message.into()))
}

/// What the relationships of a workspace that a client sent say of its tags; none where they say nothing.
pub(super) struct Written {
    tags: Option<Vec<String>>,
    pub(super) bindings: Option<Bindings>,
}

impl Written {
    pub(super) fn read(connection: &mut PgConnection, caller: &Caller, sent: &Relationships) -> Result<Self> {
        let tags = sent.resources(TAG, &[TAG], &[])?.map(|tags| names(connection, caller, &tags)).transpose()?;
        Ok(Self { tags, bindings: Bindings::related(sent)? })
    }

    /// The workspace with these bindings instead of those that it had, and the names of the tags that it is to have instead.
    pub(super) fn put_on(self, workspace: Workspace) -> Result<(Workspace, Option<Vec<String>>)> {
        let tags = self.tags.map(sorted);
        check_number(tags.as_ref().map_or(0, Vec::len), "/data/relationships/tags/data")?;
        let tag_bindings = self.bindings.unwrap_or(workspace.tag_bindings);
        Ok((Workspace { tag_bindings, ..workspace }, tags))
    }
}

/// A workspace cannot have more than [`MAX_TAGS`]; `pointer` says where they were sent.
pub(super) fn check_number(number: usize, pointer: &str) -> Result<()> {
    if number <= MAX_TAGS {
        return Ok(());
    }
    Err(Error::attribute(pointer, format!("A workspace can have at most {MAX_TAGS} of these")))
}

/// The names of tags that a client sent, each by its name or by its id.
///
/// # Errors
/// 404 for an id that no tag has which the caller sees, 422 for a tag without either.
pub(super) fn names(
    connection: &mut PgConnection,
    caller: &Caller,
    sent: &[ResourceBody<TagAttributes>],
) -> Result<Vec<String>> {
    let ids: Vec<TagId> = sent.iter().filter_map(|tag| tag.id.as_ref()?.parse().ok()).collect();
    let seen = tag_store::find_seen(connection, caller.organization()?, caller.visible_workspaces(), &ids)?;
    let known: HashMap<TagId, String> = seen.into_iter().map(|tag| (tag.id, tag.name)).collect();
    let (mut names, mut faults) = (vec![], vec![]);
    for tag in sent {
        match (&tag.id, &tag.attributes.name) {
            (Some(id), _) => match id.parse().ok().and_then(|id: TagId| known.get(&id)) {
                Some(name) => names.push(name.clone()),
                None => faults.push(Error::not_found_at(tag.pointer("id"), "There is no tag with this id")),
            },
            (None, Some(name)) => names.push(name.to_lowercase()),
            (None, None) => faults.push(Error::attribute(tag.pointer("attributes/name"), "Name is required")),
        }
    }
    Error::check(faults)?;
    Ok(names)
}

/// In order, each once.
pub(super) fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// The names in a search, with commas; kept in lower case like the tags themselves.
pub(super) fn searched(text: &str) -> Vec<String> {
    text.split(',').map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty()).collect()
}
