//! `docs/access.md`: the table for people.
//!
//! After a wanted change, `LATCHKEY_BLESS=1 cargo test --test service access_walk::page` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use super::table::TABLE;
use super::{OPEN, PRINCIPALS, REPORT, Row};

const INTRODUCTION: &str = "\
# Who may do what

A test writes this page and tries every cell of it against a running service: `tests/service/access_walk/`.

`✓` the request is carried out or answered. `403` it is refused. `404` it is refused, and the answer does not tell
that the resource exists. `409` it is refused because of a lock, to who may do it otherwise. Without a token, or with
one that has expired, is revoked, is disabled or never was, every request of the tables is answered 401.

The column *role* says which role the token must have at least, and what is answered to a token of a lower one where
the table says `✓`, `403` or `409`. The roles are viewer, member, manager, admin and owner, each of which includes those
before it. A token without a role does whatever its principal may.

The principals, all seen from the organization `acme`:

| principal | is |
| --- | --- |
| stranger | a user who owns another organization |
| member | ben, a member of the teams `ci` and `locked` |
| team token | the token of the team `ci` |
| manager | a member of a team with the permission manage-teams |
| owner | ada, a member of the team `owners` |
| owners' token | the token of the team `owners` |
| site admin | a site admin who is not a member |
| invited | ian, who is invited into the team `ci` and has not accepted |
| membership manager | a member of a team with the permission manage-membership |
| organization token | the token of the organization |
| audit-trails token | the organization's token for its audit trail |
| workspace token | a token of the workspace `prod` |
| service account | bot, a service account in no team |

The things that the requests name:

| in the path | is |
| --- | --- |
| `{ci}`, `{closed}`, `{locked}` | secret teams; `{locked}` does not let its members manage its tokens |
| `{open}` | a team that is visible in the organization |
| `{owners}` | the team `owners` |
| `{prod}` | a workspace that `ci` can read |
| `{lab}` | a workspace that `ci` administers |
| `{held}` | a workspace that `ci` writes to and the owner has locked |
| `{tag}` | a tag that `prod` and `lab` have |
| `{ci-token}`, `{locked-token}`, `{owners-token}` | the team's token without a description |
| `{ci-described}` | a token of `ci` with a description |
| `{organization-token}`, `{audit-token}` | the tokens of the organization |
| `{workspace-token}`, `{prod-token}`, `{lab-token}` | tokens of the workspaces; the first is the one that calls |
| `{ada}`, `{ben}`, `{ian}`, `{zoe}` | users: the owner, the member, the invited one and the stranger |
| `{sam}`, `{rob}` | a suspended user; another site admin |
| `{bot}`, `{bot-membership}`, `{bot-token}` | the service account, its membership, and the token by which it calls |
| `{ada-membership}`, `{cleo-membership}`, `{ian-membership}` | memberships of the owner, of a member of `closed`, of the invited one |
| `{prod-access}`, `{lab-access}` | the access of `ci` to the workspaces |
| `{default}` | the default project, in which `{prod}`, `{lab}` and `{held}` are |
| `{p-read}`, `{p-write}`, `{p-maintain}`, `{p-admin}`, `{p-custom}` | projects to which `ci` has this access; the custom one lets it update the project, plan runs, create and delete workspaces |
| `{p-empty}` | a project without workspaces that `ci` administers |
| `{w-read}`, `{w-write}`, … | a workspace in each of them |
| `{read-access}`, `{maintain-access}`, `{admin-access}` | the access of `ci` to these projects |
| `{reserved}` | a reserved tag key |
";

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (title, rows) in TABLE {
        let names: Vec<&str> = PRINCIPALS.iter().map(|(name, _)| *name).collect();
        write!(page, "\n## {title}\n\n| request | {} | role |\n|{}\n", names.join(" | "), " --- |".repeat(15)).unwrap();
        for row in *rows {
            let cells: Vec<&str> = row.answers.split_whitespace().collect();
            writeln!(page, "| {} | {} | {} |", request(row), cells.join(" | "), row.cap.text).unwrap();
        }
    }
    page.push_str("\n## Without a token\n\n");
    for (path, _) in OPEN {
        writeln!(page, "- `GET {path}`").unwrap();
    }
    writeln!(page, "- `POST {REPORT}`").unwrap();
    page
}

fn request(row: &Row) -> String {
    let note = row.note().map(|note| format!(", {note}")).unwrap_or_default();
    format!("`{} {}`{note}", row.method(), row.path())
}

#[test]
fn the_page_on_file_shows_the_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/access.md");
    let now = page();
    if std::env::var_os("LATCHKEY_BLESS").is_some() {
        std::fs::write(&file, &now).unwrap();
    }
    let on_file = std::fs::read_to_string(&file).unwrap_or_default();
    let differing: Vec<String> = now
        .lines()
        .filter(|line| !on_file.lines().any(|other| other == *line))
        .map(|line| format!("+{line}"))
        .chain(on_file.lines().filter(|line| !now.lines().any(|other| other == *line)).map(|line| format!("-{line}")))
        .collect();
    assert!(
        on_file == now,
        "docs/access.md is not what the table says:\n{}\nIf that is as it should be: \
         LATCHKEY_BLESS=1 cargo test --test service access_walk::page",
        differing.join("\n")
    );
}
