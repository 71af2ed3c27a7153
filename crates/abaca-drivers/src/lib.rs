//! The `Driver` trait, its conformance suite and the backends.
