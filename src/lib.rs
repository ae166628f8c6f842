//! Latchkey: a self-hosted authority for long-lived API tokens.
//!
//! The binary is the product; this library exists so that tests can run the service inside themselves.
//! `docs/architecture.md` shows how the rooms fit together.

pub mod abilities;
pub mod access;
pub mod administration;
pub mod audit;
pub mod audit_trail;
pub mod cli;
pub mod config;
pub mod connections;
pub mod console;
pub mod credential;
pub mod data_directory;
pub mod database;
pub mod deletions;
pub mod fixtures;
pub mod health;
pub(crate) mod http;
mod idempotency;
pub mod ids;
mod jwks;
pub mod memberships;
pub mod organizations;
mod plans;
pub mod project_access;
pub mod projects;
pub mod reserved_tag_keys;
pub mod retention;
pub mod routes;
pub mod server;
pub mod sessions;
pub mod signing;
pub mod tag_bindings;
pub mod team_access;
pub mod teams;
pub mod tls;
pub mod tokens;
pub mod ttl_policies;
pub mod users;
mod worker;
pub mod workspaces;

pub use latchkey_jsonapi as jsonapi;
