-- The console: who has signed in, in which browser.

-- A browser in which a person has signed in. Of its cookie only the SHA-256 is kept. What has ended is removed.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES all_users (id) ON DELETE CASCADE,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When the password was entered last: what is dangerous asks for it again.
    confirmed_at timestamptz NOT NULL DEFAULT now(),
    -- When it was used last, to the minute, and how long it may be idle after that.
    seen_at timestamptz NOT NULL DEFAULT now(),
    idle_ms bigint NOT NULL CHECK (idle_ms > 0),
    -- Its end, however often it is used.
    ends_at timestamptz NOT NULL,
    -- Where it began: an IPv4 address, or the /64 of an IPv6 address; and what the browser said that it is.
    network text NOT NULL CHECK (char_length(network) <= 45),
    agent text NOT NULL CHECK (char_length(agent) <= 255)
);
CREATE UNIQUE INDEX sessions_secret_key ON sessions (secret_hash);
-- The list of a user's own, the newest first.
CREATE INDEX sessions_of_user ON sessions (user_id, created_at DESC, id);

-- A link with which a user sets a password, once. A user has one at most: the last that was made.
CREATE TABLE sign_in_links (
    user_id uuid PRIMARY KEY REFERENCES all_users (id) ON DELETE CASCADE,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    ends_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX sign_in_links_secret_key ON sign_in_links (secret_hash);

-- Forms that have made a token, by a number that was in them: one that is sent again makes no other.
CREATE TABLE spent_forms (
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    number text NOT NULL CHECK (char_length(number) BETWEEN 16 AND 64),
    -- The token that it made; null only within the transaction.
    token_id uuid,
    spent_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, number)
);
