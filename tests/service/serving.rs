//! serving

tests![];
