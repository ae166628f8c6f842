DROP INDEX workspaces_tags;
ALTER TABLE workspaces DROP COLUMN tag_bindings, DROP COLUMN tags;
