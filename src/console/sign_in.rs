//! Signing in: by name and password, or by a link with which a password is set.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::USER_AGENT;
use actix_web::{HttpRequest, rt, web};
use askama::Template;
use governor::Quota;
use sha2::{Digest as _, Sha256};

use super::answer::Answer;
use super::next;
use super::page::{Guest, Page, Visit};
use super::shell::{Shell, Shown};
use crate::access::{Place, RateLimit};
use crate::connections::network;
use crate::credential::{BrowserSecret, BrowserUse};
use crate::ids::UserId;
use crate::jsonapi::{Error, Result, TrustedProxies};
use crate::sessions::{Lifetime, NewSession};
use crate::users::{self, Candidate, PasswordAttributes, User};

/// The path of a link to sign in with.
pub(crate) fn link_path(link: &BrowserSecret) -> String {
    format!("/app/sign-in/{}", link.reveal())
}

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/app/sign-in").serves(show),
        Page::post("/app/sign-in").serves(sign_in),
        Page::get("/app/sign-in/{link}").serves(show_link),
        Page::post("/app/sign-in/{link}").serves(set_password),
    ]
}

/// How often passwords are tried (docs/limits.md). A name is what somebody wrote, whether or not there is such a user, so that
/// nobody learns which it is; what is kept of it is its hash.
#[derive(Debug)]
pub(super) struct Limits {
    /// Of one name from one network, as often as a user's password elsewhere.
    of_name_there: RateLimit<([u8; 32], Option<IpAddr>)>,
    /// Of one name from all networks but those in which the user has signed in: a stranger locks nobody out.
    of_name: RateLimit<[u8; 32]>,
    /// Of all names from one network.
    there: RateLimit<Option<IpAddr>>,
}

impl Default for Limits {
    fn default() -> Self {
        let quota = |burst: u32, a_minute: u32| {
            let times = |number: u32| NonZeroU32::MIN.saturating_add(number - 1);
            Quota::per_minute(times(a_minute)).allow_burst(times(burst))
        };
        Self {
            of_name_there: RateLimit::new(quota(10, 2)),
            of_name: RateLimit::new(quota(100, 20)),
            there: RateLimit::new(quota(60, 60)),
        }
    }
}

impl Limits {
    /// Counts a form that is sent from a network.
    ///
    /// # Errors
    /// 429 where they are too many.
    pub(super) fn check_there(&self, request: &HttpRequest) -> Result<()> {
        self.there.check(&There::of(request).network).map_err(too_often)
    }

    /// Counts a try of a name in a network.
    fn check(&self, there: &There, name: &str) -> Result<()> {
        self.of_name_there.check(&(hash(name), there.network)).map_err(too_often)
    }

    fn check_everywhere(&self, name: &str) -> Result<()> {
        self.of_name.check(&hash(name)).map_err(too_often)
    }
}

fn hash(name: &str) -> [u8; 32] {
    Sha256::digest(name.to_lowercase()).into()
}

fn too_often(wait: Duration) -> Error {
    Error::too_many_requests("Signing in was tried too often", wait.as_secs().saturating_add(1))
}

/// Where a browser is, and what it says that it is.
#[derive(Debug, Clone)]
struct There {
    /// None for a trusted proxy itself, and for whom it names nobody: all of these are one.
    network: Option<IpAddr>,
    agent: String,
}

/// The most characters that are kept of what a browser says that it is.
const AGENT_MAX: usize = 255;

impl There {
    fn of(request: &HttpRequest) -> Self {
        let network = TrustedProxies::client(request).map(network);
        let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        Self { network, agent: agent.chars().take(AGENT_MAX).collect() }
    }

    /// How the network is written.
    fn network(&self) -> String {
        match self.network {
            Some(address @ IpAddr::V4(_)) => address.to_string(),
            Some(address @ IpAddr::V6(_)) => format!("{address}/64"),
            None => "unknown".to_owned(),
        }
    }

