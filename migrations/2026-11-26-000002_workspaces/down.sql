DROP TABLE team_workspaces;
DROP VIEW workspaces;
DROP TABLE all_workspaces;
