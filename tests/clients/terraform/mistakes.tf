# What people get wrong most: a name that is taken, what they may not do, what is not there. Each resource below fails, and
# what terraform prints must say what to do.

terraform {
  required_providers {
    tfe = { source = "hashicorp/tfe" }
  }
}

provider "tfe" {
  # The address and the token come from TFE_HOSTNAME and TFE_TOKEN.
}

# Whoever is in the team `ci` and nothing more.
provider "tfe" {
  alias = "member"
  token = tfe_team_token.member.token
}

resource "tfe_organization" "acme" {
  name  = "acme"
  email = "ops@example.com"
}

resource "tfe_project" "ours" {
  organization = tfe_organization.acme.name
  name         = "ours"
}

resource "tfe_team" "ci" {
  organization = tfe_organization.acme.name
  name         = "ci"
  visibility   = "organization"
}

resource "tfe_team_token" "member" {
  team_id     = tfe_team.ci.id
  description = "member"
}

resource "tfe_workspace" "prod" {
  organization = tfe_organization.acme.name
  name         = "prod"
}

resource "tfe_organization_membership" "ada" {
  organization = tfe_organization.acme.name
  email        = "ada@example.com"
}

resource "tfe_team_access" "ci" {
  team_id      = tfe_team.ci.id
  workspace_id = tfe_workspace.prod.id
  access       = "read"
}

resource "tfe_team_project_access" "ci" {
  team_id    = tfe_team.ci.id
  project_id = tfe_project.ours.id
  access     = "read"
}

resource "tfe_organization_token" "acme" {
  organization = tfe_organization.acme.name
}

# What is taken.

resource "tfe_organization" "taken" {
  name       = "acme"
  email      = "ops@example.com"
  depends_on = [tfe_organization.acme]
}

resource "tfe_project" "taken" {
  organization = tfe_organization.acme.name
  name         = "Ours"
  depends_on   = [tfe_project.ours]
}

resource "tfe_team" "taken" {
  organization = tfe_organization.acme.name
  name         = "ci"
  depends_on   = [tfe_team.ci]
}

resource "tfe_team_token" "taken" {
  team_id     = tfe_team.ci.id
  description = "member"
  depends_on  = [tfe_team_token.member]
}

resource "tfe_workspace" "taken" {
  organization = tfe_organization.acme.name
  name         = "prod"
  depends_on   = [tfe_workspace.prod]
}

resource "tfe_organization_membership" "taken" {
  organization = tfe_organization.acme.name
  email        = "ada@example.com"
  depends_on   = [tfe_organization_membership.ada]
}

resource "tfe_team_access" "taken" {
  team_id      = tfe_team.ci.id
  workspace_id = tfe_workspace.prod.id
  access       = "write"
  depends_on   = [tfe_team_access.ci]
}

resource "tfe_team_project_access" "taken" {
  team_id    = tfe_team.ci.id
  project_id = tfe_project.ours.id
  access     = "write"
  depends_on = [tfe_team_project_access.ci]
}

resource "tfe_organization_token" "taken" {
  organization = tfe_organization.acme.name
  depends_on   = [tfe_organization_token.acme]
}

# What a member of the team may not do.

resource "tfe_project" "refused" {
  provider     = tfe.member
  organization = tfe_organization.acme.name
  name         = "theirs"
}

resource "tfe_team" "refused" {
  provider     = tfe.member
  organization = tfe_organization.acme.name
  name         = "theirs"
}

resource "tfe_workspace" "refused" {
  provider     = tfe.member
  organization = tfe_organization.acme.name
  name         = "theirs"
}

resource "tfe_organization_membership" "refused" {
  provider     = tfe.member
  organization = tfe_organization.acme.name
  email        = "bob@example.com"
}

resource "tfe_team_organization_member" "refused" {
  provider                   = tfe.member
  team_id                    = tfe_team.ci.id
  organization_membership_id = tfe_organization_membership.ada.id
}

resource "tfe_team_access" "refused" {
  provider     = tfe.member
  team_id      = tfe_team.ci.id
  workspace_id = tfe_workspace.prod.id
  access       = "admin"
  depends_on   = [tfe_team_access.ci]
}

resource "tfe_team_project_access" "refused" {
  provider   = tfe.member
  team_id    = tfe_team.ci.id
  project_id = tfe_project.ours.id
  access     = "admin"
  depends_on = [tfe_team_project_access.ci]
}

resource "tfe_team_token" "refused" {
  provider    = tfe.member
  team_id     = tfe_organization.acme.name == "" ? "" : tfe_team.secret.id
  description = "theirs"
}

resource "tfe_team" "secret" {
  organization = tfe_organization.acme.name
  name         = "secret"
}

resource "tfe_organization_token" "refused" {
  provider     = tfe.member
  organization = tfe_organization.acme.name
}

resource "tfe_audit_trail_token" "refused" {
  provider     = tfe.member
  organization = tfe_organization.acme.name
}

resource "tfe_org_max_token_ttl_policy" "refused" {
  provider           = tfe.member
  organization       = tfe_organization.acme.name
  team_token_max_ttl = "2y"
}

resource "tfe_organization_default_settings" "refused" {
  provider               = tfe.member
  organization           = tfe_organization.acme.name
  default_execution_mode = "local"
}

# What is not there.

resource "tfe_project" "missing" {
  organization = "nowhere"
  name         = "ours"
}

resource "tfe_team" "missing" {
  organization = "nowhere"
  name         = "ci"
}

resource "tfe_workspace" "missing" {
  organization = tfe_organization.acme.name
  name         = "elsewhere"
  project_id   = "prj-1111111111111111"
}

resource "tfe_organization_membership" "missing" {
  organization = "nowhere"
  email        = "ada@example.com"
}

resource "tfe_team_organization_member" "missing" {
  team_id                    = tfe_team.ci.id
  organization_membership_id = "ou-1111111111111111"
}

resource "tfe_team_access" "missing" {
  team_id      = "team-1111111111111111"
  workspace_id = tfe_workspace.prod.id
  access       = "read"
}

resource "tfe_team_project_access" "missing" {
  team_id    = "team-1111111111111111"
  project_id = tfe_project.ours.id
  access     = "read"
}

resource "tfe_team_token" "missing" {
  team_id     = "team-1111111111111111"
  description = "build"
}

resource "tfe_organization_token" "missing" {
  organization = "nowhere"
}

resource "tfe_audit_trail_token" "missing" {
  organization = "nowhere"
}

resource "tfe_org_max_token_ttl_policy" "missing" {
  organization       = "nowhere"
  team_token_max_ttl = "2y"
}

resource "tfe_organization_default_settings" "missing" {
  organization           = "nowhere"
  default_execution_mode = "local"
}
