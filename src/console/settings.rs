//! One's own: the profile, the password, and the browsers in which one has signed in.

use askama::Template;
use diesel::PgConnection;

use super::answer::Answer;
use super::next;
use super::page::{Act, Look, Page, Visit};
use super::shell::{Moment, Shell, Shown};
use crate::access::{Action, Caller, Target};
use crate::audit::{self, Event};
use crate::http::Preparing;
use crate::ids::{SessionId, UserId};
use crate::jsonapi::{Error, Result};
use crate::sessions::{self, Session};
use crate::users::{self, NewPassword, PasswordAttributes};

use super::fields::Fields;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/app/settings").looks(show),
        Page::post("/app/settings/password").prepare(prepare_password).acts(change_password, show),
        Page::post("/app/settings/sessions/end").acts(end_session, show),
        Page::post("/app/settings/sessions/end-others").acts(end_others, show),
        Page::post("/app/settings/sign-out").acts(sign_out, show),
        Page::get("/app/settings/confirm").looks(ask_to_confirm),
        Page::post("/app/settings/confirm").prepare(prepare_confirmation).acts(confirm, ask_to_confirm),
    ]
}

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    shell: Shell,
    username: String,
    email: String,
    unconfirmed_email: Option<String>,
    site_admin: bool,
    has_password: bool,
    current_password_fault: Option<String>,
    password_fault: Option<String>,
    confirmation_fault: Option<String>,
    sessions: Vec<ShownSession>,
}

/// A session, as its row of the table shows it.
struct ShownSession {
    id: SessionId,
    /// Whether this is the one in which the page is shown.
    own: bool,
    browser: &'static str,
    agent: String,
    network: String,
    since: Moment,
    seen: Moment,
    ends: Moment,
}

impl ShownSession {
    fn of(session: Session, own: Option<SessionId>) -> Self {
        Self {
            own: own == Some(session.id),
            id: session.id,
            browser: browser(&session.agent),
            agent: Shown(&session.agent).to_string(),
            network: session.network,
            since: Moment(session.created_at),
            seen: Moment(session.seen_at),
            ends: Moment(session.ends_at),
        }
    }
}

/// What most people call a browser that says this of itself. The first that is named counts: most also name others.
fn browser(agent: &str) -> &'static str {
    const KNOWN: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("Firefox/", "Firefox"),
        ("OPR/", "Opera"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    KNOWN.iter().find(|(word, _)| agent.contains(word)).map_or("Another browser", |(_, name)| name)
}

/// What was done, by the word in the query.
fn notice(visit: &Visit) -> Option<&'static str> {
    match visit.fields.text("done").as_str() {
        "password" => Some("The password is changed, and all other sessions have ended."),
        "session" => Some("The session has ended."),
        "sessions" => Some("All other sessions have ended."),
        _ => None,
    }
}

fn show(look: Look<'_>) -> Result<Answer> {
    const FIELDS: [&str; 3] = ["current_password", "password", "password_confirmation"];
    let shell = Shell::of(&look, "Settings")?.notice(notice(look.visit)).faults_beside(look.visit, &FIELDS);
    let user = look.caller.user().ok_or_else(Error::not_found)?;
    let own = look.caller.session();
    let has_password = users::password_hash(look.connection, user)?.is_some();
    let sessions = sessions::of_user(look.connection, user)?;
    let user = users::find(look.connection, user)?;
    Answer::page(&Settings {
        shell,
        username: user.username,
        email: user.email.unwrap_or_default(),
        unconfirmed_email: user.unconfirmed_email,
        site_admin: user.site_admin,
        has_password,
        current_password_fault: look.visit.fault_of(FIELDS[0]),
        password_fault: look.visit.fault_of(FIELDS[1]),
        confirmation_fault: look.visit.fault_of(FIELDS[2]),
        sessions: sessions.into_iter().map(|session| ShownSession::of(session, own)).collect(),
    })
}

