-- Projects, workspaces, and the access that teams have to them.

-- A named group of workspaces. An organization has one from the start, its default project, whose key is the
-- organization's own: so there is never another one, and nobody has to look for it.
CREATE TABLE all_projects (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES all_organizations (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_-][A-Za-z0-9 _-]{1,38}[A-Za-z0-9_-]$'),
    description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 256),
    -- Settings of the HCP API that mean nothing to a token service: kept and returned.
    settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    -- Keys with values, which its workspaces inherit.
    tag_bindings jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(tag_bindings) = 'array'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT projects_organization_id_key UNIQUE (organization_id, id)
);
CREATE UNIQUE INDEX projects_name_key ON all_projects (organization_id, lower(name)) WHERE deleted_at IS NULL;
-- The list of an organization's projects in the order of their creation, the default project first.
CREATE INDEX projects_created_at ON all_projects (organization_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX projects_deleted ON all_projects (deleted_at) WHERE deleted_at IS NOT NULL;

-- A project has gone with its organization before its own row says so.
CREATE VIEW projects AS
SELECT id, organization_id, name, description, settings, tag_bindings, created_at, updated_at
FROM all_projects
WHERE deleted_at IS NULL AND EXISTS (SELECT FROM organizations WHERE organizations.id = organization_id);

-- Keys of tag bindings that an organization gives a meaning to.
CREATE TABLE reserved_tag_keys (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES all_organizations (id) ON DELETE CASCADE,
    key text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 128),
    -- Whether a workspace cannot have another value than its project.
    disable_overrides boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reserved_tag_keys_key UNIQUE (organization_id, key)
);
CREATE INDEX reserved_tag_keys_created_at ON reserved_tag_keys (organization_id, created_at, id);

-- A named thing in an organization that teams get access to.
CREATE TABLE all_workspaces (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES all_organizations (id) ON DELETE CASCADE,
    -- A project goes only without workspaces.
    project_id uuid NOT NULL,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_-]{1,90}$'),
    description text CHECK (char_length(description) <= 1000),
    -- Settings of the HCP API that mean nothing to a token service: kept and returned.
    settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- What an organization groups its workspaces by beside tags: keys with values.
    tag_bindings jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(tag_bindings) = 'array'),
    -- What its tokens may reach at other services.
    abilities text[] NOT NULL DEFAULT '{}' CONSTRAINT workspaces_abilities CHECK (cardinality(abilities) <= 100),
    -- The roles that its tokens may have, of those that the organization allows; null for all of these.
    allowed_token_roles text[] CONSTRAINT workspaces_token_roles CHECK (are_roles(allowed_token_roles)),
    -- What the secret of a new token is unless its maker says otherwise; null for what the organization says.
    default_token_format text CHECK (default_token_format IN ('opaque', 'jwt')),
    -- Since when it is locked, by whom, and what that one said about it. Whoever it was may be deleted since.
    locked_at timestamptz,
    locked_by_type text CHECK (locked_by_type IN ('user', 'team', 'organization')),
    locked_by_id uuid,
    lock_reason text CHECK (char_length(lock_reason) <= 1000),
    deleted_at timestamptz,
    CONSTRAINT workspaces_lock CHECK (
        num_nonnulls(locked_at, locked_by_type, locked_by_id) IN (0, 3)
        AND (locked_at IS NOT NULL OR lock_reason IS NULL)
    ),
    CONSTRAINT workspaces_organization_id_key UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES all_projects (organization_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX workspaces_name_key ON all_workspaces (organization_id, lower(name)) WHERE deleted_at IS NULL;
-- The list of an organization's workspaces, in its default order.
CREATE INDEX workspaces_name ON all_workspaces (organization_id, name, id) WHERE deleted_at IS NULL;
-- Those of a project, also the deleted ones: as long as one is there, so is its project.
CREATE INDEX workspaces_project ON all_workspaces (project_id, name, id);
-- By name also those that are deleted, whose tokens are still listed.
CREATE INDEX workspaces_named ON all_workspaces (lower(name), organization_id);
CREATE INDEX workspaces_deleted ON all_workspaces (deleted_at) WHERE deleted_at IS NOT NULL;

-- A name that workspaces of an organization are grouped by. It stays until it is deleted itself.
CREATE TABLE tags (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES all_organizations (id) ON DELETE CASCADE,
    -- Sorted the same everywhere, whatever the locale of the database.
    name text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z0-9]([a-z0-9_:-]{0,253}[a-z0-9])?$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tags_name_key UNIQUE (organization_id, name),
    CONSTRAINT tags_organization_id_key UNIQUE (organization_id, id)
);

