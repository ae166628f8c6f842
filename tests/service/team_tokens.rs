//! team_tokens

tests![];
