DROP VIEW listed_tokens;
DROP TABLE tokens;
