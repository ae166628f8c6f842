DROP VIEW listed_memberships;
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
    users.service_account
FROM memberships
JOIN organizations ON organizations.id = memberships.organization_id
JOIN users ON users.id = memberships.user_id;

ALTER TABLE memberships DROP COLUMN invited_by_name;
