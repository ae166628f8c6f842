//! Every test that goes through the front door: HTTP, the binary, real clients, a real PostgreSQL.
//!
//! The binary starts one throw-away PostgreSQL, clones a database for each test from a migrated template, and at
//! the end searches everything that was logged or stored for secrets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// Lists the tests of a file: `tests![one, two];`. A test that is not listed is dead code, which clippy refuses.
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        /// The tests of this file.
        pub fn tests() -> Vec<libtest_mimic::Trial> {
            vec![$($crate::trial(concat!(module_path!(), "::", stringify!($name)), $name)),*]
        }
    };
    // Tests that run only with `--ignored`.
    (ignored: $($name:ident),* $(,)?) => {
        /// The tests of this file, which run only when they are asked for.
        pub fn tests() -> Vec<libtest_mimic::Trial> {
            let tests = vec![$($crate::trial(concat!(module_path!(), "::", stringify!($name)), $name)),*];
            tests.into_iter().map(|test| test.with_ignored_flag(true)).collect()
        }
    };
}

mod abilities;
mod access_walk;
mod account;
mod audit;
mod audit_trail;
mod bad_input;
mod clients;
mod command_line;
mod documents;
mod finding_tokens;
mod jwt;
mod leaked_tokens;
mod memberships;
mod memory;
mod migrations;
mod openapi;
mod organization_tokens;
mod organizations;
mod outage;
mod quick_start;
mod races;
mod retention;
mod serving;
mod smoke;
mod team_access;
mod team_members;
mod team_memberships;
mod team_tokens;
mod teams;
mod tls;
mod token_actions;
mod token_life;
mod token_lists;
mod token_states;
mod token_usage;
mod ttl_policies;
mod user_tokens;
mod users;
mod workspace_tags;
mod workspace_tokens;
mod workspaces;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let all = vec![
        abilities::tests(),
        access_walk::tests(),
        account::tests(),
        audit::tests(),
        audit_trail::tests(),
        bad_input::tests(),
        clients::tests(),
        command_line::tests(),
        documents::tests(),
        jwt::tests(),
        finding_tokens::tests(),
        leaked_tokens::tests(),
        memberships::tests(),
        memory::tests(),
        migrations::tests(),
        organization_tokens::tests(),
        openapi::tests(),
        organizations::tests(),
        outage::tests(),
        quick_start::tests(),
        races::tests(),
        retention::tests(),
        serving::tests(),
        smoke::tests(),
        team_access::tests(),
        team_members::tests(),
        team_memberships::tests(),
        team_tokens::tests(),
        teams::tests(),
        tls::tests(),
        token_actions::tests(),
        token_life::tests(),
        token_lists::tests(),
        token_states::tests(),
        token_usage::tests(),
        ttl_policies::tests(),
        user_tokens::tests(),
        users::tests(),
        workspace_tags::tests(),
        workspace_tokens::tests(),
        workspaces::tests(),
    ];
    let tests: Vec<Trial> = all.into_iter().flatten().collect();
    if arguments.list {
        return libtest_mimic::run(&arguments, tests).exit_code();
    }
    support::start();
    let conclusion = libtest_mimic::run(&arguments, tests);
    let clean = support::end();
    if clean { conclusion.exit_code() } else { ExitCode::FAILURE }
}

fn trial(name: &str, test: fn()) -> Trial {
    let name = name.trim_start_matches("service::").to_owned();
    Trial::test(name, move || {
        test();
        Ok(())
    })
}
