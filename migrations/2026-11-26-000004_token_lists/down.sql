DROP VIEW listed_tokens;
DROP FUNCTION token_ends_at(timestamptz, timestamptz, boolean, bigint);
