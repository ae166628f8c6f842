//! How an endpoint is declared, and the one order in which every request is answered.

use std::future::Future;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::{RefOr, Schema};

use super::call::{Context, Prepared};
use super::endpoint::{Answer, Description, Endpoint, Needs};
use super::{Anyone, BodySpec, PathParams, Read, Reply, Services, Write};
use crate::access::{Action, Caller, Credentials, OrganizationRef, Reads};
use crate::http::openapi::Sends;
use crate::idempotency::{Attempt, Key, Request};
use crate::jsonapi::{
    Body, BodyBudget, Error, Query, QuerySpec, RawQuery, ResourceType, Result, negotiate, request_id,
};

/// Makes of the query and the body what a handler gets.
type Prepare<I> = Arc<dyn Fn(Sent, Option<&Preparing>) -> Result<(Query, I)> + Send + Sync>;

/// For whom a write is prepared.
pub(crate) struct Preparing {
    pub(crate) caller: Caller,
    pub(crate) services: Services,
}

/// What a request sent, not yet looked into.
struct Sent {
    query: RawQuery,
    body: Option<Body>,
    path: PathParams,
}

/// An endpoint whose handler is still to be named. `I` is what the handler gets of query and body.
pub(crate) struct Route<I = ()> {
    about: Description,
    prepare: Prepare<I>,
    also_invited: bool,
    /// The organization that query or body name, where the path names none.
    organization: Option<fn(&I) -> OrganizationRef>,
}

impl Route {
    fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        let about = Description::new(method, path, id, summary);
        Self {
            about,
            prepare: Arc::new(|sent, _| sent.query.read(&QuerySpec::NONE, |_| Ok(()))),
            also_invited: false,
            organization: None,
        }
    }

    /// GET. The path is below `/api/v2`, but for pages and what is at a well-known place. The id is that of the OpenAPI
    /// operation.
    pub(crate) fn get(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::GET, path, id, summary)
    }

    /// POST.
    pub(crate) fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::POST, path, id, summary)
    }

    /// PATCH.
    pub(crate) fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::PATCH, path, id, summary)
    }

    /// DELETE.
    pub(crate) fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::DELETE, path, id, summary)
    }

    /// What the query may hold.
    pub(crate) fn query(self, known: &'static QuerySpec) -> Self {
        self.filters(known, |_| Ok(()))
    }

    /// What the query may hold, and what is made of its filters. Faults of both are reported together.
    pub(crate) fn filters<F: Send + 'static>(
        self,
        known: &'static QuerySpec,
        read: fn(&Query) -> Result<F>,
    ) -> Route<F> {
        Route {
            about: Description { query: Some(known), ..self.about },
            prepare: Arc::new(move |sent, _| sent.query.read(known, read)),
            also_invited: self.also_invited,
            organization: None,
        }
    }

    /// What the body may hold.
    pub(crate) fn body<S: BodySpec>(self, spec: S) -> Route<S::Parsed> {
        let body = Some(spec.describe().of_at_most(spec.most_bytes()));
        let query = self.about.query.unwrap_or(&QuerySpec::NONE);
        let prepare = move |sent: Sent, _: Option<&Preparing>| {
            let (query, ()) = sent.query.read(query, |_| Ok(()))?;
            let input = spec.parse(&sent.body.ok_or_else(Error::internal)?, &sent.path)?;
            Ok((query, input))
        };
        Route {
            about: Description { body, ..self.about },
            prepare: Arc::new(prepare),
            also_invited: self.also_invited,
            organization: None,
        }
    }
}

