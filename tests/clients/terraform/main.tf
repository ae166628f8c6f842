# An organization of the size that real ones have, with all that Latchkey keeps. `changed` changes everything that can be
# changed in place.

terraform {
  required_providers {
    tfe = { source = "hashicorp/tfe" }
  }
}

variable "changed" {
  type    = bool
  default = false
}

locals {
  organization = tfe_organization.acme.name
  word         = var.changed ? "changed" : "first"
  people       = [for n in range(50) : format("person-%02d@example.com", n)]
  levels       = ["read", "plan", "write", "admin"]
  inside       = ["read", "write", "maintain", "admin"]
}

provider "tfe" {
  # The address and the token come from TFE_HOSTNAME and TFE_TOKEN.
}

resource "tfe_organization" "acme" {
  name                          = "acme"
  email                         = var.changed ? "admins@example.com" : "ops@example.com"
  max_ttl_enabled               = true
  allow_force_delete_workspaces = var.changed
  assessments_enforced          = false
  owners_team_saml_role_id      = local.word
}

resource "tfe_org_max_token_ttl_policy" "acme" {
  organization              = local.organization
  org_token_max_ttl         = var.changed ? "1y" : "2y"
  team_token_max_ttl        = var.changed ? "90d" : "6mo"
  user_token_max_ttl        = "2y"
  audit_trail_token_max_ttl = "1y"
}

resource "tfe_organization_default_settings" "acme" {
  organization           = local.organization
  default_execution_mode = var.changed ? "local" : "remote"
}

resource "tfe_project" "groups" {
  count                          = 3
  organization                   = local.organization
  name                           = "group ${count.index} ${local.word}"
  description                    = "The ${local.word} group"
  auto_destroy_activity_duration = var.changed ? "14d" : null
  tags                           = { cost_center = local.word, group = tostring(count.index) }
}

# Every other one is secret; the first five may do something in the whole organization.
resource "tfe_team" "teams" {
  count                         = 20
  organization                  = local.organization
  name                          = format("team %02d/%s", count.index, local.word)
  visibility                    = count.index % 2 == 0 ? "secret" : "organization"
  allow_member_token_management = !var.changed
  sso_team_id                   = format("sso-%02d-%s", count.index, local.word)

  dynamic "organization_access" {
    for_each = count.index < 5 ? [1] : []
    content {
      manage_membership = count.index == 0
      manage_teams      = count.index == 1
      manage_projects   = count.index == 2
      manage_workspaces = count.index == 2
      read_projects     = count.index == 3
      read_workspaces   = count.index == 3 || (count.index == 4 && var.changed)
    }
  }
}

resource "tfe_organization_membership" "people" {
  for_each     = toset(local.people)
  organization = local.organization
  email        = each.key
}

# Ten teams have five members each.
resource "tfe_team_organization_members" "members" {
  count   = 10
  team_id = tfe_team.teams[count.index].id
  organization_membership_ids = [
    for n in range(5) : tfe_organization_membership.people[local.people[(count.index * 5 + n + (var.changed ? 1 : 0)) % 50]].id
  ]
}

# The others have one.
resource "tfe_team_organization_member" "member" {
  count                      = 10
  team_id                    = tfe_team.teams[count.index + 10].id
  organization_membership_id = tfe_organization_membership.people[local.people[count.index]].id
}

resource "tfe_workspace" "workspaces" {
  count                 = 30
  organization          = local.organization
  project_id            = tfe_project.groups[(count.index + (var.changed ? 1 : 0)) % 3].id
  name                  = format("workspace-%02d-%s", count.index, local.word)
  description           = "The ${local.word} workspace"
  auto_apply            = var.changed
  file_triggers_enabled = true
  queue_all_runs        = !var.changed
  terraform_version     = var.changed ? "1.11.4" : "1.9.0"
  trigger_prefixes      = var.changed ? ["/modules", "/${local.word}"] : ["/modules"]
  working_directory     = local.word
  tag_names             = ["app", "number:${count.index}", local.word]
  tags                  = { owner = "team-${count.index % 20}", state = local.word }
}

