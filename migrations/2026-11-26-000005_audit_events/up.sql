-- What happened, by whom, in which organization. Events outlive what they tell of, hence no foreign keys.
CREATE TABLE audit_events (
    id uuid PRIMARY KEY,
    organization_id uuid,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_type text NOT NULL CHECK (actor_type IN ('Client', 'System')),
    accessor_id text,
    accessor_description text,
    -- The token that the actor used.
    token_id uuid,
    request_id text,
    resource_type text NOT NULL,
    resource_id text NOT NULL,
    action text NOT NULL,
    meta jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_events_of_organization ON audit_events (organization_id, occurred_at, id);
-- The trail of everybody, for the command line.
CREATE INDEX audit_events_in_time ON audit_events (occurred_at, id);
-- Finds what is told only once in a while: who has looked at a token, and whether it was refused.
CREATE INDEX audit_events_of_looking ON audit_events (resource_id, token_id, action, occurred_at)
    WHERE action IN ('show', 'refuse', 'refuse_replaced');

CREATE FUNCTION refuse_to_rewrite_audit_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_events is append-only';
END
$$;
CREATE TRIGGER audit_events_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_audit_events();
