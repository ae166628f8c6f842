DROP TABLE spent_forms;
DROP TABLE sign_in_links;
DROP TABLE sessions;
