//! The project, what a client may write of one, and what the caller is in one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::store;
use crate::access::{Action, Caller, OrganizationRef, ProjectRights, Target};
use crate::database::schema::projects;
use crate::ids::{OrganizationId, ProjectId};
use crate::jsonapi::{Error, Result, present};
use crate::organizations::ExecutionMode;
use crate::tag_bindings::Bindings;

/// A project as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = projects, check_for_backend(diesel::pg::Pg))]
pub struct Project {
    pub id: ProjectId,
    /// The organization that it is in.
    pub organization_id: OrganizationId,
    /// Its name, unique in the organization without regard to case.
    pub name: String,
    pub description: String,
    /// What the HCP API lets one set and a token service only keeps.
    #[diesel(deserialize_as = serde_json::Value)]
    pub settings: Settings,
    #[diesel(deserialize_as = serde_json::Value)]
    pub tag_bindings: Bindings,
    pub created_at: DateTime<Utc>,
}

impl Project {
    /// A project as it is before its maker says more of it.
    #[must_use]
    pub fn new(organization: OrganizationId) -> Self {
        Self {
            id: ProjectId::generate(),
            organization_id: organization,
            name: String::new(),
            description: String::new(),
            settings: Settings::default(),
            tag_bindings: Bindings::default(),
            created_at: Utc::now(),
        }
    }

    /// Whether it is the one that its organization has from the start.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.id == ProjectId::default_of(self.organization_id)
    }

    /// The project after a change.
    ///
    /// # Errors
    /// 422 for settings that cannot be together.
    pub fn changed(self, changes: ProjectAttributes) -> Result<Self> {
        Ok(Self {
            settings: changes.applied_to(self.settings)?,
            name: changes.name.unwrap_or(self.name),
            description: changes.description.map_or(self.description, Option::unwrap_or_default),
            ..self
        })
    }
}

/// Settings of the HCP API that mean nothing to a token service: validated, stored and returned, so that the `tfe` provider
/// sees no drift (docs/design.md §5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Settings {
    /// `auto-destroy-activity-duration`: days or hours, such as `14d`.
    pub auto_destroy_activity_duration: Option<String>,
    /// `default-execution-mode`; none for the organization's.
    pub default_execution_mode: Option<ExecutionMode>,
    /// `default-agent-pool-id`; Latchkey knows no pools, so that it can be any.
    pub default_agent_pool_id: Option<String>,
}

impl From<serde_json::Value> for Settings {
    /// Reads what an earlier or later release stored: what is missing or not understood has its default.
    fn from(stored: serde_json::Value) -> Self {
        serde_json::from_value(stored).unwrap_or_else(|fault| {
            log::error!("a project's stored settings cannot be read and count as the default: {fault}");
            Self::default()
        })
    }
}

/// What a client may write of `setting-overwrites`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct ProjectOverwrites {
    /// `default-execution-mode`.
    pub default_execution_mode: Option<bool>,
    /// `default-agent-pool`.
    pub default_agent_pool: Option<bool>,
}

/// What a client may write of a project.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct ProjectAttributes {
    /// `name`: 3 to 40 letters, digits, spaces, hyphens and underscores, without spaces at its ends.
    #[validate(custom(function = "valid_name"))]
    #[schema(pattern = "^[A-Za-z0-9_-][A-Za-z0-9 _-]{1,38}[A-Za-z0-9_-]$")]
    pub name: Option<String>,
    /// `description`: at most 256 characters; null for an empty one.
    #[serde(deserialize_with = "present")]
    #[validate(length(max = 256))]
    #[schema(max_length = 256)]
    pub description: Option<Option<String>>,
    /// `auto-destroy-activity-duration`: 1 to 4 digits and `d` or `h`; null for none. Workspaces without their own show it.
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "valid_duration"))]
    #[schema(pattern = "^[0-9]{1,4}[dh]$")]
    pub auto_destroy_activity_duration: Option<Option<String>>,
    /// `default-execution-mode`: of workspaces without their own.
    pub default_execution_mode: Option<ExecutionMode>,
    /// `default-agent-pool-id`: only where the default execution mode is `agent`.
    #[serde(deserialize_with = "present")]
    #[validate(length(max = 256))]
    #[schema(max_length = 256)]
    pub default_agent_pool_id: Option<Option<String>>,
    /// `setting-overwrites`: false gives a setting back to the organization.
    pub setting_overwrites: Option<ProjectOverwrites>,
}