impl<I: Send + 'static> Route<I> {
    /// Makes something else of it before any connection is asked for: a choice between two tokens, the hash of a
    /// password.
    pub(crate) fn prepare<J: Send + 'static>(self, prepare: fn(&Query, I) -> Result<J>) -> Route<J> {
        let before = self.prepare;
        let then = move |sent, preparing: Option<&Preparing>| {
            let (query, input) = before(sent, preparing)?;
            let prepared = prepare(&query, input)?;
            Ok((query, prepared))
        };
        Route { about: self.about, prepare: Arc::new(then), also_invited: self.also_invited, organization: None }
    }

    /// The same for a write, where it takes a look into the database: at the hash of a password that is to be compared.
    pub(crate) fn prepare_for<J: Send + 'static>(self, prepare: fn(&Preparing, I) -> Result<J>) -> Route<J> {
        let before = self.prepare;
        let then = move |sent, preparing: Option<&Preparing>| {
            let (query, input) = before(sent, preparing)?;
            let prepared = prepare(preparing.ok_or_else(Error::internal)?, input)?;
            Ok((query, prepared))
        };
        Route { about: self.about, prepare: Arc::new(then), also_invited: self.also_invited, organization: None }
    }

    /// What there is more to say.
    pub(crate) fn details(mut self, details: &'static str) -> Self {
        self.about.details = Some(details);
        self
    }

    /// What one of the query's parameters may hold, if that is less than any text.
    pub(crate) fn values(mut self, parameter: impl Into<String>, schema: impl Into<RefOr<Schema>>) -> Self {
        self.about.values.push((parameter.into(), schema.into()));
        self
    }

    /// What one of the query's parameters means.
    pub(crate) fn means(mut self, parameter: impl Into<String>, meaning: &'static str) -> Self {
        self.about.meanings.push((parameter.into(), meaning));
        self
    }

    /// 409 where the state of the resource forbids it.
    pub(crate) fn conflicts(mut self) -> Self {
        self.about.conflicts = true;
        self
    }

    /// 422 also where there is no body to blame.
    pub(crate) fn unprocessable(mut self) -> Self {
        self.about.unprocessable = true;
        self
    }

    /// Takes an `Idempotency-Key`: the handler makes its answer with [`super::Allowed::once`].
    pub(crate) fn idempotent(mut self) -> Self {
        self.about.idempotent = true;
        self
    }

    /// What the access table must allow the caller: one of these, by what the request is about.
    pub(crate) fn allows(mut self, actions: &'static [Action]) -> Self {
        self.about.actions = actions;
        self
    }

    /// Query or body, and not the path, name the organization that the request is about.
    pub(crate) fn organization_of(mut self, organization: fn(&I) -> OrganizationRef) -> Self {
        self.organization = Some(organization);
        self
    }

    /// Also who is only invited may ask: the handler asks the access table before it locks.
    pub(crate) fn also_invited(mut self) -> Self {
        self.also_invited = true;
        self
    }

    fn answers(mut self, status: StatusCode, answer: Answer) -> Self {
        (self.about.status, self.about.answer) = (status, answer);
        self
    }

    /// Answers one resource with 200.
    pub(crate) fn shows(self, kind: &'static ResourceType) -> Self {
        self.answers(StatusCode::OK, Answer::One(kind))
    }

    /// Answers a new resource with 201.
    pub(crate) fn creates(self, kind: &'static ResourceType) -> Self {
        self.answers(StatusCode::CREATED, Answer::One(kind))
    }

    /// Answers a list with 200.
    pub(crate) fn lists(self, kind: &'static ResourceType) -> Self {
        self.answers(StatusCode::OK, Answer::List(kind))
    }

    /// Answers a list of resource identifiers with 200.
    pub(crate) fn identifies(self, kind: &'static ResourceType) -> Self {
        self.answers(StatusCode::OK, Answer::Identifiers(kind))
    }

    /// Answers something else than JSON:API with 200.
    pub(crate) fn gives(self, media_type: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.answers(StatusCode::OK, Answer::Plain(media_type, Box::new(schema.into())))
    }

    /// The handler only reads: bearer token → authenticate → may the caller → query → work → answer, on one connection.
    pub(crate) fn read<H>(self, handler: H) -> Endpoint
    where
        H: for<'c> Fn(Read<'c, I>) -> Result<Reply> + Send + Sync + 'static,
    {
        let (about, steps) = self.split();
        let status = about.status;
        let reads = if matches!(about.answer, Answer::List(_)) { Reads::List } else { Reads::One };
        let handler = Arc::new(handler);
        Endpoint::new(about, move |request, payload| {
            let (steps, handler) = (Arc::clone(&steps), Arc::clone(&handler));
            async move {
                let services = services(&request)?;
                let token = bearer(&request, &services)?;
                negotiate(&request)?;
                let sent = steps.sent(&request, payload, &services.body_budget).await?;
                let path = sent.path.clone();
                let prepared = (steps.prepare)(sent, None);
                let prepared = prepared.map(|(query, input)| Prepared { query, input, attempt: None });
                let organization_ref = steps.organization_ref(&path, &prepared);
                let (authenticator, actions, shared) =
                    (services.authenticator.clone(), steps.actions, services.clone());
                let reply = authenticator
                    .read(token, organization_ref, reads, move |connection, caller| {
                        let context = Context { path, prepared, actions, idempotent: false, services: shared };
                        handler(Read { connection, caller: caller.clone(), context })
                    })
                    .await
                    .map_err(|fault| counted(fault, &request, &services))?;
                Ok(reply.respond(&request, status))
            }
        })
    }

    /// The handler writes, in one transaction: bearer token → authenticate → may the caller see it at all → query and
    /// body, without a connection → lock → authenticate again → may the caller → faults of query and body → work →
    /// commit → answer.
    pub(crate) fn write<H>(self, handler: H) -> Endpoint
    where
        H: for<'c> Fn(Write<'c, I>) -> Result<Reply> + Send + Sync + 'static,
    {
        let (about, steps) = self.split();
        let status = about.status;
        let handler = Arc::new(handler);
        Endpoint::new(about, move |request, payload| {
            let (steps, handler) = (Arc::clone(&steps), Arc::clone(&handler));
            async move {
                let services = services(&request)?;
                let token = bearer(&request, &services)?;
                negotiate(&request)?;
                let path = PathParams::of(&request).await?;
                let authenticator = services.authenticator.clone();
                let mut caller = authenticator
                    .authenticate(token.clone(), path.organization())
                    .await
                    .map_err(|fault| counted(fault, &request, &services))?;
                authenticator.record_use(&caller);
                // From here on the caller has a place: who sends slowly, or hashes passwords, takes nobody else's.
                let mut place = authenticator.enter(&caller).await?;
                let sent = steps.sent(&request, payload, &services.body_budget).await?;
                let named_later = steps.organization.is_some();
                if !named_later && !steps.also_invited && !caller.takes_part() {
                    return Err(Error::not_found());
                }
                let prepare = Arc::clone(&steps.prepare);
                let preparing = Preparing { caller: caller.clone(), services: services.clone() };
                let keyed = steps.keyed(&request, &sent);
                let prepared = web::block(move || {
                    let prepared = prepare(sent, Some(&preparing));
                    looked_up(prepared, keyed, &preparing)
                });
                let prepared = prepared.await.map_err(|_| Error::internal())?;
                if named_later {
                    caller = authenticator.authenticate(token, steps.organization_ref(&path, &prepared)).await?;
                    if !steps.also_invited && !caller.takes_part() {
                        return Err(Error::not_found());
                    }
                    // Now that the organization is known, its share counts, too.
                    drop(place);
                    place = authenticator.enter(&caller).await?;
                }
                let (actions, idempotent) = (steps.actions, steps.idempotent);
                let reply = authenticator
                    .transaction(place, move |connection| {
                        let context = Context { path, prepared, actions, idempotent, services };
                        handler(Write { connection, caller, context })
                    })
                    .await?;
                Ok(reply.respond(&request, status))
            }
        })
    }

    /// The handler writes, in one transaction, and anybody may ask: address → query and body → work → commit → answer.
    pub(crate) fn write_for_anyone<H>(mut self, handler: H) -> Endpoint
    where
        H: for<'c> Fn(Anyone<'c, I>) -> Result<Reply> + Send + Sync + 'static,
    {
        self.about.needs = Needs::Database;
        let (about, steps) = self.split();
        let status = about.status;
        let handler = Arc::new(handler);
        Endpoint::new(about, move |request, payload| {
            let (steps, handler) = (Arc::clone(&steps), Arc::clone(&handler));
            async move {
                let services = services(&request)?;
                negotiate(&request)?;
                services.limit.check_request(&request)?;
                let place = services.authenticator.enter_anonymously().await?;
                let sent = steps.sent(&request, payload, &services.anybodys_body_budget).await?;
                let prepare = Arc::clone(&steps.prepare);
                let prepared = web::block(move || prepare(sent, None)).await.map_err(|_| Error::internal())?;
                let (query, input) = prepared?;
                let request_id = request_id(&request);
                let reply = services
                    .authenticator
                    .transaction(place, move |connection| handler(Anyone { connection, request_id, query, input }))
                    .await?;
                Ok(reply.respond(&request, status))
            }
        })
    }

    /// The handler answers by itself, and needs the database or nothing.
    pub(crate) fn serve<H, F>(mut self, needs: Needs, handler: H) -> Endpoint
    where
        H: Fn(HttpRequest, Services) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Result<HttpResponse>> + 'static,
    {
        self.about.needs = needs;
        let spec = self.about.query;
        Endpoint::new(self.about, move |request, _| {
            let handler = handler.clone();
            async move {
                negotiate(&request)?;
                if let Some(spec) = spec {
                    Query::of(&request, spec)?;
                }
                let services = services(&request)?;
                handler(request, services).await
            }
        })
    }

    fn split(self) -> (Description, Arc<Steps<I>>) {
        let Self { about, prepare, also_invited, organization } = self;
        let body = about.body.as_ref().map(Sends::most_bytes);
        let (actions, idempotent) = (about.actions, about.idempotent);
        (about, Arc::new(Steps { prepare, also_invited, organization, body, actions, idempotent }))
    }
}

