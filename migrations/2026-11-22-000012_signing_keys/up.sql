-- What JWTs are signed with (Ed25519). The private part of the one in use is sealed with a key that the database does not
-- have; that of a retired one is gone.
CREATE TABLE signing_keys (
    -- The JWK thumbprint of the public part (RFC 7638).
    kid text PRIMARY KEY CHECK (char_length(kid) = 43),
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    sealed_private_key bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    CONSTRAINT signing_keys_retired CHECK ((retired_at IS NULL) = (sealed_private_key IS NOT NULL))
);
-- However many services make a first one at the same moment, one is in use.
CREATE UNIQUE INDEX signing_keys_one_in_use ON signing_keys ((true)) WHERE retired_at IS NULL;

-- Which one has signed a token that is a JWT.
ALTER TABLE tokens
    ADD COLUMN signing_key text REFERENCES signing_keys (kid),
    ADD CONSTRAINT tokens_signing_key CHECK ((format = 'jwt') = (signing_key IS NOT NULL));
-- Whether a key still has a token that works: when its last one ends.
CREATE INDEX tokens_signed ON tokens (signing_key, coalesce(least(revoked_at, expired_at), 'infinity'))
    WHERE signing_key IS NOT NULL;
