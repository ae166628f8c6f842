//! Settings of the HCP API that mean nothing to a token service: validated, stored and returned, so that the `tfe`
//! provider sees no drift (docs/design.md §5).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::{Role, valid_roles};
use crate::credential::{Ability, Format, valid_abilities};
use crate::jsonapi::{Error, Result, Timestamp, present};
use crate::organizations::ExecutionMode;
use crate::projects::valid_duration;

/// A workspace's settings as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Settings {
    /// `agent-pool-id`; Latchkey knows no pools, so that it can be any.
    pub agent_pool_id: Option<String>,
    pub allow_destroy_plan: bool,
    pub assessments_enabled: bool,
    pub auto_apply: bool,
    pub auto_apply_run_trigger: bool,
    pub auto_destroy_at: Option<Timestamp>,
    /// `auto-destroy-activity-duration`: days or hours, such as `14d`.
    pub auto_destroy_activity_duration: Option<String>,
    /// `execution-mode`; none for the organization's default.
    pub execution_mode: Option<ExecutionMode>,
    pub file_triggers_enabled: bool,
    pub global_remote_state: bool,
    pub project_remote_state: bool,
    pub migration_environment: Option<String>,
    pub queue_all_runs: bool,
    pub speculative_enabled: bool,
    pub source_name: Option<String>,
    pub source_url: Option<String>,
    pub structured_run_output_enabled: bool,
    /// `terraform-version`: a version, a constraint or `latest`.
    pub terraform_version: String,
    pub trigger_prefixes: Vec<String>,
    pub trigger_patterns: Vec<String>,
    pub vcs_repo: Option<VcsRepo>,
    pub working_directory: Option<String>,
    pub hyok_enabled: Option<bool>,
    pub setting_overwrites: SettingOverwrites,
}

impl Default for Settings {
    /// What the HCP API gives to a new workspace.
    fn default() -> Self {
        Self {
            agent_pool_id: None,
            allow_destroy_plan: true,
            assessments_enabled: false,
            auto_apply: false,
            auto_apply_run_trigger: false,
            auto_destroy_at: None,
            auto_destroy_activity_duration: None,
            execution_mode: None,
            file_triggers_enabled: true,
            global_remote_state: true,
            project_remote_state: false,
            migration_environment: None,
            queue_all_runs: false,
            speculative_enabled: true,
            source_name: None,
            source_url: None,
            structured_run_output_enabled: true,
            terraform_version: "latest".to_owned(),
            trigger_prefixes: vec![],
            trigger_patterns: vec![],
            vcs_repo: None,
            working_directory: None,
            hyok_enabled: None,
            setting_overwrites: SettingOverwrites::default(),
        }
    }
}

impl From<serde_json::Value> for Settings {
    /// Reads what an earlier or later release stored: what is missing or not understood has its default.
    fn from(stored: serde_json::Value) -> Self {
        serde_json::from_value(stored).unwrap_or_else(|fault| {
            log::error!("a workspace's stored settings cannot be read and count as the default: {fault}");
            Self::default()
        })
    }
}

impl Settings {
    /// Whether it goes by its project when the workspace is destroyed: it has no time and no duration of its own.
    #[must_use]
    pub const fn inherits_auto_destroy(&self) -> bool {
        self.auto_destroy_at.is_none() && self.auto_destroy_activity_duration.is_none()
    }

    /// The settings, if they can be together. The words are those of the HCP API, which clients show.
    ///
    /// # Errors
    /// 422 for each that cannot.
    fn checked(self) -> Result<Self> {
        let fault = |name: &str, detail: &str| Error::attribute(format!("/data/attributes/{name}"), detail);
        let patterns = (!self.trigger_patterns.is_empty() && !self.file_triggers_enabled).then(|| {
            let detail = "'trigger_patterns' cannot be populated when 'file_triggers_enabled' is set to false.";
            fault("trigger-patterns", detail)
        });
        let remote = (self.project_remote_state && self.global_remote_state).then(|| {
            let detail = "Project remote state cannot be enabled when global remote state sharing is enabled";
            fault("project-remote-state", detail)
        });
        Error::check(patterns.into_iter().chain(remote))?;
        Ok(self)
    }
}

