DROP INDEX tokens_signed;
ALTER TABLE tokens DROP CONSTRAINT tokens_signing_key, DROP COLUMN signing_key;
DROP TABLE signing_keys;
