//! token_lists

tests![];
