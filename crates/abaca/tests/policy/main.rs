//! Holds the policy engine against the `oslo.policy` package.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may panic, also in its helpers"
)]

mod cases;
mod corners;
mod peer;

use std::cell::RefCell;

use abaca::policy::{Policy, Verdict};
use peer::{Answer, Peer};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

/// Cases of a run; `ABACA_TEST_POLICY_CASES` asks for more.
const CASES: u32 = 10_000;

/// How many peers work side by side.
const THREADS: u32 = 2;

/// What Abaca answers, in the peer's words.
fn ours(runtime: &tokio::runtime::Runtime, case: &Value) -> Answer {
    let policy = match Policy::from_rules(&case["rules"]) {
        Ok(policy) => policy,
        Err(error) => return Answer::Refused(error.to_string()),
    };
    let rule = case["rule"].as_str().unwrap();
    let credentials = case["credentials"].as_object().unwrap();
    let target = case["target"].as_object().unwrap();
    let decision = runtime.block_on(policy.decide(rule, credentials, target));
    let explained = runtime.block_on(policy.explain(rule, credentials, target));
    let expected = match &decision {
        Ok(true) => Verdict::Allowed,
        Ok(false) => Verdict::Refused,
        Err(failure) => Verdict::Failed(failure.clone()),
    };
    assert_eq!(explained.verdict, expected, "the explanation contradicts the decision");
    match decision {
        Ok(allowed) => Answer::Allowed(allowed),
        Err(failure) => Answer::Failed(failure.to_string()),
    }
}

#[test]
fn random_rules_credentials_and_targets_are_decided_alike() {
    let cases =
        std::env::var("ABACA_TEST_POLICY_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let counts = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| compare(cases.div_ceil(THREADS)))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .fold([0; 4], |sum, counts| std::array::from_fn(|kind| sum[kind] + counts[kind]))
    });
    // A generator that only made refusals would prove nothing.
    assert!(counts.iter().all(|count| count * 100 >= cases), "kinds of answers: {counts:?}");
}

/// Compares this many cases with a peer of its own; counts the answers by kind.
fn compare(cases: u32) -> [u32; 4] {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let peer = RefCell::new(Peer::start());
    let counts = RefCell::new([0; 4]);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&cases::case(), |case| {
        let theirs = peer.borrow_mut().ask(&case);
        let ours = ours(&runtime, &case);
        counts.borrow_mut()[theirs.kind()] += 1;
        if ours.kind() == theirs.kind() {
            return Ok(());
        }
        let message = format!("Abaca: {ours}, oslo.policy: {theirs}, case: {case}");
        Err(TestCaseError::fail(message))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    counts.into_inner()
}

#[test]
fn known_corners_are_decided_alike() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut peer = Peer::start();
    let credentials = json!({
        "user_id": "u", "project_id": "p", "roles": ["Admin", "straße"], "is_admin": true, "n": null,
        "a": {"b": [{"c": "x"}, {"c": 1.0}], "d": [["x"], "y"]}, "é": "x", "user-id": "u",
    });
    let target = json!({
        "project_id": "p", "user_id": "u", "x": "x", "n": null, "d": {"k": [1, "it's"]}, "t": true,
        "f": 1e16,
    });
    for rule in corners::CORNERS {
        for rule in [(*rule).to_owned(), format!("not {rule}")] {
            let case = json!({
                "rules": {"r": rule}, "rule": "r", "credentials": credentials, "target": target,
            });
            let (ours, theirs) = (ours(&runtime, &case), peer.ask(&case));
            assert_eq!(ours.kind(), theirs.kind(), "{rule}: Abaca {ours}, oslo.policy {theirs}");
        }
    }
}

#[test]
fn policy_files_are_read_alike() {
    let mut peer = Peer::start();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in corners::FILES {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let config = abaca::config::PolicyConfig { file: Some(path), dirs: Vec::new() };
        let theirs = peer.exchange(&json!({"yaml": text}));
        match Policy::load(&config) {
            Ok(policy) => {
                let rules =
                    theirs["rules"].as_object().unwrap_or_else(|| panic!("{text}: {theirs}"));
                let listed = policy.rules();
                for (name, rule) in rules {
                    let ours = listed
                        .iter()
                        .find(|listed| listed.name == *name)
                        .map(|rule| rule.check.clone());
                    assert_eq!(ours.as_ref(), rule.as_str().map(str::to_owned).as_ref(), "{text}");
                }
                assert_eq!(
                    listed.len(),
                    rules.len() + Policy::from_rules(&json!({})).unwrap().rules().len(),
                    "{text}"
                );
            }
            Err(_) => {
                // What PyYAML takes and Abaca refuses would allow everyone there, or raise later.
                let harmless = theirs["rules"]
                    .as_object()
                    .is_none_or(|rules| !rules.values().all(Value::is_string));
                assert!(harmless, "{text}: {theirs}");
            }
        }
    }
}
