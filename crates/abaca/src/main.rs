//! The `abaca` binary.
fn main() {}
