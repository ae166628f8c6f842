//! documents

tests![];
