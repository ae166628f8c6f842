DROP TABLE end_rewrites;
DROP TABLE deletions;
DROP TABLE token_usage_days;
DROP TABLE kept_answers;
DROP TABLE tokens;
DROP TABLE signing_keys;
DROP TABLE abilities;
DROP TABLE token_ttl_policies;
