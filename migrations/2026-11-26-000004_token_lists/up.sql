-- When a token ends, what it may do, and the view that lists of tokens are read from.

-- The maximum where an organization has set none: two years, as `ttl_policies::DEFAULT_MAX_TTL_MS` says.
CREATE FUNCTION default_max_ttl_ms() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 63072000000 $$;

-- When a token ends by itself: at its own expiry, or at the end of the longest lifetime that an organization's TTL
-- policy allows, whichever comes first; null if never. `max_ttl_ms` is null where no policy is set. An organization that is
-- null enforces nothing. What had ended before a policy was relaxed stays ended.
--
-- PostgreSQL puts the expression in place of the call, so a call costs nothing. It does so only while the function is
-- one expression, not STRICT, and no less volatile than what is in it (timestamptz + interval is STABLE).
CREATE FUNCTION token_ends_at(
    created_at timestamptz,
    expired_at timestamptz,
    max_ttl_enabled boolean,
    max_ttl_ms bigint,
    ended_before timestamptz,
    ended_max_ms bigint
) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT least(
        expired_at,
        CASE
            WHEN max_ttl_enabled
            THEN created_at + coalesce(max_ttl_ms, default_max_ttl_ms()) * interval '1 millisecond'
        END,
        CASE WHEN created_at <= ended_before THEN created_at + ended_max_ms * interval '1 millisecond' END
    )
$$;

-- Before a maximum changes that is in force, what it has ended by now has ended for good. What it would end within the next
-- minute ends then, so that no token ends and lives again while the change is being made.
CREATE FUNCTION keep_ended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before_ms bigint := default_max_ttl_ms();
BEGIN
    IF TG_OP = 'UPDATE' THEN
        before_ms := coalesce(OLD.max_ttl_ms, before_ms);
        IF OLD.max_ttl_ms IS NULL THEN
            NEW.created_at := now();
        END IF;
    END IF;
    IF (SELECT max_ttl_enabled FROM all_organizations WHERE id = NEW.organization_id) THEN
        NEW.ended_before := greatest(
            NEW.ended_before, clock_timestamp() + interval '1 minute' - before_ms * interval '1 millisecond'
        );
        NEW.ended_max_ms := least(NEW.ended_max_ms, before_ms);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER what_has_ended_stays_ended
    BEFORE INSERT OR UPDATE OF max_ttl_ms ON token_ttl_policies
    FOR EACH ROW EXECUTE FUNCTION keep_ended();

-- The same for each kind of token when none of the maxima is in force any more.
CREATE FUNCTION keep_all_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO token_ttl_policies AS policy (organization_id, token_type, ended_before, ended_max_ms)
    SELECT
        NEW.id, kinds.token_type,
        clock_timestamp() + interval '1 minute' - coalesce(existing.max_ttl_ms, default_max_ttl_ms()) * interval '1 millisecond',
        coalesce(existing.max_ttl_ms, default_max_ttl_ms())
    FROM unnest(ARRAY['organization', 'team', 'user', 'audit_trails', 'workspace']) AS kinds (token_type)
    LEFT JOIN token_ttl_policies AS existing
        ON existing.organization_id = NEW.id AND existing.token_type = kinds.token_type
    ON CONFLICT (organization_id, token_type) DO UPDATE SET
        ended_before = greatest(policy.ended_before, excluded.ended_before),
        ended_max_ms = least(policy.ended_max_ms, excluded.ended_max_ms);
    RETURN NULL;
END
$$;
CREATE TRIGGER what_has_ended_stays_ended
    AFTER UPDATE OF max_ttl_enabled ON all_organizations
    FOR EACH ROW WHEN (OLD.max_ttl_enabled AND NOT NEW.max_ttl_enabled)
    EXECUTE FUNCTION keep_all_ended();

-- When a token of an organization ends by itself now.
CREATE FUNCTION current_end(tokens) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT token_ends_at(
        $1.created_at, $1.expired_at, organization.max_ttl_enabled, policy.max_ttl_ms, policy.ended_before,
        policy.ended_max_ms
    )
    FROM (SELECT) AS token
    LEFT JOIN all_organizations AS organization ON organization.id = $1.organization_id
    LEFT JOIN token_ttl_policies AS policy ON policy.organization_id = $1.organization_id
        AND policy.token_type = replace($1.kind, '-', '_')
$$;

-- The copy by which lists are sorted is right when a token is made or its expiry changes.
CREATE FUNCTION sort_by_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.sorted_end := current_end(NEW);
    RETURN NEW;