/// What a declared endpoint does before its handler is called.
struct Steps<I> {
    prepare: Prepare<I>,
    also_invited: bool,
    organization: Option<fn(&I) -> OrganizationRef>,
    /// The most bytes of the body, where there may be one.
    body: Option<usize>,
    actions: &'static [Action],
    idempotent: bool,
}

impl<I> Steps<I> {
    fn organization_ref(&self, path: &PathParams, prepared: &Result<Prepared<I>>) -> OrganizationRef {
        match (self.organization, prepared) {
            (None, _) => path.organization(),
            (Some(organization), Ok(prepared)) => organization(&prepared.input),
            (Some(_), Err(_)) => OrganizationRef::None,
        }
    }

    /// The request's `Idempotency-Key`, where the endpoint takes one, and by what the request is told from others.
    fn keyed(&self, request: &HttpRequest, sent: &Sent) -> Result<Option<(Key, Request)>> {
        let Some(key) = self.idempotent.then(|| Key::of(request.headers())).transpose()?.flatten() else {
            return Ok(None);
        };
        let body = sent.body.as_ref().map(Body::bytes).unwrap_or_default();
        Ok(Some((key, Request::new(request.method().as_str(), request.path(), request.query_string(), body))))
    }

    async fn sent(&self, request: &HttpRequest, mut payload: Payload, budget: &BodyBudget) -> Result<Sent> {
        let body = match self.body {
            Some(most) => Some(Body::read(request, &mut payload, most, budget).await?),
            None => None,
        };
        Ok(Sent { query: Query::raw(request), body, path: PathParams::of(request).await? })
    }
}

