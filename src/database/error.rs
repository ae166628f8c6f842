//! Why the database refused a statement.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// The name of the unique constraint or index that a statement violated.
#[must_use]
pub fn violated_key(fault: &DieselError) -> Option<&str> {
    match fault {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, about) => about.constraint_name(),
        _ => None,
    }
}

/// Whether a statement waited for a lock for longer than `lock_timeout`. diesel tells no SQLSTATE.
pub(crate) fn lock_timed_out(fault: &DieselError) -> bool {
    matches!(fault, DieselError::DatabaseError(_, about) if about.message() == "canceling statement due to lock timeout")
}
