//! What a handler gets, step by step.
//!
//! A [`Read`] becomes [`Allowed`] by the access table. A [`Write`] becomes [`Locked`] by its locks, with the caller
//! authenticated again, and then [`Allowed`]. What was wrong with the query or the body is told only then, so that who
//! may not see a thing learns nothing of it. No step can be left out, and no two swapped.

use std::str::FromStr;

use diesel::PgConnection;
use serde_json::Value;

use super::reply::Try;
use super::{Made, PathParams, Reply, Services};
use crate::access::{Action, Caller, Permit, Target};
use crate::idempotency::{Answered, Attempt};
use crate::ids::TokenId;
use crate::jsonapi::{Document, Error, PageInfo, Query, Resource, Result};

/// What was made of a request before its transaction.
pub(super) struct Prepared<I> {
    pub(super) query: Query,
    /// What was made of query and body.
    pub(super) input: I,
    pub(super) attempt: Option<Attempt>,
}

/// What the endpoint declares of a call, and what the request brought.
pub(super) struct Context<I> {
    pub(super) path: PathParams,
    /// What was made of the request, or what is wrong with it.
    pub(super) prepared: Result<Prepared<I>>,
    pub(super) actions: &'static [Action],
    /// Whether the endpoint takes an `Idempotency-Key`.
    pub(super) idempotent: bool,
    pub(super) services: Services,
}

impl<I> Context<I> {
    fn input(&self) -> Option<&I> {
        self.prepared.as_ref().ok().map(|prepared| &prepared.input)
    }

    fn allowed<'c>(self, connection: &'c mut PgConnection, caller: Caller, permit: Permit) -> Result<Allowed<'c, I>> {
        if !permit.action().is_none_or(|action| self.actions.contains(&action)) {
            log::error!("a handler was allowed {:?}, which its endpoint does not declare", permit.action());
            return Err(Error::internal());
        }
        let Self { path, idempotent, services, .. } = self;
        let Prepared { query, input, attempt } = self.prepared?;
        Ok(Allowed { connection, caller, query, input, path, services, idempotent, attempt })
    }

    /// The one action that the endpoint declares.
    fn action(&self) -> Result<Action> {
        let [action] = self.actions else {
            log::error!("an endpoint of {} actions must name the one that it means", self.actions.len());
            return Err(Error::internal());
        };
        Ok(*action)
    }
}

/// A call that only reads.
pub(crate) struct Read<'c, I = ()> {
    pub(super) connection: &'c mut PgConnection,
    pub(super) caller: Caller,
    pub(super) context: Context<I>,
}

impl<'c, I> Read<'c, I> {
    /// A path parameter, parsed; 404 if it does not parse.
    pub(crate) fn path<T: FromStr>(&self, name: &str) -> Result<T> {
        self.context.path.get(name)
    }

    /// Reads what must be known to ask the access table.
    pub(crate) fn find<T>(&mut self, read: impl FnOnce(&mut PgConnection, &Caller) -> Result<T>) -> Result<T> {
        read(self.connection, &self.caller)
    }

    /// The same with the path's parameters.
    pub(crate) fn find_by_path<T>(
        &mut self,
        read: impl FnOnce(&mut PgConnection, &Caller, &PathParams) -> Result<T>,
    ) -> Result<T> {
        read(self.connection, &self.caller, &self.context.path)
    }

    /// The same with what the query names, whose faults are told first.
    pub(crate) fn find_by_input<T>(
        &mut self,
        read: impl FnOnce(&mut PgConnection, &Caller, &I) -> Result<T>,
    ) -> Result<T> {
        let prepared = self.context.prepared.as_ref().map_err(Clone::clone)?;
        read(self.connection, &self.caller, &prepared.input)
    }

    /// Goes on if the caller may do the endpoint's action to this.
    pub(crate) fn may(self, target: Target) -> Result<Allowed<'c, I>> {
        let permit = self.caller.may(self.context.action()?, target)?;
        self.permitted(permit)
    }

    /// Goes on with what the access table has permitted.
    pub(crate) fn permitted(self, permit: Permit) -> Result<Allowed<'c, I>> {
        self.context.allowed(self.connection, self.caller, permit)
    }
}

/// A call that writes, before any lock is taken.
pub(crate) struct Write<'c, I = ()> {
    pub(super) connection: &'c mut PgConnection,
    pub(super) caller: Caller,
    pub(super) context: Context<I>,
}

impl<'c, I> Write<'c, I> {
    /// A path parameter, parsed; 404 if it does not parse.
    pub(crate) fn path<T: FromStr>(&self, name: &str) -> Result<T> {
        self.context.path.get(name)
    }

    /// Takes the locks that the work needs, then authenticates again: while the request waited, its token may have been
    /// revoked, its user removed, its team's permissions taken away.
    ///
    /// # Errors
    /// What `lock` returns, and those of [`Caller::reauthenticated`].
    pub(crate) fn lock<T>(
        self,
        lock: impl FnOnce(&mut PgConnection, &Caller) -> Result<T>,
    ) -> Result<(Locked<'c, I>, T)> {
        self.lock_named(|connection, caller, _, _| lock(connection, caller))
    }

    /// The same where the path or the body names what is to be locked; there is no body if anything is wrong with it.
    pub(crate) fn lock_named<T>(
        self,
        lock: impl FnOnce(&mut PgConnection, &Caller, &PathParams, Option<&I>) -> Result<T>,
    ) -> Result<(Locked<'c, I>, T)> {
        let Self { connection, caller, context } = self;
        let locked = lock(connection, &caller, &context.path, context.input())?;
        let caller = caller.reauthenticated(connection)?;
        Ok((Locked { connection, caller, context }, locked))
    }
}

