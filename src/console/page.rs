//! How a page is declared, and the one order in which every request for one is answered.
//!
//! A page for persons is looked at ([`Look`]) or acted on ([`Act`]). A form that is sent goes through the same steps as a
//! write of the API (`http/route.rs`): who calls → a place among the caller's share → the body → what is slow, without a
//! connection → locks → who calls, once more → may the caller → the operation → commit. Before these it must come from a page
//! of this site, and bring the token of its session; where it is refused for what is in it, its page is shown again with what
//! was written.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};
use diesel::PgConnection;

use super::answer::Answer;
use super::fields::Fields;
use super::guard::{self, Guard};
use super::site::{Site, Unsafe};
use super::{Console, next};
use crate::access::{Caller, Credentials, OrganizationRef, Reads};
use crate::credential::{BrowserSecret, BrowserUse, Secret};
use crate::http::{PathParams, Preparing, Services};
use crate::jsonapi::{Body, Error, MAX_BODY, Result, request_id};
use crate::sessions;

/// Answers a request for a page.
type Handler = Arc<dyn Fn(HttpRequest, Payload, Services, Console) -> Answering>;

type Answering = Pin<Box<dyn Future<Output = Answer>>>;

/// The most bytes of a form of somebody who is not signed in (docs/limits.md).
const GUESTS_BODY: usize = 8 * 1024;

/// Within so many minutes after the password was entered it is not asked for again.
const CONFIRMED_MINUTES: i32 = 15;

/// One method of one path of the console.
pub(super) struct Page {
    method: Method,
    path: String,
    handler: Handler,
}

/// A page whose handler is still to be named.
pub(super) struct Declared {
    method: Method,
    path: String,
    dangerous: bool,
}

/// A form whose handler is still to be named. `I` is what is made of its fields before the transaction.
pub(super) struct Form<I = ()> {
    declared: Declared,
    prepare: fn(&Preparing, &Fields) -> Result<I>,
}

/// What is known of a request before it is known who calls.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) site: Site,
    pub(super) guard: Guard,
    pub(super) path: PathParams,
    /// Path and query.
    pub(super) here: String,
    /// Those of the query, or of the form that was sent.
    pub(super) fields: Fields,
    /// What was wrong with the form, if its page is shown again.
    fault: Option<Error>,
    pub(super) request_id: String,
}

/// A request that only reads, of a person.
pub(super) struct Look<'c> {
    pub(super) connection: &'c mut PgConnection,
    pub(super) caller: &'c Caller,
    pub(super) visit: &'c Visit,
}

/// A form that was sent by a person, in a transaction, before any lock is taken.
pub(super) struct Act<'c, I = ()> {
    connection: &'c mut PgConnection,
    caller: Caller,
    visit: &'c Visit,
    services: &'c Services,
    input: I,
}

/// The same with its locks, for the caller as it stands now.
pub(super) struct Acting<'c, I = ()> {
    pub(super) connection: &'c mut PgConnection,
    pub(super) caller: Caller,
    pub(super) visit: &'c Visit,
    pub(super) services: &'c Services,
    pub(super) input: I,
}

/// A request of somebody who is not signed in, or need not be.
pub(super) struct Guest {
    pub(super) request: HttpRequest,
    payload: Payload,
    pub(super) visit: Visit,
    pub(super) services: Services,
    pub(super) console: Console,
    /// A new secret for the forms of a browser that has none.
    new_secret: Option<BrowserSecret>,
}

impl Visit {
    /// What is wrong with the form that was sent: the field, and a sentence. A field has the name of its attribute.
    pub(super) fn faults(&self) -> impl Iterator<Item = (&str, &str)> {
        let faults = self.fault.iter().flat_map(Error::faults);
        faults.map(|(place, detail)| (place.unwrap_or_default().rsplit('/').next().unwrap_or_default(), detail))
    }

