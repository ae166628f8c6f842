//! How much of the database one caller gets at once (docs/limits.md): whoever asks a lot waits in a queue of their own, and
//! nobody else does.
//!
//! A principal has a quarter of the connections, and all requests of its members about one organization have half of them.
//! Whoever needs no token is a principal like others. As finding out who calls takes a connection, too, the same secret is
//! looked at on a quarter of them at most.
//!
//! A connection that computes takes a processor, too. Whoever asked for a list that took long waits for turns with further
//! ones for a while: as many run at once as there are processors, and of one organization half as many. All others go on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use super::Caller;
use crate::credential::Digest;
use crate::ids::OrganizationId;
use crate::jsonapi::{Error, Result};

/// How many requests of one principal, or about one organization, wait for a place.
const QUEUE: usize = 64;

/// How long they wait.
const WAIT: Duration = Duration::from_secs(2);

/// How many sign in at once, at most: twice as many as passwords are compared at once.
const SIGNING_IN: usize = 4;

/// A list that takes longer than this is long, …
const LONG: Duration = Duration::from_millis(500);

/// … and whoever asked for it waits for turns for so long after it.
const REMEMBERED: Duration = Duration::from_secs(10);

/// How long a list waits for its turn.
const TURN_WAIT: Duration = Duration::from_secs(10);

/// For whom places are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    /// All who need no token.
    Anybody,
    /// All who are signing in.
    SigningIn,
    /// Who brings this secret, good or not, by its SHA-256: before anybody knows whose it is.
    Secret([u8; 32]),
    Principal(Uuid),
    Organization(OrganizationId),
    /// The long lists of a principal or an organization, …
    Lists(Uuid),
    /// … and those of one principal, about whatever organization.
    ListsOf(Uuid),
}

/// The places of everybody who has any now.
#[derive(Debug, Clone)]
pub(super) struct Shares(Arc<All>);

#[derive(Debug)]
struct All {
    of_principal: usize,
    of_organization: usize,
    of_lists: usize,
    turns: Arc<Semaphore>,
    /// Whose lists took long, and when.
    long: Mutex<HashMap<Uuid, Instant>>,
    holdings: Mutex<HashMap<Holder, Arc<Holding>>>,
}

#[derive(Debug)]
struct Holding {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// A request's place among those of its principal and of its organization.
#[derive(Debug)]
pub struct Place {
    // Dropped in this order: what is counted for the organization, then for the principal.
    _organization: Option<Counted>,
    _principal: Counted,
}

/// A turn among the long lists.
#[derive(Debug)]
pub(super) struct Turn {
    // Dropped in this order: what all share first.
    _turn: OwnedSemaphorePermit,
    _organization: Counted,
    _principal: Counted,
}

/// One place of one holder, given back when it is dropped.
#[derive(Debug)]
struct Counted {
    // Dropped in this order: the holding is looked at when the place is free.
    _permit: OwnedSemaphorePermit,
    _of: Of,
}

/// A holding that is in use, and forgotten when it no longer is.
#[derive(Debug)]
struct Of {
    shares: Shares,
    holder: Holder,
    holding: Option<Arc<Holding>>,
}

impl Shares {
    /// Shares of so many connections on so many processors.
    pub(super) fn of(connections: u32, processors: usize) -> Self {
        let part = |nth: usize| (connections as usize / nth).max(1);
        Self(Arc::new(All {
            of_principal: part(4),
            of_organization: part(2),
            of_lists: (processors / 2).max(1),
            turns: Arc::new(Semaphore::new(processors.max(1))),
            long: Mutex::default(),
            holdings: Mutex::default(),
        }))
    }

    /// Whether the caller's lists wait for turns now.
    pub(super) fn needs_turn(&self, caller: &Caller) -> bool {
        self.long().get(&lists_of(caller)).is_some_and(|since| since.elapsed() < REMEMBERED)
    }

    /// Keeps in mind how long a list of the caller took.
    pub(super) fn took(&self, caller: &Caller, time: Duration) {
        if time >= LONG {
            let mut long = self.long();
            long.retain(|_, since| since.elapsed() < REMEMBERED);
            long.insert(lists_of(caller), Instant::now());
        }
    }

    /// A turn for a list of the caller, if it is one now.
    pub(super) fn try_turn(&self, caller: &Caller) -> Option<Turn> {
        let [principal, organization] = self.of_lists(caller);
        let (principal, organization) = (principal.try_count()?, organization.try_count()?);
        let turn = Arc::clone(&self.0.turns).try_acquire_owned().ok()?;
        Some(Turn { _turn: turn, _organization: organization, _principal: principal })
    }

