//! token_life

tests![];
