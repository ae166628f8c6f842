//! The server: the actix app with its middleware and routes, its start and its stop.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::middleware::{Condition, Next, from_fn};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use socket2::{Domain, Protocol, Socket, Type};

use crate::access::{AddressLimit, Authenticator, Usage, write_usage};
use crate::audit::keep_audit_trail;
use crate::connections::{self, Connections, UnderWay};
use crate::console::{self, Console};
use crate::credential::Period;
use crate::database::Database;
use crate::http::Services;
use crate::jsonapi::{self, BodyBudget, PublicUrl, TrustedProxies, frame, negotiate, request_id};
use crate::retention::Kept;
use crate::sessions::Lifetime;
use crate::signing::{EncryptionKey, Signer};
use crate::tokens::{finish_deletions, remove_old_tokens, rewrite_ends};
use crate::worker::Worker;
use crate::{routes, tls};

/// How many reports of leaked tokens an address may send at once, and in a minute.
const REPORTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);

/// How many KiB the bodies of all requests together may take.
const BODIES_KIB: usize = 64 * 1024;

/// The same for bodies that need no token.
const ANYBODYS_BODIES_KIB: usize = 8 * 1024;

/// How long a client may leave an answer unread. The answer lies in memory as long.
const UNREAD: Duration = Duration::from_secs(20);

/// How many connections the operating system keeps until they are accepted.
const BACKLOG: i32 = 1024;

/// How long a stop waits for requests that are under way, in seconds.
const PATIENCE: u64 = 5;

/// A server that listens, and what must be wound up when it stops.
pub struct Service {
    server: Server,
    address: SocketAddr,
    /// What works beside the requests, and in words what each does. They are stopped in this order.
    workers: [(&'static str, Worker); 6],
}

/// Why the service cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: std::io::Error },
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The operating system gives no thread.
    #[error("cannot start: {0}")]
    Threads(#[from] std::io::Error),
}

/// Where and how to listen.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The address; port 0 takes any free one.
    pub address: SocketAddr,
    /// The certificate and key, for TLS; none for plain HTTP.
    pub tls: Option<tls::Files>,
    /// Where clients reach the service, if that is not where they send their requests to.
    pub public_url: Option<PublicUrl>,
    /// How many threads answer requests.
    pub workers: usize,
    /// How often an address may bring a token that is not good: so many times at once, and as many in a minute.
    pub failed_authentications: NonZeroU32,
    /// Whose word on where a request comes from is taken.
    pub trusted_proxies: TrustedProxies,
    /// What is asked of connections.
    pub connections: connections::Rules,
    /// How long a new token lives where neither its maker nor its organization says; none for as long as it may.
    pub default_token_ttl: Option<Period>,
    /// Whether a 401 also asks for a user name and a password, in whose place a token is taken.
    pub challenge_basic: bool,
    /// How long a session in the console may be.
    pub sessions: Lifetime,
}

impl Service {
    /// Listens, and serves from `database`, in which secrets are encrypted with `encryption` and revoked tokens stay
    /// as long as `kept` says. Requests are answered once [`Service::run`] is awaited.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the certificate not be used.
    pub fn start(database: &Database, encryption: EncryptionKey, listen: Listen, kept: Kept) -> Result<Self, Error> {
        let (usage, encryption) = (Usage::default(), Arc::new(encryption));
        let Listen {
            address,
            tls,
            public_url,
            workers,
            failed_authentications,
            trusted_proxies,
            connections,
            default_token_ttl,
            challenge_basic,
            sessions,
        } = listen;
        let keep_alive = connections.idle.max(connections.idle_unauthenticated);
        let connections = Connections::new(connections, trusted_proxies.clone());
        let (entered, most) = (connections.clone(), (connections::most() / workers).max(1));
        let trusted_proxies = Data::new(trusted_proxies);
        let services = Data::new(Services {
            authenticator: Authenticator::new(database.clone(), usage.clone()),
            limit: AddressLimit::per_minute(REPORTS),
            failures: AddressLimit::per_minute(failed_authentications),
            body_budget: BodyBudget::of_kib(BODIES_KIB),
            anybodys_body_budget: BodyBudget::of_kib(ANYBODYS_BODIES_KIB),
            signer: Signer::new(public_url.as_ref(), Arc::clone(&encryption)),
            default_token_ttl,
            encryption,
        });
        let console = Data::new(Console::new(sessions));
        let http = HttpServer::new(move || {
            App::new()
                .app_data(services.clone())
                .app_data(trusted_proxies.clone())
                .configure(|service| tell_public_url(service, public_url.as_ref()))
                .configure(routes::all)
                .configure(console::all(console.clone()))
                .default_service(actix_web::web::to(nowhere))
                .wrap(from_fn(log_request))
                .wrap(from_fn(frame))
                .wrap(Condition::new(challenge_basic, from_fn(ask_for_a_password)))
                .wrap(from_fn(keep_connection))
        })
        .on_connect(move |io, data| entered.enter(io, data))
        .max_connections(most)
        // TLS handshakes under way count among them, so that silent ones hold up nobody else.
        .max_connection_rate(most)
        .workers(workers)
        .keep_alive(keep_alive)
        // Whose client has gone is not worked for.
        .h1_allow_half_closed(false)
        .shutdown_timeout(PATIENCE);
        let refused = |cause| Error::Listen { address, cause };
        let http = match tls {
            Some(files) => {
                let config = tls::server_config(files)?;
                http.listen_rustls_0_23(listener(address).map_err(refused)?, config).map_err(refused)?
            }
            None => http.listen(listener(address).map_err(refused)?).map_err(refused)?,
        };
        let address = http.addrs().first().copied().unwrap_or(address);
        let workers = [
            ("remove old tokens", remove_old_tokens(kept.revoked_tokens, database.clone())?),
            ("keep the audit trail", keep_audit_trail(kept.audit_events, database.clone())?),
            ("finish deletions", finish_deletions(database.clone())?),
            ("sort tokens by their ends", rewrite_ends(database.clone())?),
            ("end idle connections", connections.end_idle_ones()?),
            ("write the last use of tokens", write_usage(usage, database.clone())?),
        ];
        Ok(Self { server: http.run(), address, workers })
    }

