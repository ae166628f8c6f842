-- What an organization groups its workspaces by: plain names, and keys with values.
ALTER TABLE workspaces
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
    ADD COLUMN tag_bindings jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT workspaces_tag_bindings_check CHECK (jsonb_typeof(tag_bindings) = 'object');
CREATE INDEX workspaces_tags ON workspaces USING gin (tags);