END
$$;
CREATE TRIGGER sorted_by_its_end
    BEFORE INSERT OR UPDATE OF created_at, expired_at ON tokens
    FOR EACH ROW EXECUTE FUNCTION sort_by_end();

-- After a policy has changed, the copies of the organization's tokens are rewritten.
CREATE FUNCTION rewrite_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO end_rewrites (organization_id) VALUES ((to_jsonb(NEW) ->> TG_ARGV[0])::uuid)
    ON CONFLICT (organization_id) DO UPDATE SET after_id = DEFAULT, due_at = DEFAULT, looked = DEFAULT;
    RETURN NULL;
END
$$;
CREATE TRIGGER ends_are_rewritten
    AFTER INSERT OR UPDATE ON token_ttl_policies
    FOR EACH ROW EXECUTE FUNCTION rewrite_ends('organization_id');
CREATE TRIGGER ends_are_rewritten
    AFTER UPDATE OF max_ttl_enabled ON all_organizations
    FOR EACH ROW WHEN (OLD.max_ttl_enabled <> NEW.max_ttl_enabled)
    EXECUTE FUNCTION rewrite_ends('id');

-- The role that a token has where its organization or its workspace allows some only: the highest that both allow and that
-- is no higher than its own; `viewer` if there is none.
CREATE FUNCTION capped_role(role text, by_organization text[], by_workspace text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(
        (
            SELECT known FROM unnest(token_roles()) WITH ORDINALITY AS each (known, rank)
            WHERE rank <= array_position(token_roles(), role)
                AND (by_organization IS NULL OR known = ANY (by_organization))
                AND (by_workspace IS NULL OR known = ANY (by_workspace))
            ORDER BY rank DESC LIMIT 1
        ),
        'viewer'
    )
$$;

-- What covers an ability: itself, every verb of its resource, and `*`, which is every ability but Latchkey's own, `tokens:…`.
CREATE FUNCTION covering(ability text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY[
        ability, split_part(ability, ':', 1) || ':*', CASE WHEN ability NOT LIKE 'tokens:%' THEN '*' END
    ]
$$;

-- What two lists of abilities both cover. By equality, so that it takes as long as both lists, and not as their product.
CREATE FUNCTION abilities_in_common(one text[], other text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
    SELECT coalesce(array_agg(ability ORDER BY ability COLLATE "C"), '{}')
    FROM (
        SELECT each.ability
        FROM unnest(one) AS each (ability) CROSS JOIN LATERAL unnest(covering(each.ability)) AS cover
        JOIN unnest(other) AS known ON known = cover
        UNION
        SELECT each.ability
        FROM unnest(other) AS each (ability) CROSS JOIN LATERAL unnest(covering(each.ability)) AS cover
        JOIN unnest(one) AS known ON known = cover
    ) AS both_cover
$$;

-- What an organization has registered, and what is always registered; null if it has registered none.
CREATE FUNCTION registered_abilities(organization uuid) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN count(*) > 0 THEN array_agg(name) || 'tokens:*'::text END
    FROM abilities WHERE organization_id = organization
$$;

-- What a user's tokens may reach in one organization or another: owners have every ability, others those of their teams.
-- What is Latchkey's own an owner has only where a token lists it.
CREATE FUNCTION abilities_of_user(owner uuid, listed boolean) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE COST 10000 AS $$
    SELECT coalesce(array_agg(DISTINCT ability ORDER BY ability), '{}')
    FROM memberships
    JOIN team_members ON team_members.user_id = memberships.user_id
        AND team_members.organization_id = memberships.organization_id
    JOIN teams ON teams.id = team_members.team_id
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN NOT teams.owners THEN teams.abilities
            WHEN listed THEN ARRAY['*', 'tokens:*']
            ELSE ARRAY['*']
        END AS abilities
    ) AS held
    CROSS JOIN LATERAL (SELECT registered_abilities(teams.organization_id) AS abilities) AS registered
    CROSS JOIN LATERAL unnest(
        CASE
            WHEN registered.abilities IS NULL THEN held.abilities
            ELSE abilities_in_common(held.abilities, registered.abilities)
        END
    ) AS ability
    WHERE memberships.user_id = owner AND memberships.status = 'active'
$$;

-- What a token may reach: its own abilities, of its owner's, of those that its organization has registered. `own` is null
-- for all of the owner's, `owner` for every ability, `registered` if there are none.
CREATE FUNCTION effective_abilities(own text[], owner text[], registered text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
    SELECT CASE WHEN registered IS NULL THEN held ELSE abilities_in_common(held, registered) END
    FROM (
        SELECT CASE
            WHEN own IS NULL THEN coalesce(owner, '{*}')
            WHEN owner IS NULL THEN own
            ELSE abilities_in_common(own, owner)
        END AS held
    ) AS of_owner
$$;

-- A token with the names that lists search and sort by, and its status now. A token ends with its owner, at once; its own
-- row says so a little later. Those of a suspended user are switched off.
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
    -- The test stands outside of the function, so that it is not called where nothing is narrowed.
    CASE
        WHEN owning_organization.allowed_token_roles IS NULL AND workspaces.allowed_token_roles IS NULL THEN tokens.role
        ELSE capped_role(tokens.role, owning_organization.allowed_token_roles, workspaces.allowed_token_roles)
    END AS role,
    tokens.abilities,
    reach.abilities AS owner_abilities,
    effective_abilities(
        tokens.abilities,
        reach.abilities,
        CASE WHEN tokens.organization_id IS NOT NULL THEN registered_abilities(tokens.organization_id) END
    ) AS effective_abilities,
    tokens.self_rotation,
    tokens.rotates_until,
    tokens.labels,
    tokens.labels_in_jwt,
    tokens.created_by_user_id,
    tokens.created_by_team_id,
    tokens.created_by_organization_id,
    tokens.created_by_workspace_id,
    tokens.created_at,
    tokens.updated_at,
    tokens.expired_at,
    tokens.disabled_at,
    least(tokens.revoked_at, owner.deleted_at) AS revoked_at,
    tokens.revocation_reason,
    tokens.last_used_at,
    tokens.usage_count,
    tokens.replaces,
    successor.id AS replaced_by,
    ending.at AS ends_at,
    CASE WHEN ending.at IS NOT NULL THEN greatest(0, extract(epoch FROM ending.at - statement_timestamp())) END::bigint
        AS ends_in_seconds,
    tokens.sorted_end,
    -- Not `now()`: a transaction may have waited since it began.
    CASE
        WHEN tokens.revoked OR owner.deleted_at IS NOT NULL OR tokens.revoked_at <= statement_timestamp() THEN 'revoked'
        WHEN ending.at <= statement_timestamp() THEN 'expired'
        WHEN tokens.disabled_at IS NOT NULL OR owning_user.suspended_at IS NOT NULL THEN 'inactive'
        ELSE 'active'
    END AS status,
    teams.name AS team_name,
    teams.owners AS team_owners,
    teams.allow_member_token_management AS team_allows_members,
    owning_organization.name AS organization_name,
    coalesce(owning_user.username, teams.name, workspaces.name, owning_organization.name) AS owner_name,
    coalesce(
        creating_user.username, creating_team.name, creating_organization.name, creating_workspace.name
    ) AS created_by_name
FROM tokens
LEFT JOIN all_users AS owning_user ON owning_user.id = tokens.user_id
LEFT JOIN all_teams AS teams ON teams.id = tokens.team_id
LEFT JOIN all_workspaces AS workspaces ON workspaces.id = tokens.workspace_id
LEFT JOIN all_organizations AS owning_organization ON owning_organization.id = tokens.organization_id
LEFT JOIN token_ttl_policies AS policy ON policy.organization_id = tokens.organization_id
    AND policy.token_type = replace(tokens.kind, '-', '_')
CROSS JOIN LATERAL (
    SELECT token_ends_at(
        tokens.created_at, tokens.expired_at, owning_organization.max_ttl_enabled, policy.max_ttl_ms,
        policy.ended_before, policy.ended_max_ms
    ) AS at
) AS ending
CROSS JOIN LATERAL (
    SELECT least(
        owning_user.deleted_at, teams.deleted_at, workspaces.deleted_at, owning_organization.deleted_at
    ) AS deleted_at
) AS owner
-- What its owner may reach; null for every ability.
CROSS JOIN LATERAL (
    SELECT CASE tokens.kind
        WHEN 'user' THEN abilities_of_user(tokens.user_id, tokens.abilities IS NOT NULL)
        WHEN 'team' THEN CASE WHEN NOT teams.owners THEN teams.abilities END
        WHEN 'workspace' THEN workspaces.abilities
        WHEN 'audit-trails' THEN '{}'
    END AS abilities
) AS reach
LEFT JOIN tokens AS successor ON successor.replaces = tokens.id
LEFT JOIN all_users AS creating_user ON creating_user.id = tokens.created_by_user_id
LEFT JOIN all_teams AS creating_team ON creating_team.id = tokens.created_by_team_id
LEFT JOIN all_organizations AS creating_organization ON creating_organization.id = tokens.created_by_organization_id
LEFT JOIN all_workspaces AS creating_workspace ON creating_workspace.id = tokens.created_by_workspace_id;