    /// What is wrong with a field of it.
    pub(super) fn fault_of(&self, field: &str) -> Option<String> {
        self.faults().find(|(known, _)| *known == field).map(|(_, detail)| super::answer::sentence(detail))
    }

    pub(super) fn with_fault(&self, fault: Error) -> Self {
        Self { fault: Some(fault), ..self.clone() }
    }
}

impl<'c, I> Act<'c, I> {
    /// Takes the locks that the work needs, then authenticates again: while the request waited, its session may have ended,
    /// its user been suspended, its team's permissions taken away.
    ///
    /// # Errors
    /// What `lock` returns, and those of [`Caller::reauthenticated`].
    pub(super) fn lock<T>(
        self,
        lock: impl FnOnce(&mut PgConnection, &Caller, &Visit) -> Result<T>,
    ) -> Result<(Acting<'c, I>, T)> {
        let Self { connection, caller, visit, services, input } = self;
        let locked = lock(connection, &caller, visit)?;
        let caller = caller.reauthenticated(connection)?;
        Ok((Acting { connection, caller, visit, services, input }, locked))
    }
}

impl Page {
    /// Its method and path.
    pub(super) fn named(&self) -> (String, String) {
        (self.method.to_string(), self.path.clone())
    }

    /// A page, and the form that it is sent by where there is one. The path has `{names}` of its parameters.
    pub(super) fn get(path: impl Into<String>) -> Declared {
        Declared { method: Method::GET, path: path.into(), dangerous: false }
    }

    /// A form.
    pub(super) fn post(path: impl Into<String>) -> Declared {
        Declared { method: Method::POST, path: path.into(), dangerous: false }
    }

    fn new<F>(
        Declared { method, path, .. }: Declared,
        handler: impl Fn(HttpRequest, Payload, Services, Console) -> F + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + 'static,
    {
        let handler: Handler = Arc::new(move |request, payload, services, console| {
            Box::pin(handler(request, payload, services, console)) as Answering
        });
        Self { method, path, handler }
    }
}

impl Declared {
    /// Asks for the password again if it was not entered lately: what is made here outlives the session.
    pub(super) fn dangerous(self) -> Self {
        Self { dangerous: true, ..self }
    }

    /// Shows a page to persons.
    pub(super) fn looks(self, show: fn(Look<'_>) -> Result<Answer>) -> Page {
        let dangerous = self.dangerous;
        Page::new(self, move |request, _, services, _| async move {
            let looked = async {
                let (site, secret) = match signed_in(&request) {
                    Ok(found) => found,
                    Err(answer) => return Ok(answer),
                };
                let fields = Fields::parse(request.query_string().as_bytes())?;
                let visit = visit(&request, site, &secret, fields).await?;
                look(&request, &services, &secret, visit, dangerous, show).await
            };
            let looked = looked.await;
            looked.unwrap_or_else(|fault| refused(&request, &fault))
        })
    }

    /// A form from whose fields something is made before the transaction.
    pub(super) fn prepare<I: Send + 'static>(self, prepare: fn(&Preparing, &Fields) -> Result<I>) -> Form<I> {
        Form { declared: self, prepare }
    }

    /// A form of persons, and its page, which is shown again if the form is refused.
    pub(super) fn acts(self, act: fn(Act<'_>) -> Result<Answer>, again: fn(Look<'_>) -> Result<Answer>) -> Page {
        self.prepare(|_, _| Ok(())).acts(act, again)
    }

