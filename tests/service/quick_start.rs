//! quick_start

tests![];