    /// A turn for a list of the caller, as soon as it is one. Who waits for that of the organization or of all has the
    /// principal's, so that nobody fills these queues alone.
    ///
    /// # Errors
    /// 429 where too many wait already, or none comes within ten seconds.
    pub(super) async fn turn(&self, caller: &Caller) -> Result<Turn> {
        let deadline = Instant::now() + TURN_WAIT;
        let [principal, organization] = self.of_lists(caller);
        let principal = principal.count(deadline).await?;
        let organization = organization.count(deadline).await?;
        let turn = timeout_at(deadline, Arc::clone(&self.0.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| busy())?.map_err(|_| Error::internal())?;
        Ok(Turn { _turn: turn, _organization: organization, _principal: principal })
    }

    fn of_lists(&self, caller: &Caller) -> [Of; 2] {
        let principal = self.holding(Holder::ListsOf(caller.principal.key()), (self.0.of_lists / 2).max(1));
        [principal, self.holding(Holder::Lists(lists_of(caller)), self.0.of_lists)]
    }

    /// A thread that panicked in here leaves a map that is still true.
    fn long(&self) -> MutexGuard<'_, HashMap<Uuid, Instant>> {
        self.0.long.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for the caller, if there is one now.
    pub(super) fn try_enter(&self, caller: &Caller) -> Option<Place> {
        let principal = self.of_principal(caller).try_count()?;
        let organization = match self.of_organization(caller) {
            Some(of) => Some(of.try_count()?),
            None => None,
        };
        Some(Place { _organization: organization, _principal: principal })
    }

    /// A place for the caller, as soon as there is one. Who waits for one of the two holds none of the other.
    ///
    /// # Errors
    /// 429 where too many wait already, or none comes within two seconds.
    pub(super) async fn enter(&self, caller: &Caller) -> Result<Place> {
        let deadline = Instant::now() + WAIT;
        loop {
            let principal = self.of_principal(caller).count(deadline).await?;
            let Some(organization) = self.of_organization(caller) else {
                return Ok(Place { _organization: None, _principal: principal });
            };
            if let Some(counted) = organization.try_count() {
                return Ok(Place { _organization: Some(counted), _principal: principal });
            }
            drop(principal);
            let Some(organization) = self.of_organization(caller) else { continue };
            let counted = organization.count(deadline).await?;
            if let Some(principal) = self.of_principal(caller).try_count() {
                return Ok(Place { _organization: Some(counted), _principal: principal });
            }
        }
    }

    /// A place for somebody who needs no token: all of them are one principal.
    ///
    /// # Errors
    /// As [`Shares::enter`].
    pub(super) async fn enter_anonymously(&self) -> Result<Place> {
        let principal = self.holding(Holder::Anybody, self.0.of_principal).count(Instant::now() + WAIT).await?;
        Ok(Place { _organization: None, _principal: principal })
    }

    /// A place for somebody who signs in by a password, from before it is compared: comparing takes long, and nobody else
    /// waits for those who do.
    ///
    /// # Errors
    /// As [`Shares::enter`].
    pub(super) async fn enter_to_sign_in(&self) -> Result<Place> {
        let places = self.0.of_principal.min(SIGNING_IN);
        let principal = self.holding(Holder::SigningIn, places).count(Instant::now() + WAIT).await?;
        Ok(Place { _organization: None, _principal: principal })
    }

    /// A place for one who brings a secret, until it is known whose it is.
    ///
    /// # Errors
    /// 429 where too many wait already; 503 if none comes within two seconds, as a look is short while the database answers.
    pub(super) async fn enter_with(&self, digest: &Digest) -> Result<Place> {
        let holding = self.holding(Holder::Secret(*digest.as_bytes()), self.0.of_principal);
        match timeout(WAIT, holding.count(Instant::now() + 2 * WAIT)).await {
            Ok(counted) => Ok(Place { _organization: None, _principal: counted? }),
            Err(_) => Err(Error::unavailable("The database does not answer; try again soon")),
        }
    }

    fn of_principal(&self, caller: &Caller) -> Of {
        self.holding(Holder::Principal(caller.principal.key()), self.0.of_principal)
    }

    /// A stranger who names an organization takes nothing of its share.
    fn of_organization(&self, caller: &Caller) -> Option<Of> {
        let organization = caller.organization_id.filter(|_| caller.takes_part())?;
        Some(self.holding(Holder::Organization(organization), self.0.of_organization))
    }

    fn holding(&self, holder: Holder, places: usize) -> Of {
        let new = || Arc::new(Holding { places: Arc::new(Semaphore::new(places)), waiting: AtomicUsize::new(0) });
        let holding = Arc::clone(self.holdings().entry(holder).or_insert_with(new));
        Of { shares: self.clone(), holder, holding: Some(holding) }
    }

    /// A thread that panicked in here leaves a map that is still true.
    fn holdings(&self) -> MutexGuard<'_, HashMap<Holder, Arc<Holding>>> {
        self.0.holdings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Of {
    fn try_count(self) -> Option<Counted> {
        let permit = Arc::clone(&self.holding.as_ref()?.places).try_acquire_owned().ok()?;
        Some(Counted { _permit: permit, _of: self })
    }

    async fn count(self, deadline: Instant) -> Result<Counted> {
        let holding = self.holding.clone().ok_or_else(Error::internal)?;
        if let Ok(permit) = Arc::clone(&holding.places).try_acquire_owned() {
            return Ok(Counted { _permit: permit, _of: self });
        }
        let _queued = Queued::at(&holding.waiting)?;
        let permit = timeout_at(deadline, Arc::clone(&holding.places).acquire_owned()).await;
        let permit = permit.map_err(|_| busy())?.map_err(|_| Error::internal())?;
        Ok(Counted { _permit: permit, _of: self })
    }
}

/// One of those who wait.
struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    fn at(waiting: &'a AtomicUsize) -> Result<Self> {
        let queued = Self(waiting);
        if waiting.fetch_add(1, Ordering::SeqCst) < QUEUE { Ok(queued) } else { Err(busy()) }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Of {
    fn drop(&mut self) {
        let mut holdings = self.shares.holdings();
        self.holding.take();
        if holdings.get(&self.holder).is_some_and(|holding| Arc::strong_count(holding) == 1) {
            holdings.remove(&self.holder);
        }
    }
}

/// For whom long lists are counted: the organization that they are about, or who asks.
fn lists_of(caller: &Caller) -> Uuid {
    let organization = caller.organization_id.filter(|_| caller.takes_part());
    organization.map_or_else(|| caller.principal.key(), |organization| organization.uuid())
}

fn busy() -> Error {
    Error::too_many_requests("Too many requests of this caller or about this organization are under way", 1)
}

#[cfg(test)]
mod tests {
    use super::super::{AuthenticatedBy, OrganizationRef, OrganizationRights, Principal, Role};
    use super::*;
    use crate::credential::{Kind, Secret};
    use crate::ids::{TokenId, UserId};

    /// A request of a member about their organization.
    fn member(id: UserId, organization: OrganizationId) -> Caller {
        Caller {
            by: AuthenticatedBy::Token(TokenId::generate()),
            role: Role::Owner,
            abilities: None,
            token_description: None,
            ends_at: None,
            now: chrono::Utc::now(),
            principal: Principal::User { id, username: String::new(), site_admin: false, organization: None },
            organization_ref: OrganizationRef::None,
            organization_id: Some(organization),
            rights: OrganizationRights { member: true, ..OrganizationRights::default() },
            request_id: String::new(),
        }
    }

    /// On eight processors eight long lists run at once, of one organization four, and of one principal two.
    #[test]
    fn turns_go_by_the_number_of_processors() {
        let (acme, other) = (OrganizationId::generate(), OrganizationId::generate());
        let shares = Shares::of(16, 8);
        let turns = |user: UserId, organization: OrganizationId| -> Vec<Turn> {
            std::iter::from_fn(|| shares.try_turn(&member(user, organization))).collect()
        };
        let [ada, ben, zoe, tom] = [(); 4].map(|()| UserId::generate());
        let of_ada = turns(ada, acme);
        assert_eq!(of_ada.len(), 2, "of one principal");
        assert_eq!(turns(ada, other).len(), 0, "about whatever organization");
        let of_ben = turns(ben, acme);
        assert_eq!((of_ben.len(), turns(zoe, acme).len()), (2, 0), "of one organization");
        let (of_zoe, of_tom) = (turns(zoe, other), turns(tom, other));
        assert_eq!((of_zoe.len(), of_tom.len()), (2, 2));
        assert_eq!(turns(UserId::generate(), OrganizationId::generate()).len(), 0, "of all");
        drop((of_ada, of_ben, of_zoe, of_tom));
        assert!(shares.holdings().is_empty(), "what is not in use is forgotten");
        // There is a turn on the smallest machine.
        assert!(Shares::of(16, 1).try_turn(&member(ada, acme)).is_some());
    }

    /// Before it is known whose they are, requests with one secret take a quarter of the connections, and nobody else waits.
    #[test]
    fn a_secret_is_looked_at_on_a_quarter_of_the_connections() {
        let digest = || Secret::generate(Kind::User).unwrap().digest();
        let (one, other) = (digest(), digest());
        actix_web::rt::System::new().block_on(async {
            let shares = Shares::of(16, 2);
            let mut places = vec![];
            for _ in 0..4 {
                places.push(shares.enter_with(&one).await.unwrap());
            }
            let waits = timeout_at(Instant::now() + Duration::from_millis(50), shares.enter_with(&one)).await;
            assert!(waits.is_err(), "there is a fifth place");
            shares.enter_with(&other).await.unwrap();
            drop(places.pop());
            shares.enter_with(&one).await.unwrap();
            drop(places);
            assert!(shares.holdings().is_empty(), "what is not in use is forgotten");
        });
    }
}