fn prepare_password(preparing: &Preparing, fields: &Fields) -> Result<NewPassword> {
    let wanted = PasswordAttributes {
        current_password: Some(fields.secret("current_password")),
        password: Some(fields.secret("password")),
        password_confirmation: Some(fields.secret("password_confirmation")),
    };
    NewPassword::prepare(preparing, &wanted)
}

/// Sets the password; all other sessions end.
fn change_password(act: Act<'_, NewPassword>) -> Result<Answer> {
    let (act, (user, before)) =
        act.lock(|connection, caller, _| Ok(users::lock(connection, caller.user().ok_or_else(Error::not_found)?)?))?;
    act.caller.may(Action::ChangeAccount, Target::Organization)?;
    users::change_password(act.connection, &act.caller, &user, before, act.input)?;
    Ok(Answer::see_other("/app/settings?done=password"))
}

/// The caller's own row, locked: whoever begins or ends a session of a user has it.
fn lock_own(connection: &mut PgConnection, caller: &Caller, _: &Visit) -> Result<UserId> {
    let user = caller.user().ok_or_else(Error::not_found)?;
    users::lock(connection, user)?;
    Ok(user)
}

fn end_session(act: Act<'_>) -> Result<Answer> {
    let (act, _) = act.lock(lock_own)?;
    let id: SessionId = act.visit.fields.text("session").parse().map_err(|_| Error::not_found())?;
    users::sign_out(act.connection, &act.caller, id)?;
    if act.caller.session() == Some(id) {
        return Ok(signed_out(act.visit));
    }
    Ok(Answer::see_other("/app/settings?done=session"))
}

fn end_others(act: Act<'_>) -> Result<Answer> {
    let (act, user) = act.lock(lock_own)?;
    sessions::end_others(act.connection, user, act.caller.session())?;
    let event = Event::of_account(user, "sign_out_others");
    audit::record(act.connection, &act.caller.actor(), &[event])?;
    Ok(Answer::see_other("/app/settings?done=sessions"))
}

fn sign_out(act: Act<'_>) -> Result<Answer> {
    let (act, _) = act.lock(lock_own)?;
    let session = act.caller.session().ok_or_else(Error::not_found)?;
    users::sign_out(act.connection, &act.caller, session)?;
    Ok(signed_out(act.visit))
}

fn signed_out(visit: &Visit) -> Answer {
    Answer::see_other("/app/sign-in").with_cookie(visit.site.no_session_cookie())
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm {
    shell: Shell,
    next: String,
    fault: Option<String>,
}

fn ask_to_confirm(look: Look<'_>) -> Result<Answer> {
    let shell = Shell::of(&look, "Enter your password again")?.faults_beside(look.visit, &["current_password"]);
    let next = next::safe(look.visit.site.base(), &look.visit.fields.text("next"));
    Answer::page(&Confirm { shell, next, fault: look.visit.fault_of("current_password") })
}

fn prepare_confirmation(preparing: &Preparing, fields: &Fields) -> Result<()> {
    let user = preparing.caller.user().ok_or_else(Error::not_found)?;
    let hash = preparing.services.authenticator.look_up(|connection| Ok(users::password_hash(connection, user)?))?;
    users::confirm(hash.as_deref(), user, &fields.secret("current_password"))
}

fn confirm(act: Act<'_>) -> Result<Answer> {
    let (act, _) = act.lock(lock_own)?;
    sessions::confirm(act.connection, act.caller.session().ok_or_else(Error::not_found)?)?;
    Ok(Answer::see_other(next::safe(act.visit.site.base(), &act.visit.fields.text("next"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_as_people_call_them() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome");
        assert_eq!(browser(&format!("{chrome} Edg/130.0.0.0")), "Edge");
        assert_eq!(browser("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"), "Firefox");
        assert_eq!(browser(""), "Another browser");
    }
}
