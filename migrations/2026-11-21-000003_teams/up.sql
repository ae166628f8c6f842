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
