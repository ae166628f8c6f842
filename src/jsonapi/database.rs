//! How a fault of the database is told to a client: 503 when it went away, 500 otherwise.
//!
//! A violated constraint that a client can cause is not this file's business: whose rule it is looks at the constraint's
//! name and says what was wrong.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::error::Error;

impl From<DieselError> for Error {
    fn from(fault: DieselError) -> Self {
        match &fault {
            DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                _,
            ) => Self::unavailable("The database went away; try again soon"),
            DieselError::DatabaseError(
                DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ReadOnlyTransaction,
                _,
            ) => Self::unavailable("The database cannot take this now; try again soon"),
            DieselError::NotFound => Self::not_found(),
            // A room that refers to what a client named has looked it up before, in the same transaction.
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => {
                Self::conflict(None, "Something that this needs was deleted in the meantime")
            }
            // Of ids made in one millisecond two come out alike once in 2⁴⁴ times.
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, about)
                if about.constraint_name().is_some_and(|name| name.ends_with("_pkey")) =>
            {
                Self::unavailable("The id made for this is taken; try again")
            }
            // diesel tells no SQLSTATE. Locks are taken in one order, so that no deadlock is expected.
            DieselError::DatabaseError(_, about)
                if ["deadlock detected", "canceling statement due to lock timeout"].contains(&about.message()) =>
            {
                Self::unavailable("Another request was in the way; try again soon")
            }
            DieselError::DatabaseError(_, about)
                if about.message() == "canceling statement due to statement timeout" =>
            {
                Self::unavailable("This took too long; ask for less, or try again later")
            }
            DieselError::DatabaseError(_, about) if went_away(about.message()) => {
                Self::unavailable("The database went away; try again soon")
            }
            DieselError::DatabaseError(_, about) if lacks_room(about.message()) => {
                log::error!("the database lacks room: {}", about.message());
                Self::unavailable("The database has no room for this now; try again later")
            }
            DieselError::BrokenTransactionManager => Self::unavailable("The database went away; try again soon"),
            _ => {
                log::error!("the database refused a statement: {fault}");
                Self::internal()
            }
        }
    }
}

/// Whether a connection has ended in the middle of a statement: libpq says it, or PostgreSQL's last words, and only the
/// next statement would find the connection closed.
fn went_away(message: &str) -> bool {
    ["server closed the connection unexpectedly", "terminating connection", "the database system is"]
        .iter()
        .any(|beginning| message.starts_with(beginning))
}

/// Whether PostgreSQL says that a disk is full or its memory is used up, which an operator can change.
fn lacks_room(message: &str) -> bool {
    ["No space left on device", "Disk quota exceeded"].iter().any(|reason| message.contains(reason))
        || ["out of memory", "out of shared memory"].contains(&message)
}
