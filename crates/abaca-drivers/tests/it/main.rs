//! Tests of the backends through the crate's public door.
#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

mod backends;
mod conformance;
