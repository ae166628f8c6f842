-- The tenant. Its JSON:API id is its name.
CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_-]{1,90}$'),
    email text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
    -- Settings of the HCP API that mean nothing to a token service: kept and returned.
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
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
    CONSTRAINT memberships_user_key UNIQUE (user_id, organization_id),
    CONSTRAINT memberships_organization_key UNIQUE (organization_id, user_id)
);