    fn session(&self, lifetime: Lifetime) -> impl FnOnce(UserId) -> NewSession + use<> {
        let (network, agent) = (self.network(), self.agent.clone());
        move |user| NewSession { user, lifetime, network, agent }
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    shell: Shell,
    name: String,
    next: String,
}

async fn show(guest: Guest) -> Result<Answer> {
    let next = next::safe(guest.visit.site.base(), &guest.visit.fields.text("next"));
    if guest.session_before().await.is_some() {
        return Ok(Answer::see_other(next));
    }
    form(&guest.visit, next)
}

fn form(visit: &Visit, next: String) -> Result<Answer> {
    let shell = Shell::for_guest(visit, "Sign in")?.faults_beside(visit, &[]);
    Answer::page(&SignIn { shell, name: visit.fields.trimmed("name"), next })
}

/// What became of somebody who wanted to sign in.
enum Tried {
    In(BrowserSecret),
    /// Name and password do not belong together.
    Wrong(Box<(Candidate, Place)>),
}

async fn sign_in(guest: Guest) -> Result<Answer> {
    let guest = match guest.read_form().await? {
        Ok(guest) => guest,
        Err(answer) => return Ok(answer),
    };
    let next = next::safe(guest.visit.site.base(), &guest.visit.fields.text("next"));
    let wrong = || Error::attribute("/data/attributes/password", "The name or the password is not right");
    match try_password(&guest).await {
        Ok(Tried::In(secret)) => {
            let cookie = guest.visit.site.session_cookie(&secret, guest.console.lifetime);
            Ok(Answer::see_other(next).with_cookie(cookie))
        }
        Ok(Tried::Wrong(refused)) => {
            record_refusal(&guest, *refused);
            again(&guest.visit, wrong(), |visit| form(visit, next))
        }
        Err(fault) => again(&guest.visit, fault, |visit| form(visit, next)),
    }
}

/// The page of a form once more, with what was wrong.
fn again(visit: &Visit, fault: Error, show: impl FnOnce(&Visit) -> Result<Answer>) -> Result<Answer> {
    Ok(show(&visit.with_fault(fault.clone()))?.because_of(&fault))
}

async fn try_password(guest: &Guest) -> Result<Tried> {
    let (there, limits) = (There::of(&guest.request), &guest.console.limits);
    let name = guest.visit.fields.trimmed("name");
    limits.check(&there, &name)?;
    let authenticator = guest.services.authenticator.clone();
    let before = guest.session_before().await;
    let place = authenticator.enter_to_sign_in().await?;
    let (password, limits) = (guest.visit.fields.secret("password"), guest.console.limits.clone());
    let (looking, network) = (authenticator.clone(), there.network.is_some().then(|| there.network()));
    let compared = web::block(move || {
        let candidate = looking.look_up(|connection| Candidate::find(connection, &name, network.as_deref()))?;
        if !candidate.known_here {
            limits.check_everywhere(&name)?;
        }
        let right = candidate.knows(&password)?;
        Ok::<_, Error>((candidate, right))
    });
    let (candidate, right) = compared.await.map_err(|_| Error::internal())??;
    if !right {
        return Ok(Tried::Wrong(Box::new((candidate, place))));
    }
    let (session, request_id) = (there.session(guest.console.lifetime), guest.visit.request_id.clone());
    let secret = authenticator.transaction(place, move |connection| {
        users::sign_in(connection, &candidate, session, before.as_ref(), request_id)
    });
    let secret = secret.await?;
    secret.map(Tried::In).ok_or_else(|| Error::attribute("/data/attributes/password", "Try to sign in again"))
}

/// Tells the trail of a wrong password, after the answer: how long that takes says whether there is such a user.
fn record_refusal(guest: &Guest, (candidate, place): (Candidate, Place)) {
    let authenticator = guest.services.authenticator.clone();
    let (network, request_id) = (There::of(&guest.request).network(), guest.visit.request_id.clone());
    rt::spawn(async move {
        let recorded = authenticator
            .transaction(place, move |connection| candidate.record_refusal(connection, &network, request_id));
        if let Err(fault) = recorded.await {
            log::warn!("a refused sign-in is not in the audit trail: {fault}");
        }
    });
}

#[derive(Template)]
#[template(path = "sign_in_link.html")]
struct SignInLink {
    shell: Shell,
    username: String,
    password_fault: Option<String>,
    confirmation_fault: Option<String>,
}

/// Whose link it is. Looking does not spend it: programs look into links before people do.
async fn user_of_link(guest: &Guest) -> Result<Option<User>> {
    let Some(link) = BrowserSecret::parse(BrowserUse::SignInLink, guest.visit.path.text("link")) else {
        return Ok(None);
    };
    let digest = link.digest();
    guest.services.authenticator.read_for_anybody(move |connection| users::of_link(connection, &digest)).await
}

async fn show_link(guest: Guest) -> Result<Answer> {
    match user_of_link(&guest).await? {
        Some(user) => link_form(&guest.visit, &user),
        None => Ok(spent()),
    }
}

fn link_form(visit: &Visit, user: &User) -> Result<Answer> {
    let shell = Shell::for_guest(visit, "Set a password")?;
    let shell = shell.faults_beside(visit, &["password", "password_confirmation"]);
    Answer::page(&SignInLink {
        shell,
        username: Shown(&user.username).to_string(),
        password_fault: visit.fault_of("password"),
        confirmation_fault: visit.fault_of("password_confirmation"),
    })
}

fn spent() -> Answer {
    let sentence = "This link is used already, or older than an hour, or another one was made after it. Whoever runs the \
                    service makes a new one with: latchkey user sign-in-link NAME";
    Answer::refusal(StatusCode::NOT_FOUND, "The link is good no more", vec![sentence.to_owned()])
}

async fn set_password(guest: Guest) -> Result<Answer> {
    let guest = match guest.read_form().await? {
        Ok(guest) => guest,
        Err(answer) => return Ok(answer),
    };
    let Some(user) = user_of_link(&guest).await? else { return Ok(spent()) };
    match try_link(&guest).await {
        Ok(Some(secret)) => {
            let cookie = guest.visit.site.session_cookie(&secret, guest.console.lifetime);
            Ok(Answer::see_other(next::HOME).with_cookie(cookie))
        }
        Ok(None) => Ok(spent()),
        Err(fault) => again(&guest.visit, fault, |visit| link_form(visit, &user)),
    }
}

async fn try_link(guest: &Guest) -> Result<Option<BrowserSecret>> {
    let there = There::of(&guest.request);
    let link = BrowserSecret::parse(BrowserUse::SignInLink, guest.visit.path.text("link"));
    let link = link.ok_or_else(Error::not_found)?.digest();
    let fields = &guest.visit.fields;
    let wanted = PasswordAttributes {
        current_password: None,
        password: Some(fields.secret("password")),
        password_confirmation: Some(fields.secret("password_confirmation")),
    };
    let before = guest.session_before().await;
    let place = guest.services.authenticator.enter_to_sign_in().await?;
    let hashed = web::block(move || users::first_password(&wanted)).await;
    let hash = hashed.map_err(|_| Error::internal())??;
    let (session, request_id) = (there.session(guest.console.lifetime), guest.visit.request_id.clone());
    let authenticator = &guest.services.authenticator;
    authenticator
        .transaction(place, move |connection| {
            users::set_password_by_link(connection, &link, &hash, session, before.as_ref(), request_id)
        })
        .await
}
