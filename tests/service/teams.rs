//! teams

tests![];
