-- Tokens, what limits them, what signs them, and how often they are used.

-- The longest lifetime of an organization's tokens, by kind; in force while max_ttl_enabled is true.
CREATE TABLE token_ttl_policies (
    organization_id uuid NOT NULL REFERENCES all_organizations (id) ON DELETE CASCADE,
    token_type text NOT NULL
        CHECK (token_type IN ('organization', 'team', 'user', 'audit_trails', 'metrics', 'workspace')),
    -- Null where none is set and the default counts.
    max_ttl_ms bigint CHECK (max_ttl_ms > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- What was made by then has ended for good, by a maximum of so long: a policy that is relaxed revives nothing.
    ended_before timestamptz,
    ended_max_ms bigint,
    PRIMARY KEY (organization_id, token_type)
);

-- The abilities that an organization knows. While it knows any, its tokens get no others.
CREATE TABLE abilities (
    organization_id uuid NOT NULL REFERENCES all_organizations (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (char_length(name) <= 64),
    description text CHECK (char_length(description) <= 255),
    -- The requests that need it: [{"methods": ["GET"], "path": "/api/agents/{id}"}].
    endpoints jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(endpoints) = 'array'),
    PRIMARY KEY (organization_id, name)
);

-- What JWTs are signed with (Ed25519). The private part of the key in use is sealed with a key that the database does
-- not have; that of a retired key is gone.
CREATE TABLE signing_keys (
    -- The JWK thumbprint of the public part (RFC 7638).
    kid text PRIMARY KEY CHECK (char_length(kid) = 43),
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    sealed_private_key bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    CONSTRAINT signing_keys_retired CHECK ((retired_at IS NULL) = (sealed_private_key IS NOT NULL))
);
-- However many services make a first key at the same moment, one is in use.
CREATE UNIQUE INDEX signing_keys_one_in_use ON signing_keys ((true)) WHERE retired_at IS NULL;

-- One credential. Of its secret only the SHA-256 is kept.
CREATE TABLE tokens (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('user', 'team', 'organization', 'audit-trails', 'workspace')),
    -- The organization that the token belongs to; null for a person's token.
    organization_id uuid REFERENCES all_organizations (id) ON DELETE CASCADE,
    -- The owner, by kind. An organization's own tokens have just the organization, and a service account's have both.
    user_id uuid REFERENCES all_users (id) ON DELETE CASCADE,
    team_id uuid,
    workspace_id uuid,
    description text CHECK (char_length(description) <= 255),
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    token_prefix text NOT NULL CHECK (char_length(token_prefix) = 10),
    format text NOT NULL DEFAULT 'opaque' CHECK (format IN ('opaque', 'jwt')),
    role text NOT NULL DEFAULT 'owner' CHECK (role IN ('viewer', 'member', 'manager', 'admin', 'owner')),
    -- Null for all that its owner has.
    abilities text[] CONSTRAINT tokens_abilities CHECK (cardinality(abilities) <= 100),
    -- Whether it may issue its own successor, whatever its role, and until when such a successor may live.
    self_rotation boolean NOT NULL DEFAULT false,
    rotates_until timestamptz,
    -- Its maker's own keys and values.
    labels jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
    -- Whether its JWT says them.
    labels_in_jwt boolean NOT NULL DEFAULT false,
    -- A user who was deleted stays in `all_users` as long as a token names the one who made it.
    created_by_user_id uuid REFERENCES all_users (id),
    created_by_team_id uuid REFERENCES all_teams (id) ON DELETE SET NULL,
    created_by_organization_id uuid REFERENCES all_organizations (id) ON DELETE SET NULL,
    created_by_workspace_id uuid REFERENCES all_workspaces (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    expired_at timestamptz,
    -- When it ends by itself, for the order of lists: a copy, rewritten in the background after a policy has changed.
    sorted_end timestamptz,
    disabled_at timestamptz,
    -- Whether it has ended for good: a fact, which is asked without a clock.
    revoked boolean NOT NULL DEFAULT false,
    -- Since when. Without the fact, the end of a replaced token's grace, which lies ahead.
    revoked_at timestamptz,
    -- What whoever revoked it said of that.
    revocation_reason text CHECK (char_length(revocation_reason) <= 255),
    -- The token that this one succeeds; a token has at most one successor.
    replaces uuid UNIQUE REFERENCES tokens (id) ON DELETE SET NULL,
    last_used_at timestamptz,
    usage_count bigint NOT NULL DEFAULT 0 CONSTRAINT tokens_usage_count CHECK (usage_count >= 0),
    -- The key that signed a JWT.
    signing_key text REFERENCES signing_keys (kid),
    CONSTRAINT tokens_service_account_fkey
        FOREIGN KEY (organization_id, user_id) REFERENCES all_users (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, team_id) REFERENCES all_teams (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT tokens_workspace_fkey
        FOREIGN KEY (organization_id, workspace_id) REFERENCES all_workspaces (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT tokens_owner CHECK (
        CASE kind
            WHEN 'user' THEN user_id IS NOT NULL AND num_nonnulls(team_id, workspace_id) = 0
            WHEN 'team' THEN num_nonnulls(organization_id, team_id) = 2 AND num_nonnulls(user_id, workspace_id) = 0
            WHEN 'workspace' THEN num_nonnulls(organization_id, workspace_id) = 2 AND num_nonnulls(user_id, team_id) = 0
            ELSE organization_id IS NOT NULL AND num_nonnulls(user_id, team_id, workspace_id) = 0
        END
    ),
    CONSTRAINT tokens_created_by CHECK (
        num_nonnulls(
            created_by_user_id, created_by_team_id, created_by_organization_id, created_by_workspace_id
        ) <= 1
    ),
    CONSTRAINT tokens_revoked_since CHECK (NOT revoked OR revoked_at IS NOT NULL),
    CONSTRAINT tokens_rotates_until CHECK (self_rotation OR rotates_until IS NULL),
    CONSTRAINT tokens_labels_in_jwt CHECK (NOT labels_in_jwt OR format = 'jwt'),
    CONSTRAINT tokens_signing_key CHECK ((format = 'jwt') = (signing_key IS NOT NULL))
);
CREATE UNIQUE INDEX tokens_hash_key ON tokens (token_hash);
-- One token without a description for each team, one token of each kind for each organization.
CREATE UNIQUE INDEX tokens_one_per_team ON tokens (team_id)
    WHERE kind = 'team' AND description IS NULL AND revoked_at IS NULL;
CREATE UNIQUE INDEX tokens_one_per_organization ON tokens (organization_id, kind)
    WHERE kind IN ('organization', 'audit-trails') AND revoked_at IS NULL;
-- The lists, in their default order. A token that never ends comes last.
CREATE INDEX tokens_of_organization ON tokens (organization_id, kind, coalesce(sorted_end, 'infinity'), id);
CREATE INDEX tokens_of_team ON tokens (team_id, coalesce(sorted_end, 'infinity'), id) WHERE team_id IS NOT NULL;
CREATE INDEX tokens_of_workspace ON tokens (workspace_id, coalesce(sorted_end, 'infinity'), id)
    WHERE workspace_id IS NOT NULL;
CREATE INDEX tokens_of_user ON tokens (user_id, created_at, id) WHERE user_id IS NOT NULL;
-- The list of all tokens of an organization: the newest first.
CREATE INDEX tokens_of_organization_newest ON tokens (organization_id, created_at DESC, id);
-- Whether a team has a live token of a description, and those in their grace.
CREATE INDEX tokens_by_description ON tokens (team_id, description) WHERE NOT revoked;
-- The list of everybody's tokens: the newest first.
CREATE INDEX tokens_newest ON tokens (created_at DESC, id);
-- All of an organization, one after the other, to rewrite their ends.
CREATE INDEX tokens_in_organization ON tokens (organization_id, id) WHERE organization_id IS NOT NULL;
-- What a deleted user, team or workspace, and an organization's own, still has to end.
CREATE INDEX tokens_live_of_owner ON tokens (coalesce(user_id, team_id, workspace_id), id) WHERE NOT revoked;
CREATE INDEX tokens_live_of_organization ON tokens (organization_id, id) WHERE NOT revoked;
-- What a creator has made; what the foreign keys look up when one is removed.
CREATE INDEX tokens_created_by_user ON tokens (created_by_user_id, created_at, id)
    WHERE created_by_user_id IS NOT NULL;
CREATE INDEX tokens_created_by_team ON tokens (created_by_team_id) WHERE created_by_team_id IS NOT NULL;
CREATE INDEX tokens_created_by_organization ON tokens (created_by_organization_id)
    WHERE created_by_organization_id IS NOT NULL;
CREATE INDEX tokens_created_by_workspace ON tokens (created_by_workspace_id)
    WHERE created_by_workspace_id IS NOT NULL;
-- Whether a key still has a token that works: when its last one ends.
CREATE INDEX tokens_signed ON tokens (signing_key, coalesce(least(revoked_at, expired_at), 'infinity'))
    WHERE signing_key IS NOT NULL;
-- Finds the tokens that were revoked so long ago that they are removed.
CREATE INDEX tokens_revoked ON tokens (revoked_at) WHERE revoked_at IS NOT NULL;
-- Finds those whose grace is over.
CREATE INDEX tokens_in_grace ON tokens (revoked_at) WHERE revoked_at IS NOT NULL AND NOT revoked;

-- What was answered to a request with an Idempotency-Key, for ten minutes. At most one answer of that age has a name:
-- who writes it holds an advisory lock, which nobody waits for. An older one may still be there.
CREATE TABLE kept_answers (
    -- SHA-256 of the key, the caller and the route.
    name bytea NOT NULL CHECK (octet_length(name) = 32),
    -- The token that the request made. The answer outlives it.
    token_id uuid NOT NULL,
    -- SHA-256 of query and body.
    content bytea NOT NULL CHECK (octet_length(content) = 32),
    -- It holds a secret: sealed with the encryption key and the client's key together, which the database both lacks.
    sealed_answer bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, token_id)
);
-- Finds those that are too old.
CREATE INDEX kept_answers_created_at ON kept_answers (created_at);

-- How often a token was used on each day (UTC), for 90 days; a day without use has no row.
CREATE TABLE token_usage_days (
    token_id uuid NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    date date NOT NULL,
    count bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (token_id, date)
);
-- Finds the days that are too old.
CREATE INDEX token_usage_days_date ON token_usage_days (date);

-- What is deleted and still has tokens to end and rows to remove, in the background.
CREATE TABLE deletions (
    -- The organization, team, workspace, project or user.
    owner_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('organization', 'team', 'workspace', 'project', 'user')),
    deleted_at timestamptz NOT NULL,
    -- The event of the trail that tells of the deletion.
    event_id uuid NOT NULL,
    -- When it is to be looked at next, and whether nothing was left the last time. It is over when nothing was left twice:
    -- a request that had begun before the deletion may still have made a token.
    due_at timestamptz NOT NULL DEFAULT now(),
    looked boolean NOT NULL DEFAULT false
);
CREATE INDEX deletions_due ON deletions (due_at);

-- Organizations whose policies have changed, until the ends by which their tokens are sorted are rewritten.
CREATE TABLE end_rewrites (
    organization_id uuid PRIMARY KEY REFERENCES all_organizations (id) ON DELETE CASCADE,
    -- The last token that was looked at.
    after_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    -- When it is to be looked at next, and whether all were looked at once. It is over when they were twice: a request that
    -- had begun before the change may still have made a token.
    due_at timestamptz NOT NULL DEFAULT now(),
    looked boolean NOT NULL DEFAULT false
);
CREATE INDEX end_rewrites_due ON end_rewrites (due_at);
