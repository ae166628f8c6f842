//! Which rule of the database a statement broke.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// The name of the unique constraint or index that a statement violated.
#[must_use]
pub fn violated_key(fault: &DieselError) -> Option<&str> {
    match fault {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, about) => about.constraint_name(),
        _ => None,
    }
}
