-- Whoever is put into a team by name is invited; who does so need not know the address, and is not told it before the
-- invitation is accepted.
ALTER TABLE memberships ADD COLUMN invited_by_name boolean NOT NULL DEFAULT false;

CREATE OR REPLACE VIEW listed_memberships AS
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
