DROP TABLE audit_events;
DROP FUNCTION refuse_to_rewrite_audit_events();
