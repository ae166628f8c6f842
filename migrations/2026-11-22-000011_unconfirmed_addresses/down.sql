ALTER TABLE users DROP COLUMN unconfirmed_email;
