-- What happened, by whom, in which organization. Events outlive what they tell of, hence no foreign keys.
--
-- A table for each month, so that old events go by the month. The service makes them ahead; what fits in none of them is in
-- `audit_events_other`, so that no change ever fails for want of a table.
CREATE TABLE audit_events (
    id uuid NOT NULL,
    organization_id uuid,
    -- The user whose account or token it is about, if it is one.
    user_id uuid,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_type text NOT NULL CHECK (actor_type IN ('Client', 'System')),
    accessor_id text,
    accessor_description text,
    -- The token that the actor used, and what its maker said of it then.
    token_id uuid,
    token_description text,
    request_id text,
    resource_type text NOT NULL,
    resource_id text NOT NULL,
    action text NOT NULL,
    meta jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE TABLE audit_events_other PARTITION OF audit_events DEFAULT;
CREATE INDEX audit_events_of_organization ON audit_events (organization_id, occurred_at, id);
CREATE INDEX audit_events_of_user ON audit_events (user_id, occurred_at, id) WHERE user_id IS NOT NULL;
-- What a token has done.
CREATE INDEX audit_events_by_token ON audit_events (token_id, occurred_at, id) WHERE token_id IS NOT NULL;
-- The trail of everybody.
CREATE INDEX audit_events_in_time ON audit_events (occurred_at, id);
-- Finds what is told only once in a while: who has looked at a token, and whether it, or a password, was refused.
CREATE INDEX audit_events_of_looking ON audit_events (resource_id, token_id, action, occurred_at)
    WHERE action IN ('show', 'refuse', 'refuse_replaced', 'refuse_sign_in');

CREATE FUNCTION refuse_to_rewrite_audit_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_events is append-only';
END
$$;
CREATE TRIGGER audit_events_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_audit_events();

-- How many events an organization has in each hour, so that lists count without reading the events. The id of zeros stands
-- for the trail of everybody.
CREATE TABLE audit_event_hours (
    organization_id uuid NOT NULL,
    hour timestamptz NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (organization_id, hour)
);
-- Finds those of a month that is dropped.
CREATE INDEX audit_event_hours_hour ON audit_event_hours (hour);
-- What is still to be added to those: a row for each statement that wrote events, so that nobody waits for a row that
-- everybody changes.
CREATE TABLE audit_event_additions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id uuid NOT NULL,
    hour timestamptz NOT NULL,
    count bigint NOT NULL
);
CREATE INDEX audit_event_additions_of_organization ON audit_event_additions (organization_id, hour);

CREATE FUNCTION count_audit_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_event_additions (organization_id, hour, count)
    SELECT organization_id, date_trunc('hour', occurred_at, 'UTC'), count(*)
    FROM added
    WHERE organization_id IS NOT NULL
    GROUP BY 1, 2
    UNION ALL
    SELECT '00000000-0000-0000-0000-000000000000'::uuid, date_trunc('hour', occurred_at, 'UTC'), count(*)
    FROM added
    GROUP BY 1, 2;
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_events_are_counted
    AFTER INSERT ON audit_events REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_audit_events();

-- Makes the table of a month, if it is not there, and moves what is in `audit_events_other` into it. That is done before the
-- month begins: a row that is on its way into the other table at this moment is refused.
CREATE FUNCTION make_audit_month(month timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    -- Months are those of UTC, whatever the session's time zone is.
    first timestamptz := date_trunc('month', month, 'UTC');
    next timestamptz := ((first AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
    name text := 'audit_events_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN;
    END IF;
    LOCK TABLE audit_events_other IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE audit_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('INSERT INTO %I SELECT * FROM audit_events_other WHERE occurred_at >= $1 AND occurred_at < $2', name)
        USING first, next;
    DELETE FROM audit_events_other WHERE occurred_at >= first AND occurred_at < next;
    EXECUTE format('ALTER TABLE audit_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, first, next);
    -- What names the month and not the whole trail is refused, too.
    EXECUTE format(
        'CREATE TRIGGER audit_events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
        'FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_audit_events()',
        name
    );
END
$$;
SELECT make_audit_month(now() + months * interval '1 month') FROM generate_series(0, 2) AS months;
