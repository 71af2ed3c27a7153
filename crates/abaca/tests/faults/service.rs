//! The service as a process: started, asked, killed, started again over the same state.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use abaca_drivers::conformance::file_systems::mounted;
use abaca_model::{Operation, OperationState};
use abaca_store::testing::TestDatabase;
use abaca_store::{Dialect, operations};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Nothing here takes nearly as long; a test that waits longer fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether something has come.
pub(crate) const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// What outlives a process: the database, the backend's directory, the config.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    directory: TempDir,
}

/// Which storage the service has.
#[derive(Clone, Copy)]
pub(crate) enum Storage {
    /// Real bytes.
    Directory,
    /// Real bytes, on the btrfs file system that the test was started with.
    Btrfs,
    /// No bytes, failures by a file.
    Simulated,
}

/// Databases that earlier worlds of this process left empty. On a server, making one and dropping it
/// takes longer than most of what a world is made for.
static SPARE: Mutex<Vec<TestDatabase>> = Mutex::new(Vec::new());

fn spare_database(dialect: Dialect) -> Option<TestDatabase> {
    let mut spare = SPARE.lock().unwrap();
    let found = spare.iter().position(|database| database.db.dialect() == dialect)?;
    Some(spare.swap_remove(found))
}

/// Drops the databases that worlds of this dialect left.
pub(crate) async fn drop_spare_databases(dialect: Dialect) {
    while let Some(database) = spare_database(dialect) {
        database.remove().await.unwrap();
    }
}

impl World {
    pub(crate) async fn new(dialect: Dialect, storage: Storage) -> Self {
        let database = match spare_database(dialect) {
            Some(database) => database,
            None => TestDatabase::create(dialect).await.unwrap(),
        };
        let directory = match storage {
            Storage::Btrfs => tempfile::tempdir_in(mounted().unwrap()),
            _ => tempfile::tempdir(),
        };
        let world = Self { database, directory: directory.unwrap() };
        let driver = match storage {
            Storage::Btrfs => format!("driver = \"btrfs\"\nroot = {:?}", world.backend()),
            Storage::Directory => format!("driver = \"directory\"\nroot = {:?}", world.backend()),
            Storage::Simulated => format!(
                "driver = \"simulated\"\nstate_file = {:?}\nfault_file = {:?}\npools = [{{ name = \"p\" }}]",
                world.path("state.json"),
                world.path("faults.toml"),
            ),
        };
        let config = format!(
            "data_dir = {:?}\n[api]\nsoft_deleted_share_retention_seconds = 0.001\n[database]\nurl = {:?}\n[worker]\nhost = \"w\"\nlease_seconds = 2\npoll_interval = 0.5\n\
             [log]\nlevel = \"info\"\n[[backend]]\nname = \"b\"\n{driver}\n",
            world.path("data"),
            world.database.url,
        );
        fs::write(world.path("abaca.toml"), config).unwrap();
        world
    }