/// Which settings are the workspace's own, and not the organization's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct SettingOverwrites {
    pub execution_mode: bool,
    pub agent_pool: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct VcsRepo {
    /// `branch`; none for the repository's default.
    pub branch: Option<String>,
    pub identifier: Option<String>,
    pub ingress_submodules: bool,
    pub oauth_token_id: Option<String>,
    pub github_app_installation_id: Option<String>,
    pub tags_regex: Option<String>,
}

impl VcsRepo {
    /// Shipped clients send an empty string for what they say nothing of.
    fn check(&self) -> Result<()> {
        let missing = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
        let fault = |name: &str, detail: &str| Error::attribute(format!("/data/attributes/vcs-repo/{name}"), detail);
        if missing(&self.identifier) {
            return Err(fault("identifier", "Identifier is required of a repository"));
        }
        if missing(&self.oauth_token_id) && missing(&self.github_app_installation_id) {
            let detail = "A repository needs an oauth-token-id or a github-app-installation-id";
            return Err(fault("oauth-token-id", detail));
        }
        let texts = [
            ("branch", &self.branch),
            ("identifier", &self.identifier),
            ("oauth-token-id", &self.oauth_token_id),
            ("github-app-installation-id", &self.github_app_installation_id),
            ("tags-regex", &self.tags_regex),
        ];
        let long = texts.into_iter().filter(|(_, text)| text.as_ref().is_some_and(|text| text.chars().count() > 256));
        Error::check(long.map(|(name, _)| fault(name, "Must be at most 256 characters long")))
    }
}

/// What a client may write of `setting-overwrites`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct OverwriteChanges {
    /// `execution-mode`.
    pub execution_mode: Option<bool>,
    /// `agent-pool`.
    pub agent_pool: Option<bool>,
}

/// What a client may write of `vcs-repo`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct VcsRepoChanges {
    /// `branch`.
    #[serde(deserialize_with = "present")]
    pub branch: Option<Option<String>>,
    /// `identifier`.
    pub identifier: Option<String>,
    /// `ingress-submodules`.
    pub ingress_submodules: Option<bool>,
    /// `oauth-token-id`.
    #[serde(deserialize_with = "present")]
    pub oauth_token_id: Option<Option<String>>,
    /// `github-app-installation-id`.
    #[serde(deserialize_with = "present")]
    pub github_app_installation_id: Option<Option<String>>,
    /// `tags-regex`.
    #[serde(deserialize_with = "present")]
    pub tags_regex: Option<Option<String>>,
}

