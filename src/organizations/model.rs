//! The organization, its settings, and what a client may write of one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::{Caller, Role, valid_roles};
use crate::credential::{Format, Period};
use crate::database::schema::organizations;
use crate::database::text_enum::text_enum;
use crate::ids::OrganizationId;
use crate::jsonapi::present;

/// An organization as it is stored.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = organizations, check_for_backend(diesel::pg::Pg))]
pub struct Organization {
    pub id: OrganizationId,
    /// Its name, unique without regard to case.
    pub name: String,
    /// The address that notices go to.
    pub email: String,
    /// What the HCP API lets one set and a token service only keeps.
    #[diesel(deserialize_as = serde_json::Value)]
    pub settings: Settings,
    /// Whether its TTL policies are in force.
    pub max_ttl_enabled: bool,
    /// The roles that tokens which belong to it may have; none for all.
    pub allowed_token_roles: Option<Vec<Role>>,
    /// What the secret of a new token is unless its maker says otherwise.
    pub default_token_format: Format,
    /// How long a new token lives unless its maker says otherwise; none for what the service says.
    pub default_token_ttl: Option<Period>,
    /// Whether tokens of users let them in.
    pub user_tokens_enabled: bool,
    /// By which shipped clients tell what they may use.
    pub plan: Plan,
    pub created_at: DateTime<Utc>,
}

impl Organization {
    /// An organization as it is before its maker says more of it.
    #[must_use]
    pub fn new(name: String, email: String) -> Self {
        Self {
            id: OrganizationId::generate(),
            name,
            email,
            settings: Settings::default(),
            max_ttl_enabled: false,
            allowed_token_roles: None,
            default_token_format: Format::Opaque,
            default_token_ttl: None,
            user_tokens_enabled: true,
            plan: Plan::Enterprise,
            created_at: Utc::now(),
        }
    }

    /// The organization after a change.
    #[must_use]
    pub fn changed(self, changes: OrganizationAttributes) -> Self {
        Self {
            settings: changes.applied_to(self.settings),
            name: changes.name.unwrap_or(self.name),
            email: changes.email.unwrap_or(self.email),
            max_ttl_enabled: changes.max_ttl_enabled.unwrap_or(self.max_ttl_enabled),
            allowed_token_roles: changes.allowed_token_roles.unwrap_or(self.allowed_token_roles),
            default_token_format: changes.default_token_format.unwrap_or(self.default_token_format),
            default_token_ttl: changes.default_token_ttl.unwrap_or(self.default_token_ttl),
            user_tokens_enabled: changes.user_tokens_enabled.unwrap_or(self.user_tokens_enabled),
            ..self
        }
    }
}

text_enum! {
    /// What an organization shows that it may use, as the HCP API calls it. Latchkey itself has no other limits for one plan
    /// than for another.
    pub enum Plan {
        /// What Latchkey has, and nothing else.
        Enterprise = "enterprise",
        Free = "free",
        Standard = "standard",
        Premium = "premium",
        Business = "business",
    }
}

text_enum! {
    /// How members must sign in.
    pub enum AuthPolicy {
        Password = "password",
        TwoFactorMandatory = "two_factor_mandatory",
    }
}

text_enum! {
    /// Where runs are executed unless a workspace says otherwise.
    pub enum ExecutionMode {
        Remote = "remote",
        Local = "local",
        Agent = "agent",
    }
}

/// Settings of the HCP API that mean nothing to a token service: validated, stored and returned, so that the
/// `tfe` provider sees no drift (docs/design.md §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Settings {
    /// Minutes until an idle session ends.
    pub session_timeout: Option<i32>,
    /// Minutes until a session ends.
    pub session_remember: Option<i32>,
    /// How members must sign in.
    pub collaborator_auth_policy: AuthPolicy,
    pub cost_estimation_enabled: bool,
    pub send_passing_statuses_for_untriggered_speculative_plans: bool,
    pub aggregated_commit_status_enabled: bool,
    pub speculative_plan_management_enabled: bool,
    pub allow_force_delete_workspaces: bool,
    pub owners_team_saml_role_id: Option<String>,
    pub assessments_enforced: bool,
    pub global_module_sharing: bool,
    pub global_provider_sharing: bool,
    pub stacks_enabled: bool,
    pub recoverable_items_enabled: bool,
    pub default_execution_mode: ExecutionMode,
    pub stacks_default_execution_mode: ExecutionMode,
}

impl Default for Settings {
    /// What the HCP API gives to a new organization.
    fn default() -> Self {
        Self {
            session_timeout: None,
            session_remember: None,
            collaborator_auth_policy: AuthPolicy::Password,
            cost_estimation_enabled: false,
            send_passing_statuses_for_untriggered_speculative_plans: false,
            aggregated_commit_status_enabled: true,
            speculative_plan_management_enabled: true,
            allow_force_delete_workspaces: false,
            owners_team_saml_role_id: None,
            assessments_enforced: false,
            global_module_sharing: false,
            global_provider_sharing: false,
            stacks_enabled: false,
            recoverable_items_enabled: false,
            default_execution_mode: ExecutionMode::Remote,
            stacks_default_execution_mode: ExecutionMode::Remote,
        }
    }
}

impl From<serde_json::Value> for Settings {
    /// Reads what an earlier or later release stored: what is missing or not understood has its default.
    fn from(stored: serde_json::Value) -> Self {
        serde_json::from_value(stored).unwrap_or_else(|fault| {
            log::error!("an organization's stored settings cannot be read and count as the default: {fault}");
            Self::default()
        })
    }
}