    /// Adds a line to a section of the config.
    pub(crate) fn configure(&self, section: &str, line: &str) {
        let path = self.path("abaca.toml");
        let config = fs::read_to_string(&path).unwrap();
        fs::write(path, config.replacen(section, &format!("{section}\n{line}"), 1)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The root of the directory backend.
    pub(crate) fn backend(&self) -> PathBuf {
        self.path("backend")
    }

    /// The names of what the backend holds of one kind: `shares`, `snapshots`, `tmp`, `trash`.
    pub(crate) fn held(&self, kind: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.backend().join(kind)) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Has the simulated backend fail as `faults` says, from its next call on.
    pub(crate) fn set_faults(&self, faults: &str) {
        let new = self.path("faults.new");
        fs::write(&new, faults).unwrap();
        fs::rename(new, self.path("faults.toml")).unwrap();
    }

    /// Starts the service; `kill_at` names the place where it shall die.
    pub(crate) fn start(&self, role: &str, kill_at: Option<&str>) -> Service {
        self.start_with("abaca.toml", role, kill_at)
    }

    /// As [`World::start`], with another config of the world's directory.
    pub(crate) fn start_with(&self, config: &str, role: &str, kill_at: Option<&str>) -> Service {
        let place = kill_at.map(|place| ("ABACA_KILL_AT", place.to_owned()));
        self.spawn(config, role, place)
    }

    /// Starts the service, and waits until a runner is held up at this place. `variables` go into its
    /// environment.
    pub(crate) fn start_and_hold(
        &self,
        place: &str,
        variables: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Service {
        let file = self.path("hold");
        fs::write(&file, "").unwrap();
        let file = file.to_str().unwrap().to_owned();
        let hold = [("ABACA_HOLD_AT", place.to_owned()), ("ABACA_HOLD_WHILE", file)];
        let service = self.spawn("abaca.toml", "all", hold.into_iter().chain(variables));
        service.wait(place, |_| self.log().contains("held here").then_some(()));
        service
    }

    /// Lets it go on.
    pub(crate) fn release(&self) {
        fs::remove_file(self.path("hold")).unwrap();
    }

    fn spawn(
        &self,
        config: &str,
        role: &str,
        variables: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Service {
        let log = fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_abaca"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--role", role, "--config"])
            .arg(self.path(config))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        command.envs(variables);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (name, rest) = line.trim().split_once(' ')?;
            (name == "API").then(|| {
                rest.trim().strip_prefix("http://")?.strip_suffix("/v2").map(str::to_owned)
            })?
        });
        // Drained, so that the child never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.unwrap_or_else(|| panic!("it did not start:\n{}", self.log()));
        Service { child, address }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Every operation of a resource.
    pub(crate) async fn operations(&self, resource_id: &str) -> Vec<Operation> {
        let mut tx = self.database.db.read().await.unwrap();
        operations::of_resource(&mut tx, resource_id.parse().unwrap()).await.unwrap()
    }

    /// Waits until no operation is queued or runs.
    pub(crate) async fn settled(&self) {
        let started = Instant::now();
        loop {
            let mut tx = self.database.db.read().await.unwrap();
            let pending = operations::pending(&mut tx).await.unwrap();
            drop(tx);
            if pending.is_empty() {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "still pending: {pending:?}\n{}", self.log());
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Waits until an operation of the resource has failed so many times.
    pub(crate) async fn tried(&self, resource_id: &str, attempts: i64) {
        let started = Instant::now();
        loop {
            let operations = self.operations(resource_id).await;
            if operations.iter().any(|operation| operation.attempts >= attempts) {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{operations:?}\n{}", self.log());
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Waits until the resource has an operation in this state.
    pub(crate) async fn reaches(&self, resource_id: &str, state: OperationState) {
        let started = Instant::now();
        loop {
            let operations = self.operations(resource_id).await;
            if operations.iter().any(|operation| operation.state == state) {
                return;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "none is {state}: {operations:?}\n{}",
                self.log()
            );
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Leaves nothing behind but a database for the next world, on a server.
    pub(crate) async fn remove(self) {
        if self.database.db.dialect() == Dialect::Sqlite {
            return self.database.remove().await.unwrap();
        }
        let database = self.database.cleared().await.unwrap();
        SPARE.lock().unwrap().push(database);
    }
}

/// A running process.
pub(crate) struct Service {
    child: Child,
    address: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may be dead already, as the test wanted.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Service {
    /// One request as an administrator at 2.99: status and body.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} /v2{path} HTTP/1.0\r\nHost: {}\r\nX-OpenStack-Manila-API-Version: 2.99\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, serde_json::from_str(body).unwrap_or(Value::Null)))
    }

    /// The body of a request that must succeed.
    pub(crate) fn expect(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.ask(method, path, body).expect("an answer");
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.expect("GET", path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.expect("POST", path, Some(body))
    }

    /// Sends a request during which, or soon after which, the process dies.
    pub(crate) fn try_post(&self, path: &str, body: &Value) {
        _ = self.ask("POST", path, Some(body));
    }

    /// Waits until `read` finds what it looks for.
    pub(crate) fn wait<T>(&self, what: &str, mut read: impl FnMut(&Self) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = read(self) {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Waits for the process to be gone.
    pub(crate) fn gone(&mut self) -> ExitStatus {
        self.gone_after(|_| {})
    }

    /// As [`Service::gone`], of a process with which something is done as long as it is there.
    pub(crate) fn gone_after(&mut self, mut act: impl FnMut(&Self)) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "it was to die and lives");
            act(self);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it by SIGTERM and waits.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.gone()
    }

    pub(crate) fn create_share(&self) -> String {
        let body = json!({"share": {"share_proto": "NFS", "size": 1}});
        id(&self.post("/shares", &body)["share"])
    }

    pub(crate) fn create_snapshot(&self, share: &str) -> String {
        let body = json!({"snapshot": {"share_id": share}});
        id(&self.post("/snapshots", &body)["snapshot"])
    }

    pub(crate) fn share_is(&self, share: &str, status: &str) {
        self.wait(&format!("share {status}"), |service| {
            (service.get(&format!("/shares/{share}"))["share"]["status"] == status).then_some(())
        });
    }

    pub(crate) fn snapshot_is(&self, snapshot: &str, status: &str) {
        self.wait(&format!("snapshot {status}"), |service| {
            let answer = service.get(&format!("/snapshots/{snapshot}"));
            (answer["snapshot"]["status"] == status).then_some(())
        });
    }

    /// Waits until every access rule of a share is active; whom they let in.
    pub(crate) fn settled_rules(&self, share: &str) -> Vec<String> {
        self.wait("active access rules", |service| {
            let list = service.get(&format!("/share-access-rules?share_id={share}"));
            let rules = list["access_list"].as_array().unwrap();
            let shown = service.get(&format!("/shares/{share}"));
            let at_rest = shown["share"]["access_rules_status"] == "active"
                && rules.iter().all(|rule| rule["state"] == "active");
            let address = |rule: &Value| rule["access_to"].as_str().unwrap().to_owned();
            at_rest.then(|| rules.iter().map(address).collect())
        })
    }

    /// The only instance of a share.
    pub(crate) fn share_instance(&self, share: &str) -> String {
        let answer = self.get(&format!("/shares/{share}/instances"));
        id(&answer["share_instances"][0])
    }

    /// The only instance of a snapshot, with its details.
    pub(crate) fn snapshot_instance(&self, snapshot: &str) -> Value {
        let answer = self.get(&format!("/snapshot-instances/detail?snapshot_id={snapshot}"));
        answer["snapshot_instances"][0].clone()
    }
}

pub(crate) fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("no id in {value}")).to_owned()
}

/// Writes a file into the only share of the directory backend.
pub(crate) fn write_bytes(world: &World, instance: &str, bytes: &[u8]) -> PathBuf {
    let path = world.backend().join("shares").join(instance).join("data").join("file");
    fs::write(&path, bytes).unwrap();
    path
}

pub(crate) fn read_bytes(location: &Value) -> Vec<u8> {
    fs::read(Path::new(location.as_str().unwrap()).join("file")).unwrap()
}
