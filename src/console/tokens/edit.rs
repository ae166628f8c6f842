//! Changing a token, and issuing its successor.

use askama::Template;
use serde_json::{Value, json};

use super::make::{already_made, made, spend};
use super::one::find;
use super::shown::ShownToken;
use super::{Page, Scope};
use crate::console::answer::Answer;
use crate::console::form::{Preset, abilities_of, checked, end_of, moment, number, presets};
use crate::console::page::{Act, Look};
use crate::console::shell::Shell;
use crate::jsonapi::{Error, Result, time};
use crate::sessions::Spent;
use crate::tokens::{self, Replacement, Token, TokenChanges, TokenOperation, TokenRights};

pub(super) fn pages(list: &str) -> Vec<Page> {
    let (edit, regenerate) = (format!("{list}/{{token}}/edit"), format!("{list}/{{token}}/regenerate"));
    vec![
        Page::get(edit.clone()).looks(ask_changes),
        Page::post(edit).acts(change, ask_changes),
        Page::get(regenerate.clone()).dangerous().looks(ask_regenerate),
        Page::post(regenerate).dangerous().acts(regenerate_token, ask_regenerate),
    ]
}

#[derive(Template)]
#[template(path = "edit_token.html")]
struct Edit {
    shell: Shell,
    scope: Scope,
    token: ShownToken,
    description: String,
    description_fault: Option<String>,
    expired_at: String,
    expiry_fault: Option<String>,
    role: String,
    roles: [&'static str; 5],
    role_fault: Option<String>,
    all_abilities: bool,
    abilities: String,
    abilities_fault: Option<String>,
}

/// A token, as the page shows it, of which the caller may do this.
fn shown(look: &mut Look<'_>, may: fn(&TokenRights) -> bool) -> Result<(Scope, Token, ShownToken)> {
    let (scope, token) = find(look)?;
    let rights = tokens::rights(look.connection, look.caller, std::slice::from_ref(&token))?;
    let rights = rights.first().filter(|rights| may(rights)).ok_or_else(|| Error::forbidden("You may not do this"))?;
    let shown = ShownToken::of(&token, *rights, look.caller.now);
    Ok((scope, token, shown))
}

fn ask_changes(mut look: Look<'_>) -> Result<Answer> {
    let (scope, token, shown) = shown(&mut look, |rights| rights.edit)?;
    let visit = look.visit;
    let text = |name: &str, now: String| if visit.fields.has(name) { visit.fields.text(name) } else { now };
    let listed = token.abilities.iter().flatten().map(|ability| ability.as_str()).collect::<Vec<_>>().join("\n");
    let which = text("which-abilities", if token.abilities.is_none() { "all" } else { "these" }.to_owned());
    let fields = ["description", "expired-at", "role", "abilities"];
    let shell = Shell::of(&look, format!("Edit {}", shown.label))?.faults_beside(visit, &fields);
    Answer::page(&Edit {
        shell: Shell { organization: scope.organization.clone(), ..shell },
        description: text("description", token.description.clone().unwrap_or_default()),
        description_fault: visit.fault_of("description"),
        expired_at: text("expired-at", token.expired_at.map(time).unwrap_or_default()),
        expiry_fault: visit.fault_of("expired-at"),
        role: text("role", token.role.to_string()),
        roles: ["viewer", "member", "manager", "admin", "owner"],
        role_fault: visit.fault_of("role"),
        all_abilities: which == "all",
        abilities: text("abilities", listed),
        abilities_fault: visit.fault_of("abilities"),
        token: shown,
        scope,
    })
}

fn change(act: Act<'_>) -> Result<Answer> {
    let (act, (scope, token)) =
        act.lock(|connection, caller, visit| Scope::lock(connection, caller, visit, TokenOperation::Edit))?;
    tokens::may(act.connection, &act.caller, TokenOperation::Edit, &token)?;
    let fields = &act.visit.fields;
    let mut attributes = json!({"role": fields.text("role")});
    let description = fields.trimmed("description");
    // A field that is empty leaves a token without a description as it is.
    if !(description.is_empty() && token.description.is_none()) {
        attributes["description"] = description.into();
    }
    // A field that says what is there already is no change, however exact the moment is.
    let end = fields.trimmed("expired-at");
    if end != token.expired_at.map(time).unwrap_or_default() {
        attributes["expired-at"] = if end.is_empty() { Value::Null } else { moment(&end)?.into() };
    }
    abilities_of(fields, &mut attributes);
    let changes: TokenChanges = checked(attributes)?;
    let edited = tokens::edit(act.connection, &act.caller, &token, changes)?;
    Ok(Answer::see_other(scope.token(edited.id)))
}

#[derive(Template)]
#[template(path = "regenerate_token.html")]
struct Regenerate {
    shell: Shell,
    scope: Scope,
    token: ShownToken,
    number: String,
    presets: Vec<Preset>,
    expiry: String,
    expired_at: String,
    expiry_fault: Option<String>,
    graces: Vec<(i64, &'static str, bool)>,
    grace_fault: Option<String>,
}

fn ask_regenerate(mut look: Look<'_>) -> Result<Answer> {
    const GRACES: [(i64, &str); 5] = [
        (0, "none: the old secret ends at once"),
        (600, "10 minutes"),
        (3600, "1 hour"),
        (86_400, "1 day"),
        (604_800, "7 days"),
    ];
    let (scope, _, shown) = shown(&mut look, |rights| rights.replace)?;
    let visit = look.visit;
    let (expiry, grace) = (visit.fields.text("expiry"), visit.fields.text("grace-period-seconds"));
    let fields = ["expired-at", "expires-in-seconds", "grace-period-seconds"];
    let shell = Shell::of(&look, format!("Regenerate {}", shown.label))?.faults_beside(visit, &fields);
    let graces = GRACES.iter().map(|(seconds, text)| (*seconds, *text, seconds.to_string() == grace));
    Answer::page(&Regenerate {
        shell: Shell { organization: scope.organization.clone(), ..shell },
        token: shown,
        number: number()?,
        presets: presets(look.caller.now, None, &expiry),
        expired_at: visit.fields.text("expired-at"),
        expiry_fault: visit.fault_of("expired-at").or_else(|| visit.fault_of("expires-in-seconds")),
        expiry,
        graces: graces.collect(),
        grace_fault: visit.fault_of("grace-period-seconds"),
        scope,
    })
}

/// Issues the successor. Its secret is in the answer, and nowhere else.
fn regenerate_token(act: Act<'_>) -> Result<Answer> {
    let (act, (scope, token, spent)) = act.lock(|connection, caller, visit| {
        let (scope, token) = Scope::lock(connection, caller, visit, TokenOperation::Replace)?;
        let spent = spend(connection, caller.session(), &visit.fields)?;
        Ok((scope, token, spent))
    })?;
    scope.check(&token)?;
    tokens::may(act.connection, &act.caller, TokenOperation::Read, &token)?;
    tokens::may(act.connection, &act.caller, TokenOperation::Replace, &token)?;
    if let Spent::Before { token, at } = spent {
        return already_made(act, scope, token, at);
    }
    let fields = &act.visit.fields;
    let grace = fields.text("grace-period-seconds").parse::<i64>().unwrap_or(0);
    let mut attributes = json!({"grace-period-seconds": grace});
    end_of(fields, &mut attributes)?;
    let asked: Replacement = checked(attributes)?;
    let mint = tokens::mint(act.services);
    let (successor, secret) = tokens::replace(act.connection, &act.caller, mint, &token, &asked)?;
    let before = match grace {
        0 => format!("{}… has ended.", token.token_prefix),
        seconds => format!("{}… goes on working for {seconds} seconds.", token.token_prefix),
    };
    made(act, scope, &successor, &secret, Some(before))
}
