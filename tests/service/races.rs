//! races

tests![];
