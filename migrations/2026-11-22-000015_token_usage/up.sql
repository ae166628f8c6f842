-- How often a token was used on each day (UTC); a day without use has no row. They are kept for 90 days.
CREATE TABLE token_usage_days (
    token_id uuid NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    date date NOT NULL,
    count bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (token_id, date)
);
-- By which those are found that are too old.
CREATE INDEX token_usage_days_date ON token_usage_days (date);
