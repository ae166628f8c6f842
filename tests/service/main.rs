//! Every test that goes through the front door: HTTP, the binary, real clients, a real PostgreSQL.
//!
//! The first test that needs it starts one throw-away PostgreSQL, which ends with this process. Each service gets a
//! database of its own, cloned from a migrated template; at its end both it and what was logged are searched for
//! secrets, and a test that leaked one fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod abilities;
mod access_walk;
mod account;
mod administration;
mod audit;
mod audit_trail;
mod bad_input;
mod clients;
mod coming_from;
mod command_line;
mod connections;
mod console;
mod default_token_ttl;
mod deletions;
mod documents;
mod finding_tokens;
mod full_disk;
mod idempotency;
mod jwt;
mod kills;
mod labels;
mod leaked_tokens;
mod limits;
mod memberships;
mod memory;
mod migrations;
mod openapi;
mod organization_tags;
mod organization_tokens;
mod organizations;
mod outage;
mod plans;
mod project_access;
mod projects;
mod quick_start;
mod races;
mod remote_state_consumers;
mod request_order;
mod reserved_tag_keys;
mod retention;
mod rooms;
mod secrets;
mod self_rotation;
mod service_accounts;
mod serving;
mod shares;
mod smoke;
mod storm;
mod support;
mod team_access;
mod team_members;
mod team_memberships;
mod team_tokens;
mod teams;
mod terraform;
mod tls;
mod token_actions;
mod token_ends;
mod token_includes;
mod token_life;
mod token_lists;
mod token_states;
mod token_usage;
mod ttl_policies;
mod user_tokens;
mod users;
mod users_tokens_shut_out;
mod waits;
mod words;
mod workspace_locks;
mod workspace_tags;
mod workspace_tokens;
mod workspaces;
