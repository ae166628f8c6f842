//! clients

tests![];
