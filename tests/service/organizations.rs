//! organizations

tests![];
