//! HTTP-boundary tests, one binary.
