DROP TABLE token_ttl_policies;
ALTER TABLE organizations DROP COLUMN max_ttl_enabled;
