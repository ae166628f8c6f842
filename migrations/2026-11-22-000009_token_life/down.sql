DROP VIEW listed_tokens;
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

DROP INDEX tokens_of_workspace;
CREATE INDEX tokens_of_workspace ON tokens (workspace_id, expired_at, id) WHERE workspace_id IS NOT NULL;
DROP INDEX tokens_of_organization_newest;

DELETE FROM token_ttl_policies WHERE token_type = 'workspace';
ALTER TABLE token_ttl_policies DROP CONSTRAINT token_ttl_policies_token_type_check;
ALTER TABLE token_ttl_policies ADD CONSTRAINT token_ttl_policies_token_type_check
    CHECK (token_type IN ('organization', 'team', 'user', 'audit_trails', 'metrics'));

ALTER TABLE tokens DROP CONSTRAINT tokens_usage_count;
ALTER TABLE tokens DROP CONSTRAINT tokens_abilities;