-- Which workspace has which tag.
CREATE TABLE workspace_tags (
    workspace_id uuid NOT NULL,
    tag_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    PRIMARY KEY (workspace_id, tag_id),
    FOREIGN KEY (organization_id, workspace_id) REFERENCES all_workspaces (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, tag_id) REFERENCES tags (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX workspace_tags_tag ON workspace_tags (tag_id, workspace_id);
CREATE INDEX workspace_tags_organization ON workspace_tags (organization_id);

-- Which workspace may read the state of which other one of the same organization: kept and returned.
CREATE TABLE remote_state_consumers (
    workspace_id uuid NOT NULL,
    consumer_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    PRIMARY KEY (workspace_id, consumer_id),
    FOREIGN KEY (organization_id, workspace_id) REFERENCES all_workspaces (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, consumer_id) REFERENCES all_workspaces (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX remote_state_consumers_consumer ON remote_state_consumers (consumer_id);
CREATE INDEX remote_state_consumers_organization ON remote_state_consumers (organization_id);

-- A workspace has gone with its organization before its own row says so.
CREATE VIEW workspaces AS
SELECT
    id, organization_id, project_id, name, description, settings, created_at, updated_at,
    ARRAY(
        SELECT tags.name FROM workspace_tags JOIN tags ON tags.id = workspace_tags.tag_id
        WHERE workspace_tags.workspace_id = all_workspaces.id ORDER BY tags.name
    ) AS tags,
    tag_bindings, abilities, allowed_token_roles, default_token_format, locked_at, locked_by_type, locked_by_id,
    lock_reason
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

-- A team's access to a project of the same organization, and to all workspaces in it.
CREATE TABLE team_projects (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    team_id uuid NOT NULL,
    project_id uuid NOT NULL,
    access text NOT NULL CHECK (access IN ('read', 'write', 'maintain', 'admin', 'custom')),
    -- What the access level grants, or what was chosen for a custom one: in the project,
    settings text NOT NULL CHECK (settings IN ('read', 'update', 'delete')),
    teams text NOT NULL CHECK (teams IN ('none', 'read', 'manage')),
    variable_sets text NOT NULL CHECK (variable_sets IN ('none', 'read', 'write')),
    -- and in its workspaces.
    runs text NOT NULL CHECK (runs IN ('read', 'plan', 'apply')),
    variables text NOT NULL CHECK (variables IN ('none', 'read', 'write')),
    state_versions text NOT NULL CHECK (state_versions IN ('none', 'read-outputs', 'read', 'write')),
    sentinel_mocks text NOT NULL CHECK (sentinel_mocks IN ('none', 'read')),
    locking boolean NOT NULL,
    run_tasks boolean NOT NULL,
    policy_overrides boolean NOT NULL,
    creates boolean NOT NULL,
    moves boolean NOT NULL,
    deletes boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_projects_key UNIQUE (team_id, project_id),
    FOREIGN KEY (organization_id, team_id) REFERENCES all_teams (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, project_id) REFERENCES all_projects (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX team_projects_project ON team_projects (project_id, created_at, id);
CREATE INDEX team_projects_organization ON team_projects (organization_id);
