-- By which those tokens are found that were revoked so long ago that they are removed.
CREATE INDEX tokens_revoked ON tokens (revoked_at) WHERE revoked_at IS NOT NULL;
