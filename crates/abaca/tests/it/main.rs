//! HTTP-boundary tests, one binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod framework;
mod support;
