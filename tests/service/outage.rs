//! outage

tests![];
