//! The `oslo.policy` package, in a process of its own.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use abaca::policy::Policy;
use serde_json::{Value, json};

/// What a policy engine says to a case.
pub(crate) enum Answer {
    Allowed(bool),
    Failed(String),
    Refused(String),
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Allowed(allowed) => write!(f, "allowed: {allowed}"),
            Self::Failed(reason) => write!(f, "failed: {reason}"),
            Self::Refused(reason) => write!(f, "rules refused: {reason}"),
        }
    }
}

impl Answer {
    /// Allowed, not allowed, failed, or rules refused: what is compared, as the texts are for
    /// people.
    pub(crate) fn kind(&self) -> usize {
        match self {
            Self::Allowed(true) => 0,
            Self::Allowed(false) => 1,
            Self::Failed(_) => 2,
            Self::Refused(_) => 3,
        }
    }
}

pub(crate) struct Peer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    pub(crate) fn start() -> Self {
        let python = std::env::var("ABACA_TEST_PYTHON").expect(
            "ABACA_TEST_PYTHON must name a Python that has oslo.policy; scripts/test sets it",
        );
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/policy/peer.py");
        let mut process = Command::new(&python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{python} can't be started: {error}"));
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut peer = Self { process, input, output };
        let defaults = Policy::from_rules(&json!({})).unwrap().rules();
        let defaults: Vec<Value> = defaults
            .iter()
            .filter_map(|rule| rule.default)
            .map(|rule| {
                let scopes: Vec<&str> = rule.scopes.iter().map(|scope| scope.name()).collect();
                json!({"name": rule.name, "check": rule.check, "scopes": scopes})
            })
            .collect();
        peer.write(&json!(defaults));
        peer
    }

    fn write(&mut self, value: &Value) {
        writeln!(self.input, "{value}")
            .expect("the peer is gone; does its Python have oslo.policy?");
    }

    pub(crate) fn exchange(&mut self, question: &Value) -> Value {
        self.write(question);
        let mut line = String::new();
        let length = self.output.read_line(&mut line).unwrap();
        assert!(length > 0, "the peer ended; does its Python have oslo.policy?");
        serde_json::from_str(&line).unwrap()
    }

    pub(crate) fn ask(&mut self, case: &Value) -> Answer {
        let answer = self.exchange(case);
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        match (answer["allowed"].as_bool(), text("failed"), text("refused")) {
            (Some(allowed), ..) => Answer::Allowed(allowed),
            (_, Some(failed), _) => Answer::Failed(failed),
            (.., Some(refused)) => Answer::Refused(refused),
            _ => panic!("not an answer: {answer}"),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
