DROP TABLE team_workspaces;
DROP VIEW workspaces;
DROP TABLE remote_state_consumers;
DROP TABLE workspace_tags;
DROP TABLE tags;
DROP TABLE all_workspaces;
