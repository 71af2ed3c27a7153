//! Every backend against the one suite.

use abaca_drivers::conformance::run;

use crate::backends::{DirectorySubject, SimulatedSubject};

#[tokio::test(flavor = "multi_thread")]
async fn directory() {
    let top = tempfile::tempdir().unwrap();
    run(&DirectorySubject::under(top.path())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated() {
    let top = tempfile::tempdir().unwrap();
    run(&SimulatedSubject { state_file: top.path().join("state.json") }).await.unwrap();
}
