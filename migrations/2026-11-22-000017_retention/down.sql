DROP INDEX tokens_revoked;