/// What a client may write of a workspace.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct WorkspaceAttributes {
    /// `name`: 1 to 90 letters, digits, hyphens and underscores.
    #[validate(custom(function = "crate::jsonapi::valid_name"))]
    #[schema(pattern = "^[A-Za-z0-9_-]{1,90}$")]
    pub name: Option<String>,
    /// `description`: at most 1000 characters; null for none.
    #[serde(deserialize_with = "present")]
    #[validate(length(max = 1000))]
    #[schema(max_length = 1000)]
    pub description: Option<Option<String>>,
    /// `agent-pool-id`: only where the execution mode is `agent`.
    #[serde(deserialize_with = "present")]
    #[validate(length(max = 256))]
    #[schema(max_length = 256)]
    pub agent_pool_id: Option<Option<String>>,
    /// `allow-destroy-plan`.
    pub allow_destroy_plan: Option<bool>,
    /// `assessments-enabled`.
    pub assessments_enabled: Option<bool>,
    /// `auto-apply`.
    pub auto_apply: Option<bool>,
    /// `auto-apply-run-trigger`.
    pub auto_apply_run_trigger: Option<bool>,
    /// `auto-destroy-at`: an RFC 3339 time; null for never. Without a duration beside it the duration goes.
    #[serde(deserialize_with = "present")]
    pub auto_destroy_at: Option<Option<Timestamp>>,
    /// `auto-destroy-activity-duration`: 1 to 4 digits and `d` or `h`; null for none.
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "valid_duration"))]
    #[schema(pattern = "^[0-9]{1,4}[dh]$")]
    pub auto_destroy_activity_duration: Option<Option<String>>,
    /// `inherits-project-auto-destroy`: taken and not used, as it is whether the workspace has neither of the two.
    pub inherits_project_auto_destroy: Option<bool>,
    /// `execution-mode`.
    pub execution_mode: Option<ExecutionMode>,
    /// `operations`: the older spelling of `execution-mode`, true for `remote` and false for `local`.
    pub operations: Option<bool>,
    /// `file-triggers-enabled`.
    pub file_triggers_enabled: Option<bool>,
    /// `global-remote-state`.
    pub global_remote_state: Option<bool>,
    /// `project-remote-state`: not together with `global-remote-state`.
    pub project_remote_state: Option<bool>,
    /// `migration-environment`.
    #[serde(deserialize_with = "present")]
    #[validate(length(max = 256))]
    #[schema(max_length = 256)]
    pub migration_environment: Option<Option<String>>,
    /// `queue-all-runs`.
    pub queue_all_runs: Option<bool>,
    /// `speculative-enabled`.
    pub speculative_enabled: Option<bool>,
    /// `source-name`.
    #[serde(deserialize_with = "present")]
    #[validate(length(max = 256))]
    #[schema(max_length = 256)]
    pub source_name: Option<Option<String>>,
    /// `source-url`: at most 2048 characters.
    #[serde(deserialize_with = "present")]
    #[validate(url, length(max = 2048))]
    #[schema(format = "uri", max_length = 2048)]
    pub source_url: Option<Option<String>>,
    /// `structured-run-output-enabled`.
    pub structured_run_output_enabled: Option<bool>,
    /// `terraform-version`: a version, constraints with commas, or `latest`; 1 to 100 characters.
    #[validate(custom(function = "valid_terraform_version"))]
    #[schema(min_length = 1, max_length = 100)]
    pub terraform_version: Option<String>,
    /// `trigger-prefixes`: not together with `trigger-patterns`, whose place it takes.
    #[validate(custom(function = "valid_paths"))]
    pub trigger_prefixes: Option<Vec<String>>,
    /// `trigger-patterns`: not together with `trigger-prefixes`, whose place it takes; only while `file-triggers-enabled`.
    #[validate(custom(function = "valid_paths"))]
    pub trigger_patterns: Option<Vec<String>>,
    /// `vcs-repo`; null takes it away.
    #[serde(deserialize_with = "present")]
    pub vcs_repo: Option<Option<VcsRepoChanges>>,
    /// `working-directory`: at most 1000 characters.
    #[serde(deserialize_with = "present")]
    #[validate(length(max = 1000))]
    #[schema(max_length = 1000)]
    pub working_directory: Option<Option<String>>,
    /// `hyok-enabled`.
    pub hyok_enabled: Option<bool>,
    /// `setting-overwrites`: false gives a setting back to the organization.
    pub setting_overwrites: Option<OverwriteChanges>,
    /// `abilities`: what its tokens may reach at other services, at most 100, each once.
    #[validate(custom(function = "valid_abilities"))]
    #[schema(max_items = 100)]
    pub abilities: Option<Vec<Ability>>,
    /// `allowed-token-roles`: the roles that its tokens may have, of those that the organization allows; null for all of these.
    #[serde(deserialize_with = "present")]
    #[validate(custom(function = "valid_roles"))]
    #[schema(min_items = 1, max_items = 5)]
    pub allowed_token_roles: Option<Option<Vec<Role>>>,
    /// `default-token-format`: what the secret of a new token is unless its maker says otherwise; null for what the
    /// organization says.
    #[serde(deserialize_with = "present")]
    pub default_token_format: Option<Option<Format>>,
}