/// A call that writes and holds its locks, for the caller as it stands now.
pub(crate) struct Locked<'c, I = ()> {
    connection: &'c mut PgConnection,
    caller: Caller,
    context: Context<I>,
}

impl<'c, I> Locked<'c, I> {
    /// Reads what must be known to ask the access table.
    pub(crate) fn find<T>(&mut self, read: impl FnOnce(&mut PgConnection, &Caller) -> Result<T>) -> Result<T> {
        read(self.connection, &self.caller)
    }

    /// The same with what the body names, whose faults are told first.
    pub(crate) fn find_by_input<T>(
        &mut self,
        read: impl FnOnce(&mut PgConnection, &Caller, &I) -> Result<T>,
    ) -> Result<T> {
        let prepared = self.context.prepared.as_ref().map_err(Clone::clone)?;
        read(self.connection, &self.caller, &prepared.input)
    }

    /// Goes on if the caller may do the endpoint's action to this.
    pub(crate) fn may(self, target: Target) -> Result<Allowed<'c, I>> {
        let permit = self.caller.may(self.context.action()?, target)?;
        self.permitted(permit)
    }

    /// Goes on with what the access table has permitted.
    pub(crate) fn permitted(self, permit: Permit) -> Result<Allowed<'c, I>> {
        self.context.allowed(self.connection, self.caller, permit)
    }
}

/// A call that the access table allows, with nothing wrong in its query or body.
pub(crate) struct Allowed<'c, I = ()> {
    pub(crate) connection: &'c mut PgConnection,
    pub(crate) caller: Caller,
    pub(crate) query: Query,
    /// What was made of the query's filters or of the body.
    pub(crate) input: I,
    pub(crate) path: PathParams,
    pub(crate) services: Services,
    idempotent: bool,
    attempt: Option<Attempt>,
}

impl<'c, I> Allowed<'c, I> {
    /// Looks at the caller once more after an operation that may have waited where no lock was taken before: for a name
    /// that another request was writing.
    ///
    /// # Errors
    /// Those of [`Caller::reauthenticated`] and of `may`.
    pub(crate) fn check_again(&mut self, may: impl FnOnce(&mut PgConnection, &Caller) -> Result<Permit>) -> Result<()> {
        let caller = self.caller.reauthenticated(self.connection)?;
        may(self.connection, &caller).map(|_| ())
    }

    /// The call without what was made of query and body, and that.
    pub(crate) fn take_input(self) -> (Allowed<'c>, I) {
        let Self { connection, caller, query, input, path, services, idempotent, attempt } = self;
        (Allowed { connection, caller, query, input: (), path, services, idempotent, attempt }, input)
    }

    /// Makes a token, and answers with its secret. If the request has a key under which one was made before, it is
    /// answered as it was then, unless `may_again` finds that the caller would not get that token now.
    ///
    /// # Errors
    /// 409 and 422 as [`Attempt::begin`]; else what the two closures return.
    pub(crate) fn once(
        mut self,
        may_again: impl FnOnce(&mut PgConnection, &Caller, TokenId) -> Result<()>,
        make: impl FnOnce(&mut Self) -> Result<Made>,
    ) -> Result<Reply> {
        if !self.idempotent {
            log::error!("a handler shows a secret, and its endpoint does not declare that it takes a key");
            return Err(Error::internal());
        }
        let Some(mut attempt) = self.attempt.take() else {
            let made = make(&mut self)?;
            return Ok(self.one(made.resource).include(made.included));
        };
        if let Some(Answered { token, document }) = attempt.begin(self.connection)? {
            may_again(self.connection, &self.caller, token)?;
            return Ok(Reply::kept(self.query, document, Try::Again));
        }
        let made = make(&mut self)?;
        let document = Document::one(made.resource).include(made.included).written(&self.query)?;
        attempt.keep(self.connection, made.token, &document)?;
        Ok(Reply::kept(self.query, document, Try::First))
    }

    /// One resource.
    pub(crate) fn one(self, resource: Resource) -> Reply {
        self.document(Document::one(resource))
    }

    /// All resources of a list that never needs a second page.
    pub(crate) fn list(self, resources: Vec<Resource>) -> Reply {
        self.document(Document::list(resources))
    }

    /// A page of a list.
    pub(crate) fn page(self, resources: Vec<Resource>, extent: PageInfo) -> Reply {
        Reply::page(self.query, resources, extent)
    }

    /// A document.
    pub(crate) fn document(self, document: Document) -> Reply {
        Reply::document(self.query, document)
    }

    /// Plain JSON, where the HCP API speaks no JSON:API.
    pub(crate) fn json(self, value: Value) -> Reply {
        Reply::json(self.query, value)
    }

    /// Nothing but the status.
    pub(crate) fn done(self) -> Reply {
        Reply::nothing(self.query)
    }
}

/// A call that writes and needs no token.
pub(crate) struct Anyone<'c, I> {
    pub(crate) connection: &'c mut PgConnection,
    pub(crate) request_id: String,
    pub(crate) query: Query,
    pub(crate) input: I,
}

impl<'c, I> Anyone<'c, I> {
    /// The call without what was made of query and body, and that.
    pub(crate) fn take_input(self) -> (Anyone<'c, ()>, I) {
        let Self { connection, request_id, query, input } = self;
        (Anyone { connection, request_id, query, input: () }, input)
    }

    /// Nothing but the status.
    pub(crate) fn done(self) -> Reply {
        Reply::nothing(self.query)
    }
}
