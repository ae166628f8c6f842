-- Workspaces, and the access that teams have to them.

-- A named thing in an organization that teams get access to.
CREATE TABLE all_workspaces (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES all_organizations (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_-]{1,90}$'),
    description text CHECK (char_length(description) <= 1000),
    -- Settings of the HCP API that mean nothing to a token service: kept and returned.
    settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- What an organization groups its workspaces by: plain names, and keys with values.
    tags text[] NOT NULL DEFAULT '{}',
    tag_bindings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(tag_bindings) = 'object'),
    -- What its tokens may reach at other services.
    abilities text[] NOT NULL DEFAULT '{}' CONSTRAINT workspaces_abilities CHECK (cardinality(abilities) <= 100),
    -- The roles that its tokens may have, of those that the organization allows; null for all of these.
    allowed_token_roles text[] CONSTRAINT workspaces_token_roles CHECK (are_roles(allowed_token_roles)),
    -- What the secret of a new token is unless its maker says otherwise; null for what the organization says.
    default_token_format text CHECK (default_token_format IN ('opaque', 'jwt')),
    deleted_at timestamptz,
    CONSTRAINT workspaces_organization_id_key UNIQUE (organization_id, id)
);
CREATE UNIQUE INDEX workspaces_name_key ON all_workspaces (organization_id, lower(name)) WHERE deleted_at IS NULL;
-- The list of an organization's workspaces, in its default order.
CREATE INDEX workspaces_name ON all_workspaces (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_tags ON all_workspaces USING gin (tags) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_deleted ON all_workspaces (deleted_at) WHERE deleted_at IS NOT NULL;

-- A workspace has gone with its organization before its own row says so.
CREATE VIEW workspaces AS
SELECT
    id, organization_id, name, description, settings, created_at, updated_at, tags, tag_bindings, abilities,
    allowed_token_roles, default_token_format
FROM all_workspaces
WHERE deleted_at IS NULL AND EXISTS (SELECT FROM organizations WHERE organizations.id = organization_id);

-- A team's access to a workspace of the same organization.
CREATE TABLE team_workspaces (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    team_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    access text NOT NULL CHECK (access IN ('read', 'plan', 'write', 'admin', 'custom')),
    -- What the access level grants, or what was chosen for a custom one.
    runs text NOT NULL CHECK (runs IN ('read', 'plan', 'apply')),
    variables text NOT NULL CHECK (variables IN ('none', 'read', 'write')),
    state_versions text NOT NULL CHECK (state_versions IN ('none', 'read-outputs', 'read', 'write')),
    sentinel_mocks text NOT NULL CHECK (sentinel_mocks IN ('none', 'read')),
    workspace_locking boolean NOT NULL,
    run_tasks boolean NOT NULL,
    policy_overrides boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_workspaces_key UNIQUE (team_id, workspace_id),
    FOREIGN KEY (organization_id, team_id) REFERENCES all_teams (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, workspace_id) REFERENCES all_workspaces (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX team_workspaces_workspace ON team_workspaces (workspace_id, created_at, id);
CREATE INDEX team_workspaces_organization ON team_workspaces (organization_id);
