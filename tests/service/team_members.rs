//! team_members

tests![];
