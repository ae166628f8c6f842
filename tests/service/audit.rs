//! audit

tests![];