    /// A page for anybody, or a form from anybody.
    pub(super) fn serves<F>(self, serve: fn(Guest) -> F) -> Page
    where
        F: Future<Output = Result<Answer>> + 'static,
    {
        Page::new(self, move |request, payload, services, console| async move {
            let served = async {
                let guest = match Guest::of(request.clone(), payload, services, console).await? {
                    Ok(guest) => guest,
                    Err(Unsafe(why)) => return Ok(unsafe_site(why)),
                };
                let cookie = guest.new_secret.as_ref().map(|secret| guest.visit.site.guest_cookie(secret));
                let answer = serve(guest).await?;
                Ok(cookie.into_iter().fold(answer, Answer::with_cookie))
            };
            let served: Result<Answer> = served.await;
            served.unwrap_or_else(|fault| Answer::fault(&fault))
        })
    }
}

impl<I: Send + 'static> Form<I> {
    /// A form of persons, and its page, which is shown again if the form is refused.
    pub(super) fn acts(self, act: fn(Act<'_, I>) -> Result<Answer>, again: fn(Look<'_>) -> Result<Answer>) -> Page {
        let Self { declared, prepare } = self;
        let dangerous = declared.dangerous;
        Page::new(declared, move |request, payload, services, _| async move {
            let acted = send(&request, payload, &services, dangerous, prepare, act, again).await;
            acted.unwrap_or_else(|fault| refused(&request, &fault))
        })
    }
}

/// The steps of a page that is looked at, from where it is known which session calls.
async fn look(
    request: &HttpRequest,
    services: &Services,
    secret: &BrowserSecret,
    visit: Visit,
    dangerous: bool,
    show: fn(Look<'_>) -> Result<Answer>,
) -> Result<Answer> {
    let credentials = Credentials::session(request, secret);
    let organization_ref = visit.path.organization();
    services
        .authenticator
        .read(credentials, organization_ref, Reads::One, move |connection, caller| {
            if dangerous && !is_confirmed(connection, caller)? {
                return Ok(to_confirm(&visit));
            }
            show(Look { connection, caller, visit: &visit })
        })
        .await
}

/// The steps of a form that is sent.
async fn send<I: Send + 'static>(
    request: &HttpRequest,
    mut payload: Payload,
    services: &Services,
    dangerous: bool,
    prepare: fn(&Preparing, &Fields) -> Result<I>,
    act: fn(Act<'_, I>) -> Result<Answer>,
    again: fn(Look<'_>) -> Result<Answer>,
) -> Result<Answer> {
    let (site, secret) = match signed_in(request) {
        Ok(found) => found,
        Err(answer) => return Ok(answer),
    };
    if !site.has_sent(request) {
        return Ok(from_elsewhere(&site));
    }
    let path = PathParams::of(request).await?;
    let credentials = Credentials::session(request, &secret);
    let authenticator = &services.authenticator;
    let caller = authenticator.authenticate(credentials.clone(), path.organization()).await?;
    // From here on the caller has a place: who sends slowly, or hashes passwords, takes nobody else's.
    let place = authenticator.enter(&caller).await?;
    let fields = read_form(request, &mut payload, services).await?;
    let visit = visit_with(request, site, &secret, fields, path);
    if !visit.guard.accepts(&visit.fields.text(guard::FIELD)) {
        return Ok(out_of_date());
    }
    if !caller.takes_part() {
        return Err(Error::not_found());
    }
    let acting = {
        let (visit, services) = (visit.clone(), services.clone());
        async move {
            let preparing = Preparing { caller: caller.clone(), services: services.clone() };
            let fields = visit.fields.clone();
            let prepared = web::block(move || prepare(&preparing, &fields)).await.map_err(|_| Error::internal())?;
            let authenticator = services.authenticator.clone();
            authenticator
                .transaction(place, move |connection| {
                    if dangerous && !is_confirmed(connection, &caller)? {
                        return Ok(to_confirm(&visit));
                    }
                    act(Act { connection, caller, visit: &visit, services: &services, input: prepared? })
                })
                .await
        }
    };
    match acting.await {
        Err(fault) if is_about_the_form(&fault) => {
            let shown = look(request, services, &secret, visit.with_fault(fault.clone()), dangerous, again).await?;
            Ok(shown.because_of(&fault))
        }
        answer => answer,
    }
}

/// Whether a form was refused for what was in it, or for what has become of things since its page was shown.
fn is_about_the_form(fault: &Error) -> bool {
    matches!(
        fault.status(),
        StatusCode::BAD_REQUEST
            | StatusCode::FORBIDDEN
            | StatusCode::CONFLICT
            | StatusCode::UNPROCESSABLE_ENTITY
            | StatusCode::TOO_MANY_REQUESTS
    )
}

/// The site, and the secret of the session in which a request is made; else what to answer.
fn signed_in(request: &HttpRequest) -> Result<(Site, BrowserSecret), Answer> {
    let site = Site::of(request).map_err(|Unsafe(why)| unsafe_site(why))?;
    match site.secret(request, BrowserUse::Session) {
        Some(secret) => Ok((site, secret)),
        None => Err(to_sign_in(request)),
    }
}

async fn visit(request: &HttpRequest, site: Site, secret: &BrowserSecret, fields: Fields) -> Result<Visit> {
    let path = PathParams::of(request).await?;
    Ok(visit_with(request, site, secret, fields, path))
}

fn visit_with(request: &HttpRequest, site: Site, secret: &BrowserSecret, fields: Fields, path: PathParams) -> Visit {
    let here = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let (guard, request_id) = (Guard::of(secret), request_id(request));
    Visit { site, guard, path, here, fields, fault: None, request_id }
}

async fn read_form(request: &HttpRequest, payload: &mut Payload, services: &Services) -> Result<Fields> {
    fields_of(&read_body(request, payload, services).await?)
}

async fn read_body(request: &HttpRequest, payload: &mut Payload, services: &Services) -> Result<Body> {
    check_form_type(request)?;
    Body::read_of_any_type(request, payload, MAX_BODY, &services.body_budget).await
}

fn fields_of(body: &Body) -> Result<Fields> {
    Fields::parse(body.bytes())
}

fn check_form_type(request: &HttpRequest) -> Result<()> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(());
    }
    Err(Error::unsupported_media_type("A form is application/x-www-form-urlencoded"))
}

