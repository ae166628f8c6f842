-- False for a user whom an invitation made: nobody has come forward yet, so there is no name of their choice.
ALTER TABLE users ADD COLUMN confirmed boolean NOT NULL DEFAULT true;

-- A membership beside what lists of them search, sort and show.
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
