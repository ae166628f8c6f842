DROP VIEW listed_memberships;
ALTER TABLE users DROP COLUMN confirmed;
