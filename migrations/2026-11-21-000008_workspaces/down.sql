DROP INDEX tokens_of_workspace;
ALTER TABLE tokens DROP CONSTRAINT tokens_workspace_fkey;
DROP TABLE team_workspaces;
DROP TABLE workspaces;