fn valid_name(name: &str) -> Result<(), ValidationError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b" _-".contains(&byte);
    if (3..=40).contains(&name.len()) && name.bytes().all(known) && name.trim() == name {
        return Ok(());
    }
    let message = "Name may only contain 3 to 40 letters, digits, spaces, hyphens and underscores, without spaces at its \
                   ends";
    Err(ValidationError::new("name").with_message(message.into()))
}

/// Validates a duration.
///
/// # Errors
/// With a message that says how it must be.
pub(crate) fn valid_duration(duration: &str) -> Result<(), ValidationError> {
    let digits = duration.strip_suffix(['d', 'h']).unwrap_or_default();
    if (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    // Word for word what the HCP API says: clients look for it.
    let message = "Auto destroy activity duration has an incorrect format, we expect up to 4 numeric digits and 1 unit \
                   ('d' or 'h')";
    Err(ValidationError::new("duration").with_message(message.into()))
}

impl ProjectAttributes {
    /// The settings after the change. A value that is written overwrites the organization's by itself.
    fn applied_to(&self, before: Settings) -> Result<Settings> {
        let asked = self.setting_overwrites.unwrap_or_default();
        let mode = self.default_execution_mode.or(before.default_execution_mode);
        let mode = mode.filter(|_| asked.default_execution_mode != Some(false));
        if asked.default_execution_mode == Some(true) && mode.is_none() {
            let detail = "Default execution mode is required where it is overwritten";
            return Err(Error::attribute("/data/attributes/default-execution-mode", detail));
        }
        let agent = mode == Some(ExecutionMode::Agent);
        let pool = self.default_agent_pool_id.clone().map(|id| id.filter(|id| !id.is_empty()));
        if matches!(pool, Some(Some(_))) && !agent {
            let detail = "Default agent pool id can be there only where default-execution-mode is agent";
            return Err(Error::attribute("/data/attributes/default-agent-pool-id", detail));
        }
        let pool = pool.unwrap_or(before.default_agent_pool_id);
        let pool = pool.filter(|_| agent && asked.default_agent_pool != Some(false));
        if agent && pool.is_none() {
            // Word for word what the HCP API says: clients look for it.
            let detail = "Default agent pool must be specified when using 'agent' execution mode";
            return Err(Error::attribute("/data/attributes/default-agent-pool-id", detail));
        }
        let duration = self.auto_destroy_activity_duration.clone();
        Ok(Settings {
            auto_destroy_activity_duration: duration.unwrap_or(before.auto_destroy_activity_duration),
            default_execution_mode: mode,
            default_agent_pool_id: pool,
        })
    }
}

/// The organization of the project that a query or a body names.
pub(crate) fn organization_of_project(id: &str) -> OrganizationRef {
    OrganizationRef::Project(id.parse().ok())
}

/// What the caller is in a project of the organization that the request is about.
///
/// # Errors
/// The database's own.
pub(crate) fn rights(
    connection: &mut PgConnection,
    caller: &Caller,
    project: ProjectId,
) -> Result<Option<ProjectRights>> {
    let grants = store::grants(connection, &[project], &caller.rights.teams)?;
    Ok(caller.rights_in_project(grants.into_values().flatten()))
}

/// The project of this id and what the caller is in it.
///
/// # Errors
/// 404 if it does not exist for the caller.
pub(crate) fn find_visible(
    connection: &mut PgConnection,
    caller: &Caller,
    id: &str,
) -> Result<(Project, ProjectRights)> {
    let id: ProjectId = id.parse().map_err(|_| Error::not_found())?;
    let project = store::find(connection, caller.organization()?, id)?;
    let rights = rights(connection, caller, id)?;
    caller.may(Action::SeeProject, Target::Project(rights))?;
    Ok((project, rights.ok_or_else(Error::not_found)?))
}
