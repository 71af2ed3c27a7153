//! `abaca serve` and `abaca demo`, from their first to their last line.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::run::{Run, abaca};

/// A running `abaca serve`; killed when a test fails in between.
struct Service {
    child: Child,
    /// What it greeted with.
    greeting: String,
    /// Holds its home.
    _run: Run,
}

impl Service {
    /// Starts it and waits for its greeting.
    fn start(run: &Run, arguments: &[&str]) -> Self {
        let mut run = Run::again(run).args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
        let command = run.command();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut greeting = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        while !greeting.contains("Backend") {
            if lines.read_line(&mut greeting).unwrap() == 0 {
                let mut errors = String::new();
                child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
                panic!("it ended:\n{greeting}{errors}");
            }
        }
        Self { child, greeting, _run: run }
    }

    fn address(&self) -> &str {
        let line = self.greeting.lines().find(|line| line.trim_start().starts_with("API")).unwrap();
        line.rsplit("http://").next().unwrap().trim_end_matches("/v2")
    }

    /// The whole answer to a GET, head and body.
    fn get(&self, path: &str, host: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
fn serve_answers_and_ends_cleanly_on_either_signal() {
    for signal in [Signal::TERM, Signal::INT] {
        let home = abaca();
        let mut service = Service::start(&home, &[]);
        let data = home.directory().join(".local/share/abaca");
        assert!(service.greeting.contains(data.to_str().unwrap()), "{}", service.greeting);
        let answer = service.get("/healthcheck", "localhost");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        service.signal(signal);
        assert_eq!(service.wait(), Some(0), "{signal:?}");
        assert!(data.join("abaca.db").exists());
    }
}

#[test]
fn serve_ends_though_a_client_never_finishes_its_request() {
    let home = abaca();
    let config = home.directory().join("abaca.toml");
    std::fs::write(&config, "[api]\nrequest_timeout = 0.5\n").unwrap();
    let mut service = Service::start(&home, &["--config", config.to_str().unwrap()]);
    let mut stream = TcpStream::connect(service.address()).unwrap();
    stream.write_all(b"GET /v2/shares HTTP/1.1\r\nHost:").unwrap();
    service.get("/healthcheck", "localhost");
    service.signal(Signal::TERM);
    assert_eq!(service.wait(), Some(0));
}

#[test]
fn serve_keeps_web_pages_out_of_every_route() {
    let service = Service::start(&abaca(), &[]);
    for path in ["/", "/v2/", "/healthcheck", "/metrics", "/v2/shares", "/nowhere"] {
        let answer = service.get(path, "evil.example");
        assert!(answer.starts_with("HTTP/1.1 403"), "{path}: {answer}");
        assert!(answer.contains("evil.example"), "{path}: {answer}");
    }
}

#[test]
fn serve_tells_its_metrics_on_loopback() {
    let service = Service::start(&abaca(), &[]);
    let list = service.get("/v2/shares", "localhost");
    assert!(list.starts_with("HTTP/1.1 200"), "{list}");
    let metrics = service.get("/metrics", "localhost");
    assert!(metrics.contains("content-type: text/plain; version=0.0.4"), "{metrics}");
    for line in [
        "abaca_http_requests_total{route=\"/shares\",method=\"GET\",code=\"200\"} 1",
        "# TYPE abaca_http_request_duration_seconds histogram",
        "# TYPE process_resident_memory_bytes gauge",
    ] {
        assert!(metrics.contains(line), "{line} is not in:\n{metrics}");
    }
}

#[test]
fn demo_tells_the_whole_story_and_leaves_nothing() {
    let run = abaca();
    let told = Run::again(&run).args(["demo"]).run();
    told.succeeded();
    assert_eq!(told.err, "");
    let beginnings = [
        "\n1. A tenant creates a share",
        "> POST /v2/shares\n",
        "< 200 OK\n",
        "write ",
        "\n2. The share is snapshotted",
        "> POST /v2/snapshots\n",
        "write ",
        "\n3. The administrator looks",
        "> GET /v2/snapshot-instances/detail?snapshot_id=",
        "\"provider_location\"",
        "read ",
        "Dear diary",
        "\n4. The administrator resets",
        "> {\"reset_status\":{\"status\":\"error\"}}\n",
        "< 202 Accepted\n",
        "\"status\": \"error\"",
        "\nDone in ",
    ];
    let mut rest = told.out.as_str();
    for beginning in beginnings {
        let found = rest.find(beginning);
        let position = found.unwrap_or_else(|| panic!("no {beginning:?} in:\n{rest}"));
        rest = &rest[position + beginning.len()..];
    }
    assert!(!told.out.contains('\u{1b}'), "no colours in a pipe");
    let left: Vec<_> = std::fs::read_dir(run.directory()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
