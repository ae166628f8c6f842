-- Users, organizations, and the teams in them.
--
-- Users, organizations, teams and workspaces have a table `all_…`, which keeps the ended ones as long as anything names
-- them, and a view without the `all_`, which has those that are there. A query of the view cannot forget the difference.

-- The roles of tokens, the lowest first.
CREATE FUNCTION token_roles() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY['viewer', 'member', 'manager', 'admin', 'owner']
$$;

CREATE FUNCTION are_roles(named text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- In full, and not by `token_roles()`: a restored backup checks rows with an empty search path.
    SELECT named <@ ARRAY['viewer', 'member', 'manager', 'admin', 'owner'] AND cardinality(named) > 0
$$;

-- The tenant. Its JSON:API id is its name.
CREATE TABLE all_organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_-]{1,90}$'),
    email text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
    -- Settings of the HCP API that mean nothing to a token service: kept and returned.
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Whether the TTL policies are in force.
    max_ttl_enabled boolean NOT NULL DEFAULT false,
    -- The roles that tokens which belong to the organization may have; null for all.
    allowed_token_roles text[] CONSTRAINT organizations_token_roles CHECK (are_roles(allowed_token_roles)),
    -- What the secret of a new token is unless its maker says otherwise.
    default_token_format text NOT NULL DEFAULT 'opaque' CHECK (default_token_format IN ('opaque', 'jwt')),
    -- How long a new token lives unless its maker says otherwise; null for what the service says.
    default_token_ttl text CONSTRAINT organizations_token_ttl CHECK (default_token_ttl ~ '^[1-9][0-9]{0,3}[hdy]$'),
    -- Whether tokens of users let them in. Those of service accounts always do.
    user_tokens_enabled boolean NOT NULL DEFAULT true,
    -- By which shipped clients tell what they may use.
    plan text NOT NULL DEFAULT 'enterprise'
        CONSTRAINT organizations_plan CHECK (plan IN ('enterprise', 'free', 'standard', 'premium', 'business')),
    deleted_at timestamptz
);
CREATE UNIQUE INDEX organizations_name_key ON all_organizations (lower(name)) WHERE deleted_at IS NULL;
-- The list of all organizations, in its order.
CREATE INDEX organizations_name ON all_organizations (name, id) WHERE deleted_at IS NULL;
CREATE INDEX organizations_deleted ON all_organizations (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE VIEW organizations AS
SELECT
    id, name, email, settings, created_at, updated_at, max_ttl_enabled, allowed_token_roles, default_token_format,
    default_token_ttl, user_tokens_enabled, plan
FROM all_organizations
WHERE deleted_at IS NULL;

-- A person, or a service account: a program's, in one organization for good, which nobody signs in as.
CREATE TABLE all_users (
    id uuid PRIMARY KEY,
    username text NOT NULL CHECK (username ~ '^[A-Za-z0-9_-]{1,90}$'),
    -- A service account has none: nobody can invite it, and nothing can be sent to it.
    email text CHECK (char_length(email) BETWEEN 3 AND 254),
    site_admin boolean NOT NULL DEFAULT false,
    password_hash text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- False for a user made by an invitation: nobody has chosen the username yet.
    confirmed boolean NOT NULL DEFAULT true,
    -- The address that a user asks for. Invitations go by address, so it is theirs only once somebody has confirmed it.
    unconfirmed_email text CHECK (char_length(unconfirmed_email) BETWEEN 3 AND 254),
    -- Since when the user's tokens are refused. Memberships stay, and do not count meanwhile.
    suspended_at timestamptz,
    deleted_at timestamptz,
    -- The one organization that a service account is in; null for a person.
    organization_id uuid REFERENCES all_organizations (id) ON DELETE CASCADE,
    CONSTRAINT users_organization_id_key UNIQUE (organization_id, id),
    CONSTRAINT users_service_account CHECK (
        CASE
            WHEN organization_id IS NULL THEN email IS NOT NULL
            ELSE num_nonnulls(email, unconfirmed_email, password_hash) = 0 AND confirmed AND NOT site_admin
        END
    )
);
-- Names that differ only in case would be mistaken for each other.
CREATE UNIQUE INDEX users_username_key ON all_users (lower(username)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_email_key ON all_users (lower(email)) WHERE deleted_at IS NULL;
-- The list of all users, in its order.
CREATE INDEX users_username ON all_users (username, id) WHERE deleted_at IS NULL;
-- By name also those that are deleted: a token still tells who made it.
CREATE INDEX users_named ON all_users (lower(username));
CREATE INDEX users_deleted ON all_users (deleted_at) WHERE deleted_at IS NOT NULL;

-- A service account has gone with its organization before its own row says so.
CREATE VIEW users AS
SELECT
    id, username, email, site_admin, organization_id, password_hash, created_at, updated_at, confirmed, unconfirmed_email,
    suspended_at
FROM all_users
WHERE deleted_at IS NULL
    AND (organization_id IS NULL OR EXISTS (SELECT FROM organizations WHERE organizations.id = organization_id));

CREATE FUNCTION refuse_to_move_service_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a service account stays in its organization, and a person stays a person';
END
$$;
CREATE TRIGGER service_accounts_stay
    BEFORE UPDATE OF organization_id ON all_users
    FOR EACH ROW WHEN (OLD.organization_id IS DISTINCT FROM NEW.organization_id)
    EXECUTE FUNCTION refuse_to_move_service_accounts();

-- A user in an organization.
CREATE TABLE memberships (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES all_organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES all_users (id) ON DELETE CASCADE,
    status text NOT NULL CHECK (status IN ('invited', 'active')),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The inviter named the user and may not know the address: it stays hidden until the invitation is accepted.
    invited_by_name boolean NOT NULL DEFAULT false,
    CONSTRAINT memberships_user_key UNIQUE (user_id, organization_id),
    CONSTRAINT memberships_organization_key UNIQUE (organization_id, user_id)
);

-- Whoever it is that writes. Where a service account belongs never changes, so that no lock is needed.
CREATE FUNCTION keep_service_accounts_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM all_users
        WHERE id = NEW.user_id AND organization_id IS NOT NULL
            AND (organization_id <> NEW.organization_id OR NEW.status <> 'active')
    ) THEN
        RAISE EXCEPTION 'a service account is an active member of its own organization, and of no other';
    END IF;
    RETURN NULL;
END
$$;
-- After, so that who is a member already can be put into a team as if they were invited.
CREATE TRIGGER service_accounts_are_in_their_organization
    AFTER INSERT OR UPDATE OF organization_id, user_id, status ON memberships
    FOR EACH ROW EXECUTE FUNCTION keep_service_accounts_in();

-- A membership with the names that lists search, sort and show.
CREATE VIEW listed_memberships AS
SELECT
    memberships.id,
    memberships.organization_id,
    memberships.user_id,
    memberships.status,
    memberships.created_at,
    organizations.name AS organization_name,
    users.username,
    users.email,
    users.organization_id IS NOT NULL AS service_account,
    NOT (memberships.invited_by_name AND memberships.status = 'invited') AS email_known
FROM memberships
JOIN organizations ON organizations.id = memberships.organization_id
JOIN users ON users.id = memberships.user_id;

-- A group of users inside one organization.
CREATE TABLE all_teams (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES all_organizations (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_/-]([A-Za-z0-9_ /-]{0,88}[A-Za-z0-9_/-])?$'),
    description text CHECK (char_length(description) <= 1000),
    -- The team `owners`, made with the organization.
    owners boolean NOT NULL DEFAULT false,
    visibility text NOT NULL DEFAULT 'secret' CHECK (visibility IN ('secret', 'organization')),
    sso_team_id text CHECK (char_length(sso_team_id) <= 256),
    allow_member_token_management boolean NOT NULL DEFAULT true,
    -- The names of the permissions that the team holds in its organization.
    organization_access text[] NOT NULL DEFAULT '{}',
    -- What its tokens and its members may reach at other services. The team `owners` has every ability.
    abilities text[] NOT NULL DEFAULT '{}' CONSTRAINT teams_abilities CHECK (cardinality(abilities) <= 100),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT teams_organization_id_key UNIQUE (organization_id, id)
);
CREATE UNIQUE INDEX teams_name_key ON all_teams (organization_id, lower(name)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX teams_owners_key ON all_teams (organization_id) WHERE owners;
-- The list of an organization's teams in the order of their creation.
CREATE INDEX teams_created_at ON all_teams (organization_id, created_at, id) WHERE deleted_at IS NULL;
-- By name also those that are deleted, whose tokens are still listed.
CREATE INDEX teams_named ON all_teams (lower(name), organization_id);
CREATE INDEX teams_deleted ON all_teams (deleted_at) WHERE deleted_at IS NOT NULL;

-- A team has gone with its organization before its own row says so.
CREATE VIEW teams AS
SELECT
    id, organization_id, name, description, owners, visibility, sso_team_id, allow_member_token_management,
    organization_access, abilities, created_at, updated_at
FROM all_teams
WHERE deleted_at IS NULL AND EXISTS (SELECT FROM organizations WHERE organizations.id = organization_id);

-- A user in a team. It cannot outlive the user's membership in the organization.
CREATE TABLE team_members (
    team_id uuid NOT NULL,
    user_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (team_id, user_id),
    FOREIGN KEY (organization_id, team_id) REFERENCES all_teams (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, user_id) REFERENCES memberships (organization_id, user_id)
        ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX team_members_user ON team_members (user_id, organization_id);
CREATE INDEX team_members_organization ON team_members (organization_id, user_id);
