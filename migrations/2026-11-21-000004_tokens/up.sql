-- One credential. Of its secret only the SHA-256 is kept.
CREATE TABLE tokens (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('user', 'team', 'organization', 'audit-trails', 'workspace')),
    -- The organization that the token belongs to; null for a user's token.
    organization_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
    -- The owner, by kind. An organization's own tokens have just the organization.
    user_id uuid REFERENCES users (id) ON DELETE CASCADE,
    team_id uuid,
    workspace_id uuid,
    description text CHECK (char_length(description) <= 255),
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    token_prefix text NOT NULL CHECK (char_length(token_prefix) = 10),
    format text NOT NULL DEFAULT 'opaque' CHECK (format IN ('opaque', 'jwt')),
    role text NOT NULL DEFAULT 'owner' CHECK (role IN ('viewer', 'member', 'manager', 'admin', 'owner')),
    abilities text[] NOT NULL DEFAULT '{}',
    created_by_user_id uuid REFERENCES users (id) ON DELETE SET NULL,
    created_by_team_id uuid REFERENCES teams (id) ON DELETE SET NULL,
    created_by_organization_id uuid REFERENCES organizations (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    expired_at timestamptz,
    disabled_at timestamptz,
    -- May lie in the future: that is the grace after a regeneration.
    revoked_at timestamptz,
    -- The token that this one succeeds; a token has at most one successor.
    replaces uuid UNIQUE REFERENCES tokens (id) ON DELETE SET NULL,
    last_used_at timestamptz,
    usage_count bigint NOT NULL DEFAULT 0,
    FOREIGN KEY (organization_id, team_id) REFERENCES teams (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT tokens_owner CHECK (
        CASE kind
            WHEN 'user' THEN user_id IS NOT NULL AND num_nonnulls(organization_id, team_id, workspace_id) = 0
            WHEN 'team' THEN num_nonnulls(organization_id, team_id) = 2 AND num_nonnulls(user_id, workspace_id) = 0
            WHEN 'workspace' THEN num_nonnulls(organization_id, workspace_id) = 2 AND num_nonnulls(user_id, team_id) = 0
            ELSE organization_id IS NOT NULL AND num_nonnulls(user_id, team_id, workspace_id) = 0
        END
    ),
    CONSTRAINT tokens_created_by CHECK (
        num_nonnulls(created_by_user_id, created_by_team_id, created_by_organization_id) <= 1
    )
);
CREATE UNIQUE INDEX tokens_hash_key ON tokens (token_hash);
-- One descriptionless token a team, one token of a kind an organization.
CREATE UNIQUE INDEX tokens_one_per_team ON tokens (team_id)
    WHERE kind = 'team' AND description IS NULL AND revoked_at IS NULL;
CREATE UNIQUE INDEX tokens_one_per_organization ON tokens (organization_id, kind)
    WHERE kind IN ('organization', 'audit-trails') AND revoked_at IS NULL;
-- The lists, in the order that they have unless asked otherwise: never comes last.
CREATE INDEX tokens_of_organization ON tokens (organization_id, kind, coalesce(expired_at, 'infinity'), id);
CREATE INDEX tokens_of_team ON tokens (team_id, coalesce(expired_at, 'infinity'), id) WHERE team_id IS NOT NULL;
CREATE INDEX tokens_of_user ON tokens (user_id, created_at, id) WHERE user_id IS NOT NULL;
-- What the foreign keys look up when a creator is deleted.
CREATE INDEX tokens_created_by_user ON tokens (created_by_user_id) WHERE created_by_user_id IS NOT NULL;
CREATE INDEX tokens_created_by_team ON tokens (created_by_team_id) WHERE created_by_team_id IS NOT NULL;
CREATE INDEX tokens_created_by_organization ON tokens (created_by_organization_id)
    WHERE created_by_organization_id IS NOT NULL;

-- A token beside the names that lists search and sort by.
CREATE VIEW listed_tokens AS
SELECT
    tokens.id,
    tokens.kind,
    tokens.organization_id,
    tokens.user_id,
    tokens.team_id,
    tokens.description,
    tokens.created_by_user_id,
    tokens.created_by_team_id,
    tokens.created_by_organization_id,
    tokens.created_at,
    tokens.expired_at,
    tokens.disabled_at,
    tokens.revoked_at,
    tokens.last_used_at,
    teams.name AS team_name,
    teams.owners AS team_owners,
    teams.allow_member_token_management AS team_allows_members,
    coalesce(creating_user.username, creating_team.name, creating_organization.name) AS created_by_name,
    creating_organization.name AS created_by_organization_name
FROM tokens
LEFT JOIN teams ON teams.id = tokens.team_id
LEFT JOIN users AS creating_user ON creating_user.id = tokens.created_by_user_id
LEFT JOIN teams AS creating_team ON creating_team.id = tokens.created_by_team_id
LEFT JOIN organizations AS creating_organization ON creating_organization.id = tokens.created_by_organization_id;
