DROP TABLE token_usage_days;