/// Whether it can name a version of Terraform. Latchkey does not know which there are.
fn valid_terraform_version(text: &str) -> Result<(), ValidationError> {
    if text.len() <= 100 && (text == "latest" || text.split(',').all(is_constraint)) {
        return Ok(());
    }
    let message = "Terraform version must be a version such as 1.9.8, constraints such as ~> 1.9.0, or latest, and at most \
                   100 characters long";
    Err(ValidationError::new("terraform-version").with_message(message.into()))
}

/// Whether it is a version, or one after an operator.
fn is_constraint(text: &str) -> bool {
    const OPERATORS: [&str; 7] = ["~>", ">=", "<=", "!=", "=", ">", "<"];
    let text = text.trim();
    let version = OPERATORS.iter().find_map(|operator| text.strip_prefix(operator)).unwrap_or(text).trim_start();
    let version = version.strip_prefix('v').unwrap_or(version);
    let (numbers, label) = version.find(['-', '+']).map_or((version, None), |end| {
        let (numbers, label) = version.split_at(end);
        (numbers, Some(&label[1..]))
    });
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let in_label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '~');
    numbers.split('.').all(is_number) && label.is_none_or(|label| !label.is_empty() && label.chars().all(in_label))
}

fn valid_paths(paths: &[String]) -> Result<(), ValidationError> {
    if paths.len() <= 100 && paths.iter().all(|path| path.chars().count() <= 1000) {
        return Ok(());
    }
    Err(ValidationError::new("paths").with_message("Must be at most 100 paths of at most 1000 characters".into()))
}

impl WorkspaceAttributes {
    /// The settings after the change.
    ///
    /// # Errors
    /// 422 for settings that cannot be together.
    pub fn applied_to(&self, settings: Settings) -> Result<Settings> {
        let mode = self.mode(&settings)?;
        let (trigger_prefixes, trigger_patterns) = self.triggers(&settings)?;
        let auto_destroy_activity_duration = self.duration(&settings);
        let vcs_repo = self.repository(settings.vcs_repo)?;
        macro_rules! changed {
            ($($name:ident),+) => {
                Settings {
                    $($name: self.$name.clone().unwrap_or(settings.$name),)+
                    agent_pool_id: mode.agent_pool_id,
                    execution_mode: mode.execution_mode,
                    setting_overwrites: mode.overwrites,
                    hyok_enabled: self.hyok_enabled.or(settings.hyok_enabled),
                    auto_destroy_activity_duration,
                    trigger_prefixes,
                    trigger_patterns,
                    vcs_repo,
                }
            };
        }
        changed!(
            allow_destroy_plan,
            assessments_enabled,
            auto_apply,
            auto_apply_run_trigger,
            auto_destroy_at,
            file_triggers_enabled,
            global_remote_state,
            project_remote_state,
            migration_environment,
            queue_all_runs,
            speculative_enabled,
            source_name,
            source_url,
            structured_run_output_enabled,
            terraform_version,
            working_directory
        )
        .checked()
    }

    /// How long a workspace may be idle. Who writes only when it is to be destroyed takes that in its place.
    fn duration(&self, before: &Settings) -> Option<String> {
        match (&self.auto_destroy_activity_duration, &self.auto_destroy_at) {
            (Some(written), _) => written.clone(),
            (None, Some(_)) => None,
            (None, None) => before.auto_destroy_activity_duration.clone(),
        }
    }

