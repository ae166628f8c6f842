DROP TABLE team_members;
DROP TABLE teams;
DROP VIEW listed_memberships;
DROP TABLE memberships;
DROP TABLE organizations;
DROP TABLE users;