/// The names that pages of the console have where those of an organization begin with its name.
const RESERVED: [&str; 6] = ["settings", "inspect", "admin", "new", "login", "sign-in"];

fn valid_name(name: &str) -> Result<(), ValidationError> {
    crate::jsonapi::valid_name(name)?;
    if RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
        let message = format!("Name must not be one that a page of the console has: {}", RESERVED.join(", "));
        return Err(ValidationError::new("reserved").with_message(message.into()));
    }
    Ok(())
}

/// What a client may write of an organization.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OrganizationAttributes {
    /// `name`: 1 to 90 letters, digits, hyphens and underscores, and none of the names that pages of the console have.
    #[validate(custom(function = "valid_name"))]
    #[schema(pattern = "^[A-Za-z0-9_-]{1,90}$")]
    pub name: Option<String>,
    /// `email`: an e-mail address.
    #[validate(email, length(max = 254))]
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
    /// `max-ttl-enabled`: whether TTL policies are in force.
    pub max_ttl_enabled: Option<bool>,
    /// `allowed-token-roles`: the roles that tokens which belong to it may have; null for all. A token of a
    /// higher one has the highest that is allowed.
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "valid_roles"))]
    #[schema(min_items = 1, max_items = 5)]
    pub allowed_token_roles: Option<Option<Vec<Role>>>,
    /// `default-token-format`: what the secret of a new token is unless its maker says otherwise.
    pub default_token_format: Option<Format>,
    /// `default-token-ttl`: how long a new token lives unless its maker says otherwise: 1 to 9999 hours, days or years, as
    /// `90d`; null for what the service says.
    #[serde(default, deserialize_with = "present")]
    pub default_token_ttl: Option<Option<Period>>,
    /// `user-tokens-enabled`: whether tokens of users, other than service accounts, let them in.
    pub user_tokens_enabled: Option<bool>,
    /// `session-timeout`: minutes; null for the default.
    #[serde(default, deserialize_with = "present")]
    #[validate(range(min = 1, message = "Session timeout must be at least 1 minute"))]
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pub session_timeout: Option<Option<i32>>,
    /// `session-remember`: minutes; null for the default.
    #[serde(default, deserialize_with = "present")]
    #[validate(range(min = 1, message = "Session remember must be at least 1 minute"))]
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pub session_remember: Option<Option<i32>>,
    /// `owners-team-saml-role-id`: at most 256 characters; null for none.
    #[serde(default, deserialize_with = "present")]
    #[validate(length(max = 256))]
    #[schema(max_length = 256)]
    pub owners_team_saml_role_id: Option<Option<String>>,
    /// `collaborator-auth-policy`.
    pub collaborator_auth_policy: Option<AuthPolicy>,
    /// `cost-estimation-enabled`.
    pub cost_estimation_enabled: Option<bool>,
    /// `send-passing-statuses-for-untriggered-speculative-plans`.
    pub send_passing_statuses_for_untriggered_speculative_plans: Option<bool>,
    /// `aggregated-commit-status-enabled`.
    pub aggregated_commit_status_enabled: Option<bool>,
    /// `speculative-plan-management-enabled`.
    pub speculative_plan_management_enabled: Option<bool>,
    /// `allow-force-delete-workspaces`.
    pub allow_force_delete_workspaces: Option<bool>,
    /// `assessments-enforced`.
    pub assessments_enforced: Option<bool>,
    /// `global-module-sharing`.
    pub global_module_sharing: Option<bool>,
    /// `global-provider-sharing`.
    pub global_provider_sharing: Option<bool>,
    /// `stacks-enabled`.
    pub stacks_enabled: Option<bool>,
    /// `recoverable-items-enabled`.
    pub recoverable_items_enabled: Option<bool>,
    /// `default-execution-mode`.
    pub default_execution_mode: Option<ExecutionMode>,
    /// `stacks-default-execution-mode`: `remote` or `agent`.
    #[validate(custom(function = "valid_for_stacks"))]
    pub stacks_default_execution_mode: Option<ExecutionMode>,
}

fn valid_for_stacks(mode: &ExecutionMode) -> Result<(), validator::ValidationError> {
    if *mode == ExecutionMode::Local {
        let fault = validator::ValidationError::new("enum");
        return Err(fault.with_message("Stacks default execution mode must be one of remote, agent".into()));
    }
    Ok(())
}

impl OrganizationAttributes {
    /// The settings after the change.
    #[must_use]
    pub fn applied_to(&self, settings: Settings) -> Settings {
        macro_rules! changed {
            ($($name:ident),+) => {
                Settings { $($name: self.$name.clone().unwrap_or(settings.$name),)+ }
            };
        }
        changed!(
            session_timeout,
            session_remember,
            collaborator_auth_policy,
            cost_estimation_enabled,
            send_passing_statuses_for_untriggered_speculative_plans,
            aggregated_commit_status_enabled,
            speculative_plan_management_enabled,
            allow_force_delete_workspaces,
            owners_team_saml_role_id,
            assessments_enforced,
            global_module_sharing,
            global_provider_sharing,
            stacks_enabled,
            recoverable_items_enabled,
            default_execution_mode,
            stacks_default_execution_mode
        )
    }
}

/// Locks the organization that the request is about.
///
/// # Errors
/// 404 if there is none.
pub(crate) fn lock_own(connection: &mut PgConnection, caller: &Caller) -> crate::jsonapi::Result<OrganizationId> {
    Ok(super::lock(connection, caller.organization()?)?.id)
}