resource "tfe_workspace_settings" "settings" {
  count                     = 10
  workspace_id              = tfe_workspace.workspaces[count.index].id
  auto_apply                = var.changed
  execution_mode            = var.changed ? "remote" : "local"
  global_remote_state       = false
  remote_state_consumer_ids = [for n in range(var.changed ? 3 : 2) : tfe_workspace.workspaces[20 + (count.index + n) % 10].id]
}

resource "tfe_team_access" "access" {
  count        = 20
  team_id      = tfe_team.teams[count.index].id
  workspace_id = tfe_workspace.workspaces[count.index].id
  access       = local.levels[(count.index + (var.changed ? 1 : 0)) % 4]
}

resource "tfe_team_access" "custom" {
  count        = 10
  team_id      = tfe_team.teams[count.index].id
  workspace_id = tfe_workspace.workspaces[count.index + 20].id

  permissions {
    runs              = var.changed ? "apply" : "plan"
    variables         = "read"
    state_versions    = var.changed ? "write" : "read-outputs"
    sentinel_mocks    = "none"
    workspace_locking = var.changed
    run_tasks         = false
  }
}

resource "tfe_team_project_access" "access" {
  count      = 16
  team_id    = tfe_team.teams[count.index].id
  project_id = tfe_project.groups[count.index % 3].id
  access     = local.inside[(count.index + (var.changed ? 1 : 0)) % 4]
}

resource "tfe_team_project_access" "custom" {
  count      = 4
  team_id    = tfe_team.teams[count.index + 16].id
  project_id = tfe_project.groups[0].id
  access     = "custom"

  project_access {
    settings      = var.changed ? "update" : "read"
    teams         = var.changed ? "manage" : "none"
    variable_sets = "write"
  }
  workspace_access {
    runs           = var.changed ? "apply" : "plan"
    state_versions = "read"
    sentinel_mocks = "none"
    variables      = "write"
    create         = true
    locking        = true
    move           = var.changed
    delete         = var.changed
    run_tasks      = false
  }
}

# A change of either makes another token.
resource "tfe_team_token" "named" {
  count       = 20
  team_id     = tfe_team.teams[count.index].id
  description = "build ${local.word}"
  expired_at  = timeadd(var.now, "1200h")

  # The shortest life that the policy allows counts for it.
  depends_on = [tfe_org_max_token_ttl_policy.acme]
}

resource "tfe_team_token" "plain" {
  count      = 5
  team_id    = tfe_team.teams[count.index].id
  depends_on = [tfe_org_max_token_ttl_policy.acme]
}

resource "tfe_organization_token" "acme" {
  organization = local.organization
  depends_on   = [tfe_org_max_token_ttl_policy.acme]
}

resource "tfe_audit_trail_token" "acme" {
  organization = local.organization
  depends_on   = [tfe_org_max_token_ttl_policy.acme]
}

# Made for each run, and gone at its end.
ephemeral "tfe_team_token" "once" {
  team_id    = tfe_team.teams[19].id
  expired_at = timeadd(var.now, "1h")
}

variable "now" {
  description = "When the first run began, in RFC 3339."
  type        = string
}

data "tfe_teams" "all" {
  organization = local.organization
  depends_on   = [tfe_team.teams]
}

data "tfe_workspace_ids" "tagged" {
  organization = local.organization
  tag_names    = ["app"]
  depends_on   = [tfe_workspace.workspaces]
}

data "tfe_projects" "all" {
  organization = local.organization
  depends_on   = [tfe_project.groups]
}

output "found" {
  value = {
    teams      = length(data.tfe_teams.all.names)
    workspaces = length(data.tfe_workspace_ids.tagged.ids)
    projects   = length(data.tfe_projects.all.projects)
  }
}