/// What was prepared, with what became of the request before if it has a key. All that is wrong with it is told at
/// once; a request with which anything is wrong is not looked up.
fn looked_up<I>(
    prepared: Result<(Query, I)>,
    keyed: Result<Option<(Key, Request)>>,
    preparing: &Preparing,
) -> Result<Prepared<I>> {
    let ((query, input), keyed) = match (prepared, keyed) {
        (Ok(prepared), Ok(keyed)) => (prepared, keyed),
        (Err(fault), Err(other)) => return Err(fault.and(other)),
        (Err(fault), Ok(_)) | (Ok(_), Err(fault)) => return Err(fault),
    };
    let Some((key, request)) = keyed else { return Ok(Prepared { query, input, attempt: None }) };
    let Preparing { caller, services } = preparing;
    let attempt = Attempt::new(&key, caller, &request, &services.encryption)?;
    let answered = services.authenticator.look_up(|connection| attempt.find(connection))?;
    Ok(Prepared { query, input, attempt: Some(attempt.answered(answered)) })
}

fn services(request: &HttpRequest) -> Result<Services> {
    let services = request.app_data::<Data<Services>>().ok_or_else(Error::internal)?;
    Ok(services.get_ref().clone())
}

/// What has the form of a secret, or 401 before a byte of the body is read.
fn bearer(request: &HttpRequest, services: &Services) -> Result<Credentials> {
    let token = Credentials::bearer(request).doubted(services.failures.is_over(request));
    token.require_secret().map_err(|fault| counted(fault, request, services))?;
    Ok(token)
}

/// A failed authentication is counted for its address, which is told 429 instead when there were too many. A good token
/// always passes.
fn counted(fault: Error, request: &HttpRequest, services: &Services) -> Error {
    if fault.status() != StatusCode::UNAUTHORIZED {
        return fault;
    }
    services.failures.check_request(request).err().unwrap_or(fault)
}
