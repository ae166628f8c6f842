DROP TABLE team_workspaces;
DROP TABLE workspaces;
