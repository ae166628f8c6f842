//! Connections: how many one address may have, and how long each may be idle.
//!
//! actix knows one patience for all connections and no addresses. So each connection is entered here when it is made, with a
//! second handle of its socket, by which it is shut down from outside; the server then ends it as if the client had. Whoever
//! has shown a good token on it, and every trusted proxy, may be idle for longer.

use std::any::Any;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::HttpRequest;
use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::rt::net::TcpStream;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{SockRef, Socket};

use crate::jsonapi::TrustedProxies;
use crate::worker::Worker;

/// What is asked of connections.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The most of one address; of an IPv6 address, of its /64. Proxies that are trusted may have any number.
    pub per_address: NonZeroU32,
    /// How long one may be idle after an authenticated request, or from a trusted proxy.
    pub idle: Duration,
    /// How long any other one may be.
    pub idle_unauthenticated: Duration,
}

/// All connections that are open.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Registry>);

#[derive(Debug)]
struct Registry {
    rules: Rules,
    proxies: TrustedProxies,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    made: u64,
    entries: HashMap<u64, Weak<Entry>>,
    of_network: HashMap<IpAddr, u32>,
}

/// A connection, as its requests know it. When the last of them and the connection itself are gone, so is its entry.
#[derive(Debug, Clone)]
pub(crate) struct Connection(Arc<Entry>);

#[derive(Debug)]
struct Entry {
    registry: Arc<Registry>,
    id: u64,
    network: IpAddr,
    /// Another handle of the connection's socket.
    socket: Socket,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How many requests are under way.
    requests: u32,
    /// Since when there is none.
    idle_since: Instant,
    /// Whether it may be idle for the longer time.
    known: bool,
}

/// A request that is under way on a connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay(Connection);

impl Connections {
    #[must_use]
    pub fn new(rules: Rules, proxies: TrustedProxies) -> Self {
        Self(Arc::new(Registry { rules, proxies, open: Mutex::default() }))
    }

    /// Enters a new connection, and shuts it down at once if its address has too many. For `HttpServer::on_connect`.
    pub(crate) fn enter(&self, io: &dyn Any, data: &mut Extensions) {
        let stream = io.downcast_ref::<TcpStream>();
        let stream = stream.or_else(|| io.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0));
        let Some(stream) = stream else { return };
        let (Ok(peer), Ok(socket)) = (stream.peer_addr(), SockRef::from(stream).try_clone()) else {
            // It has gone already, or there are no more handles: then it is one too many.
            log::debug!("a connection is refused");
            shut_down(&SockRef::from(stream));
            return;
        };
        let (proxy, network) = (self.0.proxies.trust(peer.ip()), network(peer.ip()));
        let state = Mutex::new(State { requests: 0, idle_since: Instant::now(), known: proxy });
        let mut open = locked(&self.0.open);
        open.made += 1;
        let entry = Entry { registry: Arc::clone(&self.0), id: open.made, network, socket, state };
        let connection = Connection(Arc::new(entry));
        open.entries.insert(connection.0.id, Arc::downgrade(&connection.0));
        let of_network = open.of_network.entry(network).or_default();
        *of_network += 1;
        if !proxy && *of_network > self.0.rules.per_address.get() {
            log::debug!("a connection is refused: its address has too many");
            shut_down(&connection.0.socket);
        }
        data.insert(connection);
    }

    /// Begins to shut down those that are idle for too long.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(crate) fn end_idle_ones(&self) -> std::io::Result<Worker> {
        let registry = Arc::clone(&self.0);
        let every = (registry.rules.idle.min(registry.rules.idle_unauthenticated) / 4).min(Duration::from_secs(1));
        Worker::start("connections", move |stopping| {
            while stopping.wait(every.max(Duration::from_millis(10))) {
                // The last handle of an entry must not be dropped under the lock, which its end takes.
                let entries: Vec<_> = locked(&registry.open).entries.values().filter_map(Weak::upgrade).collect();
                entries.iter().filter(|entry| entry.is_idle()).for_each(|entry| shut_down(&entry.socket));
            }
        })
    }
}

/// A thread that panicked while it counted leaves counts that are still true.
fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client that has gone already is no fault.
fn shut_down(socket: &Socket) {
    let _ = socket.shutdown(std::net::Shutdown::Both);
}

impl Entry {
    fn is_idle(&self) -> bool {
        let (rules, state) = (&self.registry.rules, locked(&self.state));
        let patience = if state.known { rules.idle } else { rules.idle_unauthenticated };
        state.requests == 0 && state.idle_since.elapsed() > patience
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = locked(&self.registry.open);
        open.entries.remove(&self.id);
        if let Some(count) = open.of_network.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.of_network.remove(&self.network);
            }
        }
    }
}

impl Connection {
    /// The one that a request came on, if it was entered.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data::<Self>().cloned()
    }

    /// A good token came with a request: it may be idle for longer.
    pub(crate) fn authenticated(&self) {
        locked(&self.0.state).known = true;
    }
}

impl UnderWay {
    /// The request is under way on its connection.
    pub(crate) fn begin(request: &ServiceRequest) -> Option<Self> {
        let connection = request.conn_data::<Connection>()?.clone();
        locked(&connection.0.state).requests += 1;
        Some(Self(connection))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = locked(&self.0.0.state);
        state.requests = state.requests.saturating_sub(1);
        state.idle_since = Instant::now();
    }
}

/// Whoever has one IPv6 address has 2⁶⁴ of them.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// Lets the process open as many files as it may, and answers how many connections that allows: each takes two handles, and
/// some are kept for everything else.
pub(crate) fn most() -> usize {
    const OTHERS: u64 = 256;
    let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(soft, hard)| {
        let raised = setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
        if raised { hard } else { soft }
    });
    usize::try_from(files.saturating_sub(OTHERS) / 2).unwrap_or(usize::MAX).max(64)
}
