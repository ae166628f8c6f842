//! Revoking tokens: one or many, after a page that names each.

use askama::Template;
use diesel::PgConnection;
use serde_json::json;

use super::shown::ShownToken;
use super::{Page, Scope};
use crate::access::Caller;
use crate::console::answer::Answer;
use crate::console::form::checked;
use crate::console::page::{Act, Look, Visit, link};
use crate::console::shell::Shell;
use crate::credential::Status;
use crate::ids::TokenId;
use crate::jsonapi::{Error, Result};
use crate::tokens::{self, Revocation, Token, TokenOperation};

pub(super) fn pages(list: &str) -> Vec<Page> {
    let path = format!("{list}/revoke");
    vec![Page::get(path.clone()).looks(ask), Page::post(path).acts(revoke, ask)]
}

/// The most tokens that are revoked together.
const MOST: usize = 100;

#[derive(Template)]
#[template(path = "revoke.html")]
struct Ask {
    shell: Shell,
    scope: Scope,
    tokens: Vec<ShownToken>,
    reason: String,
    reason_fault: Option<String>,
}

/// The tokens that a form names.
fn chosen(visit: &Visit) -> Result<Vec<TokenId>> {
    let mut ids = vec![];
    for text in visit.fields.all("token") {
        let id = text.parse().map_err(|_| Error::not_found())?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if ids.len() > MOST {
        return Err(Error::bad_request("too many tokens", format!("At most {MOST} tokens are revoked together")));
    }
    Ok(ids)
}

/// Checks that the caller may revoke every one of some tokens.
fn check(connection: &mut PgConnection, caller: &Caller, found: &[Token]) -> Result<()> {
    found.iter().try_for_each(|token| tokens::may(connection, caller, TokenOperation::Revoke, token).map(drop))
}

fn ask(look: Look<'_>) -> Result<Answer> {
    let scope = Scope::of(look.connection, look.caller, look.visit)?;
    let ids = chosen(look.visit)?;
    if ids.is_empty() {
        return Ok(Answer::see_other(scope.list));
    }
    let found = scope.check_seen(look.connection, look.caller, &ids)?;
    check(look.connection, look.caller, &found)?;
    let rights = tokens::rights(look.connection, look.caller, &found)?;
    let title =
        if found.len() == 1 { "Revoke this token?".to_owned() } else { format!("Revoke {} tokens?", found.len()) };
    let shell = Shell::of(&look, title)?.faults_beside(look.visit, &["revocation-reason"]);
    let shown = found.iter().zip(rights).map(|(token, rights)| ShownToken::of(token, rights, look.caller.now));
    Answer::page(&Ask {
        shell: Shell { organization: scope.organization.clone(), ..shell },
        tokens: shown.collect(),
        reason: look.visit.fields.text("revocation-reason"),
        reason_fault: look.visit.fault_of("revocation-reason"),
        scope,
    })
}

/// Revokes all of them, or none. What is revoked already stays as it is.
fn revoke(act: Act<'_>) -> Result<Answer> {
    let (act, (scope, found)) = act.lock(|connection, caller, visit| {
        let (scope, ids) = (Scope::of(connection, caller, visit)?, chosen(visit)?);
        scope.check_seen(connection, caller, &ids)?;
        Ok((scope, tokens::lock_several(connection, caller, &ids)?))
    })?;
    check(act.connection, &act.caller, &found)?;
    let reason = act.visit.fields.trimmed("revocation-reason");
    let reason = Some(reason).filter(|reason| !reason.is_empty());
    let Revocation { revocation_reason } = checked(json!({"revocation-reason": reason}))?;
    let live: Vec<Token> = found.iter().filter(|token| token.status != Status::Revoked).cloned().collect();
    tokens::revoke(act.connection, &act.caller, &live, revocation_reason.as_deref())?;
    let ids: Vec<String> = found.iter().map(|token| token.id.to_string()).collect();
    let about: Vec<(&str, &str)> = ids.iter().map(|id| ("about", id.as_str())).collect();
    Ok(Answer::see_other(link(&scope.list, &about)))
}
