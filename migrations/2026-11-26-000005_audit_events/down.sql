DROP FUNCTION make_audit_month(timestamptz);
DROP TABLE audit_events;
DROP FUNCTION count_audit_events();
DROP TABLE audit_event_additions;
DROP TABLE audit_event_hours;
DROP FUNCTION refuse_to_rewrite_audit_events();
