//! bad_input

tests![];
