-- Users, organizations, and the teams in them.

-- A person, or a service account.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    username text NOT NULL CHECK (username ~ '^[A-Za-z0-9_-]{1,90}$'),
    email text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
    site_admin boolean NOT NULL DEFAULT false,
    service_account boolean NOT NULL DEFAULT false,
    password_hash text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- False for a user made by an invitation: nobody has chosen the username yet.
    confirmed boolean NOT NULL DEFAULT true,
    -- The address that a user asks for. Invitations go by address, so it is theirs only once somebody has confirmed it.
    unconfirmed_email text CHECK (char_length(unconfirmed_email) BETWEEN 3 AND 254)
);
-- Names that differ only in case would be mistaken for each other.
CREATE UNIQUE INDEX users_username_key ON users (lower(username));
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

-- The tenant. Its JSON:API id is its name.
CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_-]{1,90}$'),
    email text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
    -- Settings of the HCP API that mean nothing to a token service: kept and returned.
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Whether the TTL policies are in force.
    max_ttl_enabled boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX organizations_name_key ON organizations (lower(name));
-- The list of all organizations, in its order.
CREATE INDEX organizations_name ON organizations (name, id);

-- A user in an organization.
CREATE TABLE memberships (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    status text NOT NULL CHECK (status IN ('invited', 'active')),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The inviter named the user and may not know the address: it stays hidden until the invitation is accepted.
    invited_by_name boolean NOT NULL DEFAULT false,
    CONSTRAINT memberships_user_key UNIQUE (user_id, organization_id),
    CONSTRAINT memberships_organization_key UNIQUE (organization_id, user_id)
);

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
    users.service_account,
    NOT (memberships.invited_by_name AND memberships.status = 'invited') AS email_known
FROM memberships
JOIN organizations ON organizations.id = memberships.organization_id
JOIN users ON users.id = memberships.user_id;

-- A group of users inside one organization.
CREATE TABLE teams (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_-]{1,90}$'),
    description text CHECK (char_length(description) <= 1000),
    -- The team `owners`, made with the organization.
    owners boolean NOT NULL DEFAULT false,
    visibility text NOT NULL DEFAULT 'secret' CHECK (visibility IN ('secret', 'organization')),
    sso_team_id text CHECK (char_length(sso_team_id) <= 256),
    allow_member_token_management boolean NOT NULL DEFAULT true,
    -- The names of the permissions that the team holds in its organization.
    organization_access text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT teams_organization_id_key UNIQUE (organization_id, id)
);
CREATE UNIQUE INDEX teams_name_key ON teams (organization_id, lower(name));
CREATE UNIQUE INDEX teams_owners_key ON teams (organization_id) WHERE owners;
-- The list of an organization's teams in the order of their creation.
CREATE INDEX teams_created_at ON teams (organization_id, created_at, id);

-- A user in a team. It cannot outlive the user's membership in the organization.
CREATE TABLE team_members (
    team_id uuid NOT NULL,
    user_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (team_id, user_id),
    FOREIGN KEY (organization_id, team_id) REFERENCES teams (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, user_id) REFERENCES memberships (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX team_members_user ON team_members (user_id, organization_id);
CREATE INDEX team_members_organization ON team_members (organization_id, user_id);