    /// Where runs are executed. A value that is written overwrites the organization's default by itself.
    fn mode(&self, before: &Settings) -> Result<Mode> {
        if self.operations.is_some() && self.execution_mode.is_some() {
            let detail = "Operations cannot be written together with execution-mode";
            return Err(Error::attribute("/data/attributes/operations", detail));
        }
        let by_operations =
            self.operations.map(|remote| if remote { ExecutionMode::Remote } else { ExecutionMode::Local });
        let written = self.execution_mode.or(by_operations);
        let pool = self.agent_pool_id.clone().flatten().filter(|id| !id.is_empty());
        let asked = self.setting_overwrites.unwrap_or_default();
        let overwrites = SettingOverwrites {
            execution_mode: asked
                .execution_mode
                .unwrap_or(before.setting_overwrites.execution_mode || written.is_some()),
            agent_pool: asked.agent_pool.unwrap_or(before.setting_overwrites.agent_pool || pool.is_some()),
        };
        let execution_mode = written.or(before.execution_mode).filter(|_| overwrites.execution_mode);
        if overwrites.execution_mode && execution_mode.is_none() {
            let detail = "Execution mode is required where it is overwritten";
            return Err(Error::attribute("/data/attributes/execution-mode", detail));
        }
        let agent = execution_mode == Some(ExecutionMode::Agent);
        if pool.is_some() && !agent {
            let detail = "Agent pool id can be there only where execution-mode is agent";
            return Err(Error::attribute("/data/attributes/agent-pool-id", detail));
        }
        let kept = if self.agent_pool_id.is_some() { pool } else { before.agent_pool_id.clone() };
        let agent_pool_id = kept.filter(|_| agent && overwrites.agent_pool);
        if agent && agent_pool_id.is_none() && asked.agent_pool != Some(false) {
            let detail = "Agent pool id is required where execution-mode is agent";
            return Err(Error::attribute("/data/attributes/agent-pool-id", detail));
        }
        Ok(Mode { execution_mode, agent_pool_id, overwrites })
    }

    /// Prefixes and patterns: whichever is written takes the place of the other.
    fn triggers(&self, before: &Settings) -> Result<(Vec<String>, Vec<String>)> {
        let (prefixes, patterns) = match (&self.trigger_prefixes, &self.trigger_patterns) {
            (None, None) => (before.trigger_prefixes.clone(), before.trigger_patterns.clone()),
            (prefixes, patterns) => (prefixes.clone().unwrap_or_default(), patterns.clone().unwrap_or_default()),
        };
        if !prefixes.is_empty() && !patterns.is_empty() {
            let detail = "Trigger patterns cannot be there together with trigger-prefixes";
            return Err(Error::attribute("/data/attributes/trigger-patterns", detail));
        }
        Ok((prefixes, patterns))
    }

    fn repository(&self, before: Option<VcsRepo>) -> Result<Option<VcsRepo>> {
        let changes = match &self.vcs_repo {
            None => return Ok(before),
            Some(None) => return Ok(None),
            // A shipped client sends an empty object wherever its caller says nothing of a repository.
            Some(Some(changes)) if *changes == VcsRepoChanges::default() => return Ok(before),
            Some(Some(changes)) => changes.clone(),
        };
        let before = before.unwrap_or_default();
        let repository = VcsRepo {
            branch: changes.branch.unwrap_or(before.branch),
            identifier: changes.identifier.or(before.identifier),
            ingress_submodules: changes.ingress_submodules.unwrap_or(before.ingress_submodules),
            oauth_token_id: changes.oauth_token_id.unwrap_or(before.oauth_token_id),
            github_app_installation_id: changes.github_app_installation_id.unwrap_or(before.github_app_installation_id),
            tags_regex: changes.tags_regex.unwrap_or(before.tags_regex),
        };
        repository.check()?;
        Ok(Some(repository))
    }
}

/// Where runs are executed, as far as it is the workspace's own choice.
struct Mode {
    execution_mode: Option<ExecutionMode>,
    agent_pool_id: Option<String>,
    overwrites: SettingOverwrites,
}
