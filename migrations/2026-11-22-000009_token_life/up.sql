-- What people see of a token's life: who owns it, what it may do, how it stands, what it replaced.
ALTER TABLE tokens ADD CONSTRAINT tokens_abilities CHECK (cardinality(abilities) <= 100);
ALTER TABLE tokens ADD CONSTRAINT tokens_usage_count CHECK (usage_count >= 0);

-- A TTL policy can be made for workspace tokens, too.
ALTER TABLE token_ttl_policies DROP CONSTRAINT token_ttl_policies_token_type_check;
ALTER TABLE token_ttl_policies ADD CONSTRAINT token_ttl_policies_token_type_check
    CHECK (token_type IN ('organization', 'team', 'user', 'audit_trails', 'metrics', 'workspace'));

-- The list of all tokens of an organization, in the order that it has unless asked otherwise: the newest first.
CREATE INDEX tokens_of_organization_newest ON tokens (organization_id, created_at DESC, id);
-- Those of a workspace, in the order of theirs.
DROP INDEX tokens_of_workspace;
CREATE INDEX tokens_of_workspace ON tokens (workspace_id, coalesce(expired_at, 'infinity'), id)
    WHERE workspace_id IS NOT NULL;

-- A token beside the names that lists search and sort by, and how it stands now.
DROP VIEW listed_tokens;
CREATE VIEW listed_tokens AS
SELECT
    tokens.id,
    tokens.kind,
    tokens.organization_id,
    tokens.user_id,
    tokens.team_id,
    tokens.workspace_id,
    tokens.description,
    tokens.token_prefix,
    tokens.format,
    tokens.role,
    tokens.abilities,
    tokens.created_by_user_id,
    tokens.created_by_team_id,
    tokens.created_by_organization_id,
    tokens.created_at,
    tokens.updated_at,
    tokens.expired_at,
    tokens.disabled_at,
    tokens.revoked_at,
    tokens.last_used_at,
    tokens.usage_count,
    tokens.replaces,
    successor.id AS replaced_by,
    -- When it ends by itself: by its own expiry, or earlier by its organization's TTL policy.
    ending.at AS ends_at,
    CASE
        WHEN tokens.revoked_at <= statement_timestamp() THEN 'revoked'
        WHEN ending.at <= statement_timestamp() THEN 'expired'
        WHEN tokens.disabled_at IS NOT NULL THEN 'inactive'
        ELSE 'active'
    END AS status,
    teams.name AS team_name,
    teams.owners AS team_owners,
    teams.allow_member_token_management AS team_allows_members,
    owning_organization.name AS organization_name,
    coalesce(owning_user.username, teams.name, workspaces.name, owning_organization.name) AS owner_name,
    coalesce(creating_user.username, creating_team.name, creating_organization.name) AS created_by_name,
    creating_organization.name AS created_by_organization_name
FROM tokens
LEFT JOIN users AS owning_user ON owning_user.id = tokens.user_id
LEFT JOIN teams ON teams.id = tokens.team_id
LEFT JOIN workspaces ON workspaces.id = tokens.workspace_id
LEFT JOIN organizations AS owning_organization ON owning_organization.id = tokens.organization_id
LEFT JOIN token_ttl_policies AS policy ON policy.organization_id = tokens.organization_id
    AND policy.token_type = replace(tokens.kind, '-', '_')
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN owning_organization.max_ttl_enabled THEN least(
            tokens.expired_at,
            tokens.created_at + coalesce(policy.max_ttl_ms, 63072000000) * interval '1 millisecond'
        )
        ELSE tokens.expired_at
    END AS at
) AS ending
LEFT JOIN tokens AS successor ON successor.replaces = tokens.id
LEFT JOIN users AS creating_user ON creating_user.id = tokens.created_by_user_id
LEFT JOIN teams AS creating_team ON creating_team.id = tokens.created_by_team_id
LEFT JOIN organizations AS creating_organization ON creating_organization.id = tokens.created_by_organization_id;