/// Who has no session, or none that is still good, signs in first, and comes back to what was looked at.
fn refused(request: &HttpRequest, fault: &Error) -> Answer {
    if fault.status() == StatusCode::UNAUTHORIZED { to_sign_in(request) } else { Answer::fault(fault) }
}

fn to_sign_in(request: &HttpRequest) -> Answer {
    let here = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    // A form that was sent is not sent again, and a secret that was pasted is not kept.
    let again = *request.method() == Method::GET && Secret::find_all(&here, 1).is_empty();
    let place = if again { here } else { next::HOME.to_owned() };
    Answer::see_other(link("/app/sign-in", &[("next", &place)]))
}

fn to_confirm(visit: &Visit) -> Answer {
    Answer::see_other(link("/app/settings/confirm", &[("next", &visit.here)]))
}

/// Whether the password was entered lately in the session that calls.
fn is_confirmed(connection: &mut PgConnection, caller: &Caller) -> Result<bool> {
    let session = caller.session().ok_or_else(Error::unauthorized)?;
    Ok(sessions::confirmed_within(connection, session, CONFIRMED_MINUTES)?)
}

/// A path with a query of these.
pub(super) fn link(path: &str, parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{path}?{query}")
}

fn unsafe_site(why: &str) -> Answer {
    Answer::refusal(StatusCode::FORBIDDEN, "Not over this connection", vec![why.to_owned()])
}

fn from_elsewhere(site: &Site) -> Answer {
    let sentence = format!(
        "This form was not sent by a page of {0}, where this service is. Open {0}, and try again there. If that is not the \
         address in your browser, --public-url (LATCHKEY_PUBLIC_URL) must say the one that is.",
        site.base().origin().ascii_serialization()
    );
    Answer::refusal(StatusCode::FORBIDDEN, "Not sent from here", vec![sentence])
}

fn out_of_date() -> Answer {
    let sentence = "This form belongs to a session that is over, or to another browser. Nothing was done. Go back, reload the \
                    page, and send it again.";
    Answer::refusal(StatusCode::FORBIDDEN, "The form is out of date", vec![sentence.to_owned()])
}

