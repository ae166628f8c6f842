-- The abilities that an organization knows. While it knows any, its tokens get no others.
CREATE TABLE abilities (
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (char_length(name) <= 64),
    description text CHECK (char_length(description) <= 255),
    PRIMARY KEY (organization_id, name)
);
