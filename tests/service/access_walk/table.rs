//! The table: who is answered what.

use super::bodies::*;
use super::cap::*;
use super::{Row, row, walk, walk_capped};

/// Blocks of rows; each block is walked by two tests of its own.
macro_rules! table {
    ($($block:ident $title:literal { $($row:expr,)* })*) => {
        /// The rows by their blocks, which have titles.
        pub const TABLE: &[(&str, &[Row])] = &[$(($title, $block::ROWS)),*];

        $(mod $block {
            use super::*;

            pub const ROWS: &[Row] = &[$($row),*];

            #[test]
            fn everybody_is_answered_what_the_table_says() {
                walk(ROWS);
            }

            #[test]
            fn a_token_does_no_more_than_its_role() {
                walk_capped(ROWS);
            }
        })*
    };
}

// A request; what it sends; the status if it is carried out; the role that its token needs; what each of the
// principals is answered, ✓ being that status. `super::world` says who is who.
table! {
    accounts "Accounts" {
        //                                                           str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /account/details",  no_body,        200, READ,  "✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓"),
        row("GET    /users/{ada}",      no_body,        200, READ,  "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("GET    /users/{ian}",      no_body,        200, READ,  "404 ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   404 404 ✓"),
        row("GET    /users/{zoe}",      no_body,        200, READ,  "✓   404 404 404 404 404 ✓   404 404 404 404 404 404"),
        row("PATCH  /account/update",   account_change, 200, OWNER, "✓   ✓   403 ✓   ✓   403 ✓   ✓   ✓   403 403 403 403"),
        row("PATCH  /account/password", new_password,   200, OWNER, "✓   ✓   403 ✓   ✓   403 ✓   ✓   ✓   403 403 403 403"),
        row("GET    /account/audit-trail", no_body,     200, READ,  "✓   ✓   404 ✓   ✓   404 ✓   ✓   ✓   404 404 404 ✓"),
    }
    administration "All users" {
        //                                                                          str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /admin/audit-trail",                      no_body, 200, OWNER_OR_404, "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
        row("GET    /admin/users",                            no_body, 200, READ,         "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
        row("GET    /admin/authentication-tokens",            no_body, 200, READ,         "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
        row("DELETE /admin/authentication-tokens/{ben-token}", no_body, 204, OWNER_OR_404, "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
        row("DELETE /admin/users/{ben}",                      no_body, 200, OWNER_OR_404, "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
        row("POST   /admin/users/{ben}/actions/suspend",      no_body, 200, OWNER_OR_404, "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
        row("POST   /admin/users/{sam}/actions/unsuspend",    no_body, 200, OWNER_OR_404, "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
        row("POST   /admin/users/{ben}/actions/grant_admin",  no_body, 200, OWNER_OR_404, "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
        row("POST   /admin/users/{rob}/actions/revoke_admin", no_body, 200, OWNER_OR_404, "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
    }
    plans "Plans that organizations show" {
        //                                                                     str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /admin/feature-sets",                     no_body,   200, READ,         "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
        row("POST   /admin/organizations/acme/subscription",  new_plan,  200, OWNER_OR_404, "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
    }
    organizations "Organizations, their TTL policies and abilities" {
        //                                                                                     str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /organizations",                         no_body,             200, READ,  "✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓"),
        row("POST   /organizations",                         new_organization,    201, OWNER, "✓   ✓   403 ✓   ✓   403 ✓   ✓   ✓   403 403 403 403"),
        row("GET    /organizations/acme",                    no_body,             200, READ,  "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("PATCH  /organizations/acme",                    organization_change, 200, OWNER, "404 403 403 403 ✓   ✓   ✓   404 403 ✓   404 404 403"),
        row("DELETE /organizations/acme",                    no_body,             204, OWNER, "404 403 403 403 ✓   ✓   ✓   404 403 ✓   404 404 403"),
        row("GET    /organizations/acme/entitlement-set",    no_body,             200, READ,  "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("GET    /organizations/acme/audit-trail",        no_body,             200, OWNER, "404 403 403 403 ✓   ✓   ✓   404 403 ✓   404 404 403"),
        row("GET    /organizations/nowhere",                 no_body,             200, READ,  "404 404 404 404 404 404 404 404 404 404 404 404 404"),
        row("GET    /organizations/acme/token-ttl-policies", no_body,             200, READ,  "404 403 403 403 ✓   ✓   ✓   404 403 ✓   404 404 403"),
        row("PATCH  /organizations/acme/token-ttl-policies", new_policies,        200, OWNER, "404 403 403 403 ✓   ✓   ✓   404 403 ✓   404 404 403"),
        row("GET    /organizations/acme/abilities",          no_body,             200, READ,  "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("PATCH  /organizations/acme/abilities",          new_abilities,       200, OWNER, "404 403 403 403 ✓   ✓   ✓   404 403 ✓   404 404 403"),
    }
    memberships "Memberships of an organization" {
        //                                                                                                                  str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /organization-memberships",                                     no_body,           200, READ,          "✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓"),
        row("GET    /organizations/acme/organization-memberships",                  no_body,           200, READ,          "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("POST   /organizations/acme/organization-memberships",                  invitation,        201, ADMIN_OR_404,  "404 404 404 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /organizations/acme/organization-memberships, into a seen team", open_invitation,  201, ADMIN_OR_404,  "404 404 404 ✓   ✓   ✓   404 404 ✓   ✓   404 404 404"),
        row("POST   /organizations/acme/organization-memberships, into the owners", owners_invitation, 201, OWNERS_INVITE, "404 404 404 403 ✓   ✓   404 404 403 ✓   404 404 404"),
        row("POST   /organizations/acme/organization-memberships, into no team",    lone_invitation,   201, ADMIN_OR_404,  "404 404 404 403 ✓   ✓   404 404 ✓   ✓   404 404 404"),
        row("GET    /organization-memberships/{cleo-membership}",                   no_body,           200, READ,          "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("DELETE /organization-memberships/{cleo-membership}",                   no_body,           204, PART_OR_ADMIN, "404 403 403 403 ✓   ✓   403 404 ✓   ✓   404 404 403"),
        row("DELETE /organization-memberships/{ada-membership}",                    no_body,           200, PART_OR_ADMIN, "404 403 403 403 403 403 403 404 403 403 404 404 403"),
        row("GET    /organization-memberships/{ian-membership}",                    no_body,           200, READ,          "404 ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   404 404 ✓"),
        row("DELETE /organization-memberships/{ian-membership}",                    no_body,           204, PART_OR_ADMIN, "404 403 403 403 ✓   ✓   403 ✓   ✓   ✓   404 404 403"),
        row("POST   /organization-memberships/{ian-membership}/actions/accept",     no_body,           200, PART_OR_ADMIN, "404 404 404 404 404 404 404 ✓   404 404 404 404 404"),
    }
    teams "Teams" {
        //                                                                                    str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /organizations/acme/teams",            no_body,       200, READ,         "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("POST   /organizations/acme/teams",            new_team,      200, ADMIN_OR_404, "404 404 404 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /teams/{ci}",                          no_body,       200, READ,         "404 ✓   ✓   ✓   ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("GET    /teams/{closed}",                      no_body,       200, READ,         "404 404 404 ✓   ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("GET    /teams/{open}",                        no_body,       200, READ,         "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("GET    /teams/{owners}",                      no_body,       200, READ,         "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("PATCH  /teams/{ci}",                          team_change,   200, ADMIN_OR_404, "404 404 404 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /teams/{ci}, its organization-access", access_change, 200, ADMIN_OR_404, "404 404 404 403 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /teams/{open}",                        team_change,   200, ADMIN_OR_404, "404 404 404 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /teams/{owners}",                      team_change,   200, OWNER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /teams/{ci}",                          no_body,       204, ADMIN_OR_404, "404 404 404 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /teams/{owners}",                      no_body,       200, OWNER_OR_404, "404 404 404 404 403 403 404 404 404 403 404 404 404"),
    }
    team_members "Members of a team" {
        //                                                                                                      str mem tea man own ow' adm inv mm  org aud wor sva
        row("POST   /teams/{ci}/relationships/users",                        new_member, 204, ADMIN,           "404 403 403 ✓   ✓   ✓   403 404 404 ✓   404 404 404"),
        row("POST   /teams/{open}/relationships/users",                      new_member, 204, ADMIN,           "404 403 403 ✓   ✓   ✓   403 404 ✓   ✓   404 404 403"),
        row("DELETE /teams/{ci}/relationships/users",                        new_member, 204, ADMIN,           "404 403 403 ✓   ✓   ✓   403 404 404 ✓   404 404 404"),
        row("POST   /teams/{closed}/relationships/users",                    new_member, 204, ADMIN,           "404 404 404 ✓   ✓   ✓   403 404 404 ✓   404 404 404"),
        row("POST   /teams/{owners}/relationships/users",                    new_member, 204, OWNER,           "404 403 403 403 ✓   ✓   403 404 403 ✓   404 404 403"),
        row("DELETE /teams/{owners}/relationships/users",                    new_member, 204, OWNER,           "404 403 403 403 ✓   ✓   403 404 403 ✓   404 404 403"),
        row("GET    /teams/{ci}/relationships/users",                        no_body,    200, READ,            "404 ✓   ✓   ✓   ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("GET    /teams/{ci}/relationships/organization-memberships",     no_body,    200, READ,            "404 ✓   ✓   ✓   ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("POST   /teams/{ci}/relationships/organization-memberships",     cleos,      204, ADMIN,           "404 403 403 ✓   ✓   ✓   403 404 404 ✓   404 404 404"),
        row("DELETE /teams/{ci}/relationships/organization-memberships",     cleos,      204, ADMIN,           "404 403 403 ✓   ✓   ✓   403 404 404 ✓   404 404 404"),
        row("GET    /teams/{open}/relationships/organization-memberships",   no_body,    200, READ,            "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("POST   /teams/{open}/relationships/organization-memberships",   cleos,      204, ADMIN,           "404 403 403 ✓   ✓   ✓   403 404 ✓   ✓   404 404 403"),
        row("POST   /teams/{owners}/relationships/organization-memberships", cleos,      204, OWNER,           "404 403 403 403 ✓   ✓   403 404 403 ✓   404 404 403"),
        row("DELETE /teams/{owners}/relationships/organization-memberships", cleos,      204, OWNER,           "404 403 403 403 ✓   ✓   403 404 403 ✓   404 404 403"),
    }
    team_tokens "Tokens of a team" {
        //                                                                                   str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /teams/{ci}/authentication-token",      no_body,   200, READ,           "404 ✓   ✓   ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /teams/{ci}/authentication-token",      no_body,   201, PART_OR_ADMIN,  "404 ✓   ✓   ✓   ✓   ✓   403 404 404 ✓   404 404 404"),
        row("DELETE /teams/{ci}/authentication-token",      no_body,   204, PART_OR_ADMIN,  "404 ✓   403 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /teams/{ci}/authentication-tokens",     no_body,   200, READ,           "404 ✓   ✓   ✓   ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("POST   /teams/{ci}/authentication-tokens",     new_token, 201, PART_OR_ADMIN,  "404 ✓   403 ✓   ✓   ✓   403 404 404 ✓   404 404 404"),
        row("GET    /teams/{locked}/authentication-token",  no_body,   200, READ,           "404 404 404 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /teams/{locked}/authentication-token",  no_body,   201, PART_OR_ADMIN,  "404 403 404 ✓   ✓   ✓   403 404 404 ✓   404 404 404"),
        row("DELETE /teams/{locked}/authentication-token",  no_body,   204, PART_OR_ADMIN,  "404 404 404 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /teams/{locked}/authentication-tokens", new_token, 201, PART_OR_ADMIN,  "404 403 404 ✓   ✓   ✓   403 404 404 ✓   404 404 404"),
        row("POST   /teams/{open}/authentication-token",    no_body,   201, PART_OR_ADMIN,  "404 403 403 ✓   ✓   ✓   403 404 403 ✓   404 404 403"),
        row("GET    /teams/{owners}/authentication-token",  no_body,   200, READ,           "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /teams/{owners}/authentication-token",  no_body,   201, OWNERS_REPLACE, "404 403 403 403 ✓   ✓   403 404 403 ✓   404 404 403"),
        row("DELETE /teams/{owners}/authentication-token",  no_body,   204, OWNERS_PART,    "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /teams/{owners}/authentication-tokens", new_token, 201, OWNERS_PART,    "404 403 403 403 ✓   ✓   403 404 403 ✓   404 404 403"),
    }
    account_tokens "Tokens of a user and of an organization; the audit trail" {
        //                                                                                                str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /users/{ben}/authentication-tokens",                          no_body,   200, READ,  "✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓"),
        row("POST   /users/{ben}/authentication-tokens",                          new_token, 201, OWN,   "404 ✓   404 404 404 404 403 404 404 404 404 404 404"),
        row("GET    /organizations/acme/authentication-token",                    no_body,   200, READ,  "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("POST   /organizations/acme/authentication-token",                    no_body,   201, OWNER, "404 403 403 403 ✓   ✓   ✓   404 403 ✓   404 404 403"),
        row("DELETE /organizations/acme/authentication-token",                    no_body,   204, OWNER, "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("GET    /organizations/acme/authentication-token?token=audit-trails", no_body,   200, READ,  "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("POST   /organizations/acme/authentication-token?token=audit-trails", no_body,   201, OWNER, "404 403 403 403 ✓   ✓   ✓   404 403 ✓   404 404 403"),
        row("DELETE /organizations/acme/authentication-token?token=audit-trails", no_body,   204, OWNER, "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("GET    /authentication-tokens/current",                              no_body,   200, READ,  "✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓"),
        row("DELETE /authentication-tokens/current",                              no_body,   204, READ,  "✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓"),
        row("GET    /authentication-tokens/{organization-token}",                 no_body,   200, READ,  "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("DELETE /authentication-tokens/{organization-token}",                 no_body,   204, ORGANIZATIONS_OR_ITSELF, "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("GET    /authentication-tokens/{audit-token}",                        no_body,   200, READ,  "404 404 404 404 ✓   ✓   ✓   404 404 ✓   ✓   404 404"),
        row("DELETE /authentication-tokens/{audit-token}",                        no_body,   204, TRAILS_OR_ITSELF, "404 404 404 404 ✓   ✓   ✓   404 404 ✓   ✓   404 404"),
        row("GET    /organization/audit-trail",                                   no_body,   200, READ,  "404 404 404 404 404 404 404 404 404 ✓   ✓   404 404"),
    }
    service_accounts "Service accounts, and their tokens" {
        //                                                                                                        str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /organizations/acme/service-accounts",                no_body,             200, READ,        "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("POST   /organizations/acme/service-accounts",                new_service_account, 201, OWNER,       "404 403 403 403 ✓   ✓   403 404 403 ✓   404 404 403"),
        row("GET    /users/{bot}",                                        no_body,             200, READ,        "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("DELETE /organization-memberships/{bot-membership}",          no_body,             204, OWNER,       "404 403 403 403 ✓   ✓   403 404 403 ✓   404 404 403"),
        row("DELETE /admin/users/{bot}",                                  no_body,             200, OWNER_OR_404, "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
        row("POST   /admin/users/{bot}/actions/suspend",                  no_body,             200, OWNER_OR_404, "404 404 404 404 404 404 ✓   404 404 404 404 404 404"),
        row("GET    /users/{bot}/authentication-tokens",                  no_body,             200, READ,        "✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓   ✓"),
        row("POST   /users/{bot}/authentication-tokens",                  new_token,           201, ACCOUNTS,    "404 404 404 404 ✓   ✓   403 404 404 ✓   404 404 ✓"),
        row("GET    /authentication-tokens/{bot-token}",                  no_body,             200, READ,        "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 ✓"),
        row("GET    /authentication-tokens/{bot-token}/usage",            no_body,             200, READ,        "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 ✓"),
        row("PATCH  /authentication-tokens/{bot-token}",                  token_change,        200, ACCOUNTS,    "404 404 404 404 ✓   ✓   403 404 404 ✓   404 404 ✓"),
        row("POST   /authentication-tokens/{bot-token}/actions/disable",  no_body,             200, ACCOUNTS,    "404 404 404 404 ✓   ✓   403 404 404 ✓   404 404 ✓"),
        row("POST   /authentication-tokens/{bot-token}/actions/enable",   no_body,             200, ACCOUNTS,    "404 404 404 404 ✓   ✓   403 404 404 ✓   404 404 ✓"),
        row("POST   /authentication-tokens/{bot-token}/actions/regenerate", no_body,           201, ACCOUNTS,    "404 404 404 404 ✓   ✓   403 404 404 ✓   404 404 ✓"),
        row("POST   /authentication-tokens/{bot-token}/actions/revoke",   no_body,             200, ACCOUNTS_OR_ITSELF, "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 ✓"),
        row("DELETE /authentication-tokens/{bot-token}",                  no_body,             204, ACCOUNTS_OR_ITSELF, "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 ✓"),
    }
    projects "Projects" {
        //                                                                                                                    str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /organizations/acme/projects",                               no_body,              200, READ,             "404 ✓   ✓   ✓   ✓   ✓   404 404 ✓   ✓   404 404 ✓"),
        row("POST   /organizations/acme/projects",                               new_project,          201, ADMIN_OR_404,     "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /projects/{default}",                                        no_body,              200, READ,             "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /projects/{default}",                                        project_change,       200, ADMIN_OR_404,     "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /projects/{default}",                                        no_body,              204, ADMIN_OR_404,     "404 404 404 404 403 403 404 404 404 403 404 404 404"),
        row("GET    /projects/{p-read}",                                         no_body,              200, READ,             "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /projects/{p-custom}",                                       no_body,              200, READ,             "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /projects/{p-read}",                                         project_change,       200, ADMIN_OR_404,     "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /projects/{p-write}",                                        project_change,       200, ADMIN_OR_404,     "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /projects/{p-maintain}",                                     project_change,       200, ADMIN_OR_404,     "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /projects/{p-admin}",                                        project_change,       200, ADMIN_OR_404,     "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /projects/{p-custom}",                                       project_change,       200, ADMIN_OR_404,     "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /projects/{p-read}",                                         no_body,              204, ADMIN_OR_404,     "404 404 404 404 403 403 404 404 404 403 404 404 404"),
        row("DELETE /projects/{p-write}",                                        no_body,              204, ADMIN_OR_404,     "404 404 404 404 403 403 404 404 404 403 404 404 404"),
        row("DELETE /projects/{p-maintain}",                                     no_body,              204, ADMIN_OR_404,     "404 404 404 404 403 403 404 404 404 403 404 404 404"),
        row("DELETE /projects/{p-admin}",                                        no_body,              204, ADMIN_OR_404,     "404 403 403 404 403 403 404 404 404 403 404 404 404"),
        row("DELETE /projects/{p-custom}",                                       no_body,              204, ADMIN_OR_404,     "404 404 404 404 403 403 404 404 404 403 404 404 404"),
        row("DELETE /projects/{p-empty}",                                        no_body,              204, ADMIN_OR_404,     "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /projects/{p-read}/tag-bindings",                            no_body,              200, READ,             "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /projects/{p-read}/effective-tag-bindings",                  no_body,              200, READ,             "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /projects/{p-read}/tag-bindings",                            new_bindings,         200, ADMIN_OR_404,     "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /projects/{p-custom}/tag-bindings",                          new_bindings,         200, ADMIN_OR_404,     "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /projects/{p-read}/relationships/tag-bindings",              new_bindings,         204, ADMIN_OR_404,     "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /projects/{p-custom}/relationships/tag-bindings",            new_bindings,         204, ADMIN_OR_404,     "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
    }
    project_access "Access of teams to projects" {
        //                                                                                                                    str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /team-projects?filter[project][id]={p-read}",                no_body,              200, READ,             "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /team-projects?filter[team][id]={ci}",                       no_body,              200, READ,             "404 ✓   ✓   ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /team-projects, to {p-maintain}",                            new_maintain_access,  201, ADMIN_OR_404,     "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /team-projects, to {p-admin}",                               new_admin_access,     201, ADMIN_OR_404,     "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /team-projects/{read-access}",                               no_body,              200, READ,             "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /team-projects/{maintain-access}",                           new_project_level,    200, ADMIN_OR_404,     "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /team-projects/{admin-access}",                              new_project_level,    200, ADMIN_OR_404,     "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /team-projects/{maintain-access}",                           no_body,              204, ADMIN_OR_404,     "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /team-projects/{admin-access}",                              no_body,              204, ADMIN_OR_404,     "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
    }
    workspaces_of_projects "What access to a project gives in its workspaces" {
        //                                                                                                                    str mem tea man own ow' adm inv mm  org aud wor sva
        row("POST   /organizations/acme/workspaces, in {p-read}",                new_workspace_in_read, 201, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /organizations/acme/workspaces, in {p-write}",               new_workspace_in_write, 201, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /organizations/acme/workspaces, in {p-maintain}",            new_workspace_in_maintain, 201, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /organizations/acme/workspaces, in {p-admin}",               new_workspace_in_admin, 201, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /organizations/acme/workspaces, in {p-custom}",              new_workspace_in_custom, 201, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /workspaces/{w-read}",                                       no_body,              200, READ,             "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /workspaces/{w-write}",                                      no_body,              200, READ,             "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /workspaces/{w-maintain}",                                   no_body,              200, READ,             "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /workspaces/{w-admin}",                                      no_body,              200, READ,             "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /workspaces/{w-custom}",                                     no_body,              200, READ,             "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{w-read}",                                       workspace_change,     200, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{w-write}",                                      workspace_change,     200, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{w-maintain}",                                   workspace_change,     200, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{w-admin}",                                      workspace_change,     200, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{w-custom}",                                     workspace_change,     200, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /workspaces/{w-read}",                                       no_body,              204, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /workspaces/{w-write}",                                      no_body,              204, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /workspaces/{w-maintain}",                                   no_body,              204, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /workspaces/{w-admin}",                                      no_body,              204, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /workspaces/{w-custom}",                                     no_body,              204, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-custom}/actions/safe-delete",                 no_body,              204, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-read}/actions/lock",                          no_body,              200, MEMBER_OR_404,    "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-write}/actions/lock",                         no_body,              200, MEMBER_OR_404,    "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-maintain}/actions/lock",                      no_body,              200, MEMBER_OR_404,    "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-admin}/actions/lock",                         no_body,              200, MEMBER_OR_404,    "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-custom}/actions/lock",                        no_body,              200, MEMBER_OR_404,    "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-read}/actions/unlock",                        no_body,              200, MEMBER_OR_404,    "404 404 404 404 409 409 404 404 404 409 404 404 404"),
        row("POST   /workspaces/{w-write}/actions/unlock",                       no_body,              200, MEMBER_OR_404,    "404 409 409 404 409 409 404 404 404 409 404 404 404"),
        row("POST   /workspaces/{w-maintain}/actions/unlock",                    no_body,              200, MEMBER_OR_404,    "404 409 409 404 409 409 404 404 404 409 404 404 404"),
        row("POST   /workspaces/{w-admin}/actions/unlock",                       no_body,              200, MEMBER_OR_404,    "404 409 409 404 409 409 404 404 404 409 404 404 404"),
        row("POST   /workspaces/{w-custom}/actions/unlock",                      no_body,              200, MEMBER_OR_404,    "404 404 404 404 409 409 404 404 404 409 404 404 404"),
        row("POST   /workspaces/{w-write}/actions/force-unlock",                 no_body,              200, MANAGER_OR_404,   "404 404 404 404 409 409 404 404 404 409 404 404 404"),
        row("POST   /workspaces/{w-maintain}/actions/force-unlock",              no_body,              200, MANAGER_OR_404,   "404 409 409 404 409 409 404 404 404 409 404 404 404"),
        row("POST   /workspaces/{w-admin}/actions/force-unlock",                 no_body,              200, MANAGER_OR_404,   "404 409 409 404 409 409 404 404 404 409 404 404 404"),
        row("POST   /workspaces/{w-custom}/actions/force-unlock",                no_body,              200, MANAGER_OR_404,   "404 404 404 404 409 409 404 404 404 409 404 404 404"),
        row("POST   /workspaces/{w-read}/relationships/remote-state-consumers",  the_held,             204, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-write}/relationships/remote-state-consumers", the_held,             204, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-maintain}/relationships/remote-state-consumers",the_held,             204, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-admin}/relationships/remote-state-consumers", the_held,             204, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-custom}/relationships/remote-state-consumers",the_held,             204, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /team-workspaces, to {w-write}",                             access_to_write,      201, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /team-workspaces, to {w-maintain}",                          access_to_maintain,   201, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /team-workspaces, to {w-admin}",                             access_to_admin,      201, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /team-workspaces, to {w-custom}",                            access_to_custom,     201, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{w-admin}, into {p-maintain}",                   move_to_maintain,     200, MANAGER_OR_404,   "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{w-maintain}, into {p-admin}",                   move_to_admin,        200, MANAGER_OR_404,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{w-maintain}, into {p-write}",                   move_to_write,        200, MANAGER_OR_404,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{w-custom}, into {p-admin}",                     move_to_admin,        200, MANAGER_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /projects/{p-maintain}/relationships/workspaces",            workspaces_of_admin,  204, MANAGER,          "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /projects/{p-admin}/relationships/workspaces",               some_workspaces,      204, MANAGER,          "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /projects/{p-write}/relationships/workspaces",               some_workspaces,      204, MANAGER,          "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{lab}, into {p-admin}",                          move_to_admin,        200, MANAGER_OR_404,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /workspaces/{w-read}/authentication-tokens",                 no_body,              200, READ,             "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-read}/authentication-tokens",                 new_token,            201, MANAGER,          "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-write}/authentication-tokens",                new_token,            201, MANAGER,          "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-maintain}/authentication-tokens",             new_token,            201, MANAGER,          "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-admin}/authentication-tokens",                new_token,            201, MANAGER,          "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{w-custom}/authentication-tokens",               new_token,            201, MANAGER,          "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
    }
    reserved_tag_keys "Reserved tag keys" {
        //                                                                                                                    str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /organizations/acme/reserved-tag-keys",                      no_body,              200, READ,             "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
        row("POST   /organizations/acme/reserved-tag-keys",                      new_key,              201, OWNER,            "404 403 403 403 ✓   ✓   ✓   404 403 ✓   404 404 403"),
        row("PATCH  /reserved-tag-keys/{reserved}",                              key_change,           200, OWNER,            "404 403 403 403 ✓   ✓   ✓   404 403 ✓   404 404 403"),
        row("DELETE /reserved-tag-keys/{reserved}",                              no_body,              204, OWNER,            "404 403 403 403 ✓   ✓   ✓   404 403 ✓   404 404 403"),
    }
    workspaces "Workspaces" {
        //                                                                                                            str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /organizations/acme/workspaces",                          no_body,          200, READ,           "404 ✓   ✓   ✓   ✓   ✓   404 404 ✓   ✓   404 404 ✓"),
        row("POST   /organizations/acme/workspaces",                          new_workspace,    201, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /workspaces/{prod}",                                      no_body,          200, READ,           "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("PATCH  /workspaces/{prod}",                                      workspace_change, 200, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("DELETE /workspaces/{prod}",                                      no_body,          204, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /organizations/acme/workspaces/prod",                     no_body,          200, READ,           "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("PATCH  /organizations/acme/workspaces/prod",                     workspace_change, 200, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("DELETE /organizations/acme/workspaces/prod",                     no_body,          204, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /workspaces/{lab}",                                       no_body,          200, READ,           "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{lab}",                                       workspace_change, 200, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /workspaces/{lab}",                                       no_body,          204, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{lab}/actions/safe-delete",                   no_body,          204, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /organizations/acme/workspaces/lab/actions/safe-delete",  no_body,          204, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{held}/actions/safe-delete",                  no_body,          204, MANAGER_OR_404, "404 404 404 404 409 409 404 404 404 409 404 404 404"),
    }
    workspace_locks "Locks of a workspace" {
        //                                                                            str mem tea man own ow' adm inv mm  org aud wor sva
        row("POST   /workspaces/{prod}/actions/lock",         no_body, 200, MEMBER_OR_404,  "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{lab}/actions/lock",          no_body, 200, MEMBER_OR_404,  "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{held}/actions/lock",         no_body, 200, MEMBER_OR_404,  "404 409 409 404 409 409 404 404 404 409 404 404 404"),
        row("POST   /workspaces/{held}/actions/unlock",       no_body, 200, MEMBER_OR_404,  "404 409 409 404 ✓   409 404 404 404 409 404 404 404"),
        row("POST   /workspaces/{held}/actions/force-unlock", no_body, 200, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{lab}/actions/force-unlock",  no_body, 200, MANAGER_OR_404, "404 409 409 404 409 409 404 404 404 409 404 404 404"),
    }
    state_consumers "Who may read a workspace's state" {
        //                                                                                                    str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /workspaces/{prod}/relationships/remote-state-consumers", no_body,          200, READ,           "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("POST   /workspaces/{prod}/relationships/remote-state-consumers", the_lab,  204, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{prod}/relationships/remote-state-consumers", the_lab,  204, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /workspaces/{prod}/relationships/remote-state-consumers", the_lab,  204, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("POST   /workspaces/{lab}/relationships/remote-state-consumers",  the_prod, 204, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{lab}/relationships/remote-state-consumers",  the_prod, 204, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /workspaces/{lab}/relationships/remote-state-consumers",  the_prod, 204, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
    }
    organization_tags "Tags of an organization" {
        //                                                                                          str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /organizations/acme/tags",                       no_body,  200, READ,           "404 ✓   ✓   ✓   ✓   ✓   404 404 ✓   ✓   404 404 ✓"),
        row("DELETE /organizations/acme/tags",                       a_tag,    204, ADMIN_OR_404,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /tags/{tag}/relationships/workspaces, to {lab}", the_lab,  204, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /tags/{tag}/relationships/workspaces, to {prod}", the_prod, 204, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
    }
    workspace_tags "Tags of a workspace" {
        //                                                                                          str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /workspaces/{prod}/relationships/tags",     no_body,      200, READ,           "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("POST   /workspaces/{prod}/relationships/tags",     new_tags,     204, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("DELETE /workspaces/{prod}/relationships/tags",     new_tags,     204, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("GET    /workspaces/{prod}/tag-bindings",           no_body,      200, READ,           "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("PATCH  /workspaces/{prod}/tag-bindings",           new_bindings, 200, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("GET    /workspaces/{prod}/effective-tag-bindings", no_body,      200, READ,           "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("GET    /workspaces/{lab}/relationships/tags",      no_body,      200, READ,           "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{lab}/relationships/tags",      new_tags,     204, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /workspaces/{lab}/relationships/tags",      new_tags,     204, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /workspaces/{lab}/tag-bindings",            no_body,      200, READ,           "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /workspaces/{lab}/tag-bindings",            new_bindings, 200, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /workspaces/{lab}/effective-tag-bindings",  no_body,      200, READ,           "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
    }
    team_access "A team's access to a workspace" {
        //                                                                                            str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /team-workspaces?filter[workspace][id]={prod}", no_body,    200, READ,           "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /team-workspaces?filter[team][id]={ci}",        no_body,    200, READ,           "404 ✓   ✓   ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /team-workspaces",                              new_access, 201, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /team-workspaces/{prod-access}",                no_body,    200, READ,           "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /team-workspaces/{prod-access}",                new_level,  200, MANAGER_OR_404, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /team-workspaces/{lab-access}",                 new_level,  200, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /team-workspaces/{lab-access}",                 no_body,    204, MANAGER_OR_404, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
    }
    workspace_tokens "Tokens of a workspace" {
        //                                                                                               str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /workspaces/{prod}/authentication-tokens",              no_body,      200, READ,    "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("POST   /workspaces/{prod}/authentication-tokens",              new_token,    201, MANAGER, "404 403 403 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("GET    /workspaces/{lab}/authentication-tokens",               no_body,      200, READ,    "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /workspaces/{lab}/authentication-tokens",               new_token,    201, MANAGER, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /authentication-tokens/{workspace-token}",              no_body,      200, READ,    "404 ✓   ✓   404 ✓   ✓   ✓   404 404 ✓   404 ✓   404"),
        row("GET    /authentication-tokens/{prod-token}",                   no_body,      200, READ,    "404 ✓   ✓   404 ✓   ✓   ✓   404 404 ✓   404 ✓   404"),
        row("PATCH  /authentication-tokens/{prod-token}",                   token_change, 200, MANAGER, "404 403 403 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("GET    /authentication-tokens/{lab-token}",                    no_body,      200, READ,    "404 ✓   ✓   404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("PATCH  /authentication-tokens/{lab-token}",                    token_change, 200, MANAGER, "404 ✓   ✓   404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{lab-token}/actions/disable",    no_body,      200, ADMIN,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{lab-token}/actions/enable",     no_body,      200, ADMIN,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{lab-token}/actions/revoke",     no_body,      200, ADMIN,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{lab-token}/actions/regenerate", no_body,      201, ADMIN,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("DELETE /authentication-tokens/{lab-token}",                    no_body,      204, ADMIN,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{prod-token}/actions/disable",   no_body,      200, ADMIN,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("POST   /authentication-tokens/{prod-token}/actions/enable",    no_body,      200, ADMIN,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("POST   /authentication-tokens/{prod-token}/actions/revoke",    no_body,      200, ADMIN,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("POST   /authentication-tokens/{prod-token}/actions/regenerate", no_body,     201, ADMIN,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("DELETE /authentication-tokens/{prod-token}",                   no_body,      204, ADMIN,   "404 403 403 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("POST   /authentication-tokens/{workspace-token}/actions/regenerate", no_body, 201, WORKSPACES_REPLACE, "404 403 403 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
        row("DELETE /authentication-tokens/{workspace-token}",              no_body,      204, WORKSPACES_OR_ITSELF, "404 403 403 404 ✓   ✓   404 404 404 ✓   404 ✓   404"),
    }
    tokens "Lists of tokens, one token and its use" {
        //                                                                                              str mem tea man own ow' adm inv mm  org aud wor sva
        row("GET    /authentication-tokens/{ci-token}",           no_body,         200, READ,          "404 ✓   ✓   ✓   ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("DELETE /authentication-tokens/{ci-token}",           no_body,         204, TEAMS_OR_ITSELF, "404 ✓   ✓   ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /authentication-tokens/{ci-described}",       no_body,         200, READ,          "404 ✓   404 ✓   ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("DELETE /authentication-tokens/{ci-described}",       no_body,         204, PART_OR_ADMIN, "404 ✓   404 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /authentication-tokens/{locked-token}",       no_body,         200, READ,          "404 404 404 ✓   ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("GET    /authentication-tokens/{owners-token}",       no_body,         200, READ,          "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("DELETE /authentication-tokens/{owners-token}",       no_body,         204, OWNERS_OR_ITSELF,   "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /authentication-tokens/{ben-token}",          no_body,         200, READ,          "404 ✓   404 404 404 404 ✓   404 404 404 404 404 404"),
        row("DELETE /authentication-tokens/{ben-token}",          no_body,         204, OWN_OR_ITSELF, "404 ✓   404 404 404 404 ✓   404 404 404 404 404 404"),
        row("GET    /authentication-tokens/{ci-token}/usage",     no_body,         200, READ,          "404 ✓   ✓   ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /authentication-tokens/{ci-described}/usage", no_body,         200, READ,          "404 ✓   404 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /authentication-tokens/{owners-token}/usage", no_body,         200, READ,          "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("GET    /authentication-tokens/{ben-token}/usage",    no_body,         200, READ,          "404 ✓   404 404 404 404 ✓   404 404 404 404 404 404"),
        row("GET    /authentication-tokens/{audit-token}/usage",  no_body,         200, READ,          "404 404 404 404 ✓   ✓   ✓   404 404 ✓   ✓   404 404"),
        row("GET    /organizations/acme/team-tokens",             no_body,         200, READ,          "404 ✓   ✓   ✓   ✓   ✓   403 404 ✓   ✓   404 404 ✓"),
        row("DELETE /organizations/acme/team-tokens",             described_token, 204, PART_OR_ADMIN, "404 ✓   404 ✓   ✓   ✓   403 404 404 ✓   404 404 404"),
        row("GET    /organizations/acme/authentication-tokens",   no_body,         200, READ,          "404 ✓   ✓   ✓   ✓   ✓   ✓   404 ✓   ✓   404 404 ✓"),
    }
    token_life "The life of a token" {
        //                                                                                                               str mem tea man own ow' adm inv mm  org aud wor sva
        row("PATCH  /authentication-tokens/{ci-token}",                              token_change, 200, PART_OR_ADMIN,  "404 ✓   403 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{ci-token}/actions/disable",              no_body,      200, PART_OR_ADMIN,  "404 ✓   403 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{ci-token}/actions/enable",               no_body,      200, PART_OR_ADMIN,  "404 ✓   403 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{ci-token}/actions/revoke",               no_body,      200, TEAMS_OR_ITSELF,  "404 ✓   ✓   ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{ci-token}/actions/regenerate",           no_body,      201, PART_OR_ADMIN,  "404 ✓   ✓   ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{ci-described}/actions/regenerate",       no_body,      201, PART_OR_ADMIN,  "404 ✓   404 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /authentication-tokens/{locked-token}",                          token_change, 200, PART_OR_ADMIN,  "404 404 404 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{locked-token}/actions/regenerate",       no_body,      201, PART_OR_ADMIN,  "404 404 404 ✓   ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /authentication-tokens/{owners-token}",                          token_change, 200, OWNERS_PART,    "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{owners-token}/actions/regenerate",       no_body,      201, OWNERS_REPLACE, "404 404 404 404 ✓   ✓   404 404 404 ✓   404 404 404"),
        row("PATCH  /authentication-tokens/{organization-token}",                    token_change, 200, OWNER,          "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{organization-token}/actions/disable",    no_body,      200, OWNER,          "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{organization-token}/actions/regenerate", no_body,      201, OWNER,          "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("PATCH  /authentication-tokens/{audit-token}",                           token_change, 200, OWNER,          "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{audit-token}/actions/disable",           no_body,      200, OWNER,          "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("POST   /authentication-tokens/{audit-token}/actions/regenerate",        no_body,      201, OWNER,          "404 404 404 404 ✓   ✓   ✓   404 404 ✓   404 404 404"),
        row("PATCH  /authentication-tokens/{ben-token}",                             token_change, 200, PART_OR_ADMIN,  "404 ✓   404 404 404 404 403 404 404 404 404 404 404"),
        row("POST   /authentication-tokens/{ben-token}/actions/disable",             no_body,      200, PART_OR_ADMIN,  "404 ✓   404 404 404 404 403 404 404 404 404 404 404"),
        row("POST   /authentication-tokens/{ben-token}/actions/deactivate",          no_body,      200, PART_OR_ADMIN,  "404 ✓   404 404 404 404 403 404 404 404 404 404 404"),
        row("POST   /authentication-tokens/{ben-token}/actions/activate",            no_body,      200, PART_OR_ADMIN,  "404 ✓   404 404 404 404 403 404 404 404 404 404 404"),
        row("POST   /authentication-tokens/{ben-token}/actions/regenerate",          no_body,      201, PART_OR_ADMIN,  "404 ✓   404 404 404 404 403 404 404 404 404 404 404"),
        row("POST   /authentication-tokens/{ben-token}/actions/revoke",              no_body,      200, OWN_OR_ITSELF,  "404 ✓   404 404 404 404 ✓   404 404 404 404 404 404"),
    }
}
