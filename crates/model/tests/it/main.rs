//! Configuration as a user meets it: texts in, a fleet or diagnostics out.

mod valid;