impl Guest {
    async fn of(
        request: HttpRequest,
        payload: Payload,
        services: Services,
        console: Console,
    ) -> Result<Result<Self, Unsafe>> {
        let site = match Site::of(&request) {
            Ok(site) => site,
            Err(why) => return Ok(Err(why)),
        };
        let fields = Fields::parse(request.query_string().as_bytes())?;
        let (secret, new_secret) = match site.secret(&request, BrowserUse::Guest) {
            Some(known) => (known, None),
            None => {
                let new = BrowserSecret::generate(BrowserUse::Guest).map_err(|fault| {
                    log::error!("no form can be shown: {fault}");
                    Error::internal()
                })?;
                (new.clone(), Some(new))
            }
        };
        let visit = visit(&request, site, &secret, fields).await?;
        Ok(Ok(Self { request, payload, visit, services, console, new_secret }))
    }

    /// Who is signed in already in the browser. That session ends when another one begins.
    pub(super) async fn session_before(&self) -> Option<Caller> {
        let secret = self.visit.site.secret(&self.request, BrowserUse::Session)?;
        let session = Credentials::session(&self.request, &secret);
        self.services.authenticator.authenticate(session, OrganizationRef::None).await.ok()
    }

    /// Reads the form that was sent: its fields take the place of those of the query. If it was not sent from here, or has not
    /// the token of this browser, that is the answer.
    ///
    /// # Errors
    /// Those of a body that cannot be read.
    pub(super) async fn read_form(mut self) -> Result<Result<Self, Answer>> {
        if !self.visit.site.has_sent(&self.request) {
            return Ok(Err(from_elsewhere(&self.visit.site)));
        }
        // Before a byte of the body is read: a browser that has seen the form has this cookie.
        if self.new_secret.is_some() {
            return Ok(Err(out_of_date()));
        }
        self.console.limits.check_there(&self.request)?;
        check_form_type(&self.request)?;
        let budget = &self.console.body_budget;
        let body = Body::read_of_any_type(&self.request, &mut self.payload, GUESTS_BODY, budget).await?;
        self.visit.fields = fields_of(&body)?;
        if self.visit.guard.accepts(&self.visit.fields.text(guard::FIELD)) {
            return Ok(Ok(self));
        }
        Ok(Err(out_of_date()))
    }
}

/// Makes one actix resource of all pages of a path, so that another method is 405 with `Allow`. What is no page is said so in
/// one.
pub(super) fn register(pages: Vec<Page>, service: &mut ServiceConfig) {
    let mut paths: Vec<(String, Vec<Page>)> = vec![];
    for page in pages {
        match paths.iter_mut().find(|(known, _)| *known == page.path) {
            Some((_, pages)) => pages.push(page),
            None => paths.push((page.path.clone(), vec![page])),
        }
    }
    for (path, pages) in paths {
        let routes = pages.into_iter().map(|page| {
            let handler = page.handler;
            let answer = move |request: HttpRequest, payload: web::Payload| {
                let handler = Arc::clone(&handler);
                async move { answered(&handler, request, payload.into_inner()).await }
            };
            web::method(page.method).to(answer)
        });
        service.service(routes.fold(web::resource(path), Resource::route));
    }
    service.service(web::resource("/app/{tail:.*}").to(nowhere));
}

async fn answered(handler: &Handler, request: HttpRequest, payload: Payload) -> HttpResponse {
    let (services, console) = (request.app_data::<Data<Services>>(), request.app_data::<Data<Console>>());
    let (Some(services), Some(console)) = (services, console) else {
        return Answer::fault(&Error::internal()).respond();
    };
    let (services, console) = (services.get_ref().clone(), console.get_ref().clone());
    handler(request, payload, services, console).await.respond()
}

async fn nowhere() -> HttpResponse {
    Answer::fault(&Error::not_found()).respond()
}
