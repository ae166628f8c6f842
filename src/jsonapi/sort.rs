//! The order of a list (JSON:API "Sorting").

/// Which way a list is sorted by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first, nulls last
    Ascending,
    /// Largest first, nulls first
    Descending,
}

impl Direction {
    pub const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// One key of the order of a list (JSON:API "Sorting").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The key, as the endpoint declares it.
    pub key: &'static str,
    /// Its direction; `-` before the key is descending.
    pub direction: Direction,
}
