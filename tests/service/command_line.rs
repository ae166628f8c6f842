//! command_line

tests![];