    /// Where it listens: the address asked for, with the port that port 0 became.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// With which the server can be stopped from elsewhere.
    #[must_use]
    pub fn handle(&self) -> actix_web::dev::ServerHandle {
        self.server.handle()
    }

    /// Serves until a signal or the handle stops it, then writes what was counted and not yet written.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run(self) -> std::io::Result<()> {
        let ended = self.server.await;
        for (does, worker) in self.workers {
            if let Err(fault) = worker.stop() {
                log::error!("cannot {does}: {fault}");
            }
        }
        ended
    }
}

/// A listener whose connections are given up when nothing of an answer has been read for [`UNREAD`]. Accepted
/// connections inherit that.
fn listener(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart does not wait for connections of the service before.
    socket.set_reuse_address(true)?;
    // Elsewhere only the operating system's own patience bounds it.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNREAD))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn tell_public_url(service: &mut ServiceConfig, public_url: Option<&PublicUrl>) {
    if let Some(public_url) = public_url {
        service.app_data(Data::new(public_url.clone()));
    }
}

async fn nowhere(request: HttpRequest) -> jsonapi::Result<HttpResponse> {
    negotiate(&request)?;
    Err(jsonapi::Error::not_found())
}

/// While a request is under way, its connection is not idle.
async fn keep_connection(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let _under_way = UnderWay::begin(&request);
    next.call(request).await
}

/// Lets whoever has no token be asked for a user name and a password (RFC 7617), as programs need that send these only when
/// they are asked.
async fn ask_for_a_password(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?;
    if response.status() == StatusCode::UNAUTHORIZED {
        let basic = HeaderValue::from_static(r#"Basic realm="latchkey", charset="UTF-8""#);
        response.headers_mut().append(WWW_AUTHENTICATE, basic);
    }
    Ok(response)
}

/// Tells of each request in the log, by its route and never by its path: a path can hold what a client pasted.
async fn log_request(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let began = std::time::Instant::now();
    let answer = next.call(request).await;
    if log::log_enabled!(log::Level::Debug)
        && let Ok(response) = &answer
    {
        let request = response.request();
        log::debug!(
            "{} {} → {} in {} ms, request {}",
            request.method(),
            request.match_pattern().unwrap_or_else(|| "(no route)".to_owned()),
            response.status().as_u16(),
            began.elapsed().as_millis(),
            request_id(request)
        );
    }
    answer
}
