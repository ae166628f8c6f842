-- The longest that an organization's tokens may live, by kind; in force while max_ttl_enabled is true.
ALTER TABLE organizations ADD COLUMN max_ttl_enabled boolean NOT NULL DEFAULT false;

CREATE TABLE token_ttl_policies (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    token_type text NOT NULL CHECK (token_type IN ('organization', 'team', 'user', 'audit_trails', 'metrics')),
    max_ttl_ms bigint NOT NULL CHECK (max_ttl_ms > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, token_type)
);
