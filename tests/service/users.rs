//! users

tests![];
