-- The address that a user asks for. Invitations go by address, so that it is theirs only once somebody has confirmed it.
ALTER TABLE users ADD COLUMN unconfirmed_email text CHECK (char_length(unconfirmed_email) BETWEEN 3 AND 254);
