DROP VIEW listed_tokens;
DROP TRIGGER what_has_ended_stays_ended ON all_organizations;
DROP FUNCTION keep_all_ended();
DROP TRIGGER what_has_ended_stays_ended ON token_ttl_policies;
DROP FUNCTION keep_ended();
DROP FUNCTION token_ends_at(timestamptz, timestamptz, boolean, bigint, timestamptz, bigint);
DROP FUNCTION default_max_ttl_ms();
