//! access_walk

tests![];
