-- A person, or a service account.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    username text NOT NULL CHECK (username ~ '^[A-Za-z0-9_-]{1,90}$'),
    email text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
    site_admin boolean NOT NULL DEFAULT false,
    service_account boolean NOT NULL DEFAULT false,
    password_hash text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
-- Names that differ only in case would be mistaken for each other.
CREATE UNIQUE INDEX users_username_key ON users (lower(username));
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
