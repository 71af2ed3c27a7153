//! `abaca demo`: the story of a snapshot instance, told with a real service on real bytes.

mod client;
mod scratch;
mod teller;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use axum::http::Method;
use clap::Args;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{CliError, runtime};
use crate::app::{self, AppError, Role};
use crate::config::{Config, ConfigError, Overrides};
use client::{Answer, Client};
use scratch::Scratch;
use teller::Teller;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Demo {}

const EXAMPLES: &str = "\
Examples:
  abaca demo
  abaca demo | less

It needs nothing and leaves nothing behind: the service runs in a temporary directory, on a free
port of this machine alone.";

/// How long a resource may take to become what it should; in truth it takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Why the story could not be told to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The temporary directory or a file in the share can't be used.
    #[error("{} can't be {what}", path.display())]
    File {
        /// `made`, `written`, `read` or `removed`.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The demo's own configuration is wrong.
    #[error("the demo's service can't be configured")]
    Config(#[from] ConfigError),
    /// The service ended, or never came up.
    #[error("the demo's service ended before the story did")]
    Service(#[from] AppError),
    /// The service ended without a word.
    #[error("the demo's service ended by itself")]
    Ended,
    /// A request could not be sent, or its answer not read.
    #[error("the request {request} got no answer")]
    Http {
        /// Method and path.
        request: String,
        /// What went wrong on the way.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The service answered otherwise than the story goes.
    #[error("{request} was answered {answer}")]
    Unexpected {
        /// Method and path.
        request: String,
        /// Status and body.
        answer: String,
    },
    /// The bytes at the snapshot instance's place are not those of the snapshot.
    #[error("the snapshot instance holds {found:?}; expected {expected:?}")]
    WrongBytes {
        /// What was read.
        found: String,
        /// What was written before the snapshot.
        expected: &'static str,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Standard output can't be written.
    #[error("the output can't be written")]
    Output(#[from] std::io::Error),
}

impl Demo {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        runtime()?.block_on(tell_and_clean_up())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The story in a directory that is gone afterwards, whatever happens.
async fn tell_and_clean_up() -> Result<(), DemoError> {
    let begun = Instant::now();
    let scratch = Scratch::make()?;
    let mut teller = Teller::new(std::io::stdout().is_terminal());

    let told = tokio::select! {
        told = with_service(scratch.path(), &mut teller) => told,
        _ = tokio::signal::ctrl_c() => Err(DemoError::Interrupted),
    };
    let removed = scratch.remove();
    told?;
    removed?;
    teller.end(begun.elapsed())?;
    Ok(())
}

/// Runs the service beside the story, and ends it with it.
async fn with_service(directory: &Path, teller: &mut Teller) -> Result<(), DemoError> {
    let overrides = Overrides {
        data_dir: Some(directory.to_string_lossy().into_owned()),
        listen: Some("127.0.0.1:0".to_owned()),
        ..Overrides::default()
    };
    // No environment: the story is the same for everybody.
    let config = Config::load_from(&overrides, [])?;
    let shutdown = CancellationToken::new();
    let (up, wait_until_up) = oneshot::channel();
    let ready = move |addresses: app::Addresses| {
        // Nobody waits any more when the story was interrupted.
        _ = up.send(addresses.api);
    };
    let service = app::serve(config, Role::All, shutdown.clone(), ready);
    let story = async {
        let Ok(Some(address)) = wait_until_up.await else { return Err(DemoError::Ended) };
        let told = tell(&Client::new(address), directory, teller).await;
        shutdown.cancel();
        told
    };
    tokio::pin!(service, story);
    let told = tokio::select! {
        biased;
        told = &mut story => told,
        ended = &mut service => return Err(ended.map_or_else(DemoError::from, |()| DemoError::Ended)),
    };
    service.await?;
    told
}

const BEFORE: &str = "Dear diary, today all is well.\n";
const AFTER: &str = "xxxx encrypted by a villain xxxx\n";

async fn tell(client: &Client, directory: &Path, teller: &mut Teller) -> Result<(), DemoError> {
    teller.say(&format!(
        "Abaca is up at {}, with its data in {}.",
        client.endpoint(),
        directory.display()
    ))?;

    teller.chapter("A tenant creates a share and writes a file into it")?;
    let body = json!({"share": {"share_proto": "NFS", "size": 1, "name": "s1"}});
    let share = ask(client, teller, Method::POST, "/shares", Some(body)).await?;
    let share_path = format!("/shares/{}", text(&share, "/share/id")?);
    become_available(client, teller, &share_path, "/share/status").await?;
    let locations = format!("{share_path}/export_locations");
    let locations = ask(client, teller, Method::GET, &locations, None).await?;
    let file = Path::new(text(&locations, "/export_locations/0/path")?).join("diary.txt");
    write(teller, &file, BEFORE).await?;

    teller.chapter("The share is snapshotted, and then something happens to the file")?;
    let share_id = text(&share, "/share/id")?;
    let body = json!({"snapshot": {"share_id": share_id, "name": "n1"}});
    let snapshot = ask(client, teller, Method::POST, "/snapshots", Some(body)).await?;
    let snapshot_id = text(&snapshot, "/snapshot/id")?;
    let snapshot_path = format!("/snapshots/{snapshot_id}");
    become_available(client, teller, &snapshot_path, "/snapshot/status").await?;
    write(teller, &file, AFTER).await?;

    teller.chapter("The administrator looks at the snapshot's instances: one for each place")?;
    let list = format!("/snapshot-instances/detail?snapshot_id={snapshot_id}");
    let list = ask(client, teller, Method::GET, &list, None).await?;
    let instance_path = format!("/snapshot-instances/{}", text(&list, "/snapshot_instances/0/id")?);
    let instance = ask(client, teller, Method::GET, &instance_path, None).await?;
    let place = text(&instance, "/snapshot_instance/provider_location")?;
    let found = read(teller, &Path::new(place).join("diary.txt")).await?;
    if found != BEFORE {
        return Err(DemoError::WrongBytes { found, expected: BEFORE });
    }
    teller.say("The old bytes are there.")?;

    teller.chapter("The administrator resets its state by hand; that word stands")?;
    let body = json!({"reset_status": {"status": "error"}});
    let action = format!("{instance_path}/action");
    ask(client, teller, Method::POST, &action, Some(body)).await?;
    let instance = ask(client, teller, Method::GET, &instance_path, None).await?;
    expect(&instance, "/snapshot_instance/status", "error")
}

/// Sends a request and tells it with its answer, which must be a success.
async fn ask(
    client: &Client,
    teller: &mut Teller,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Result<Answer, DemoError> {
    teller.request(&method, path, body.as_ref())?;
    let answer = client.send(method, path, body).await?;
    teller.answer(&answer)?;
    if answer.status.is_success() { Ok(answer) } else { Err(answer.unexpected()) }
}

/// Asks again and again until the resource is available; tells only the last answer.
async fn become_available(
    client: &Client,
    teller: &mut Teller,
    path: &str,
    status: &str,
) -> Result<(), DemoError> {
    teller.request(&Method::GET, path, None)?;
    let asked = Instant::now();
    loop {
        let answer = client.send(Method::GET, path, None).await?;
        let is_waiting = answer.body.pointer(status).and_then(Value::as_str) == Some("creating");
        if !is_waiting || asked.elapsed() > PATIENCE {
            teller.answer(&answer)?;
            return expect(&answer, status, "available");
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn text<'a>(answer: &'a Answer, pointer: &str) -> Result<&'a str, DemoError> {
    let value = answer.body.pointer(pointer).and_then(Value::as_str);
    value.ok_or_else(|| answer.unexpected())
}

fn expect(answer: &Answer, pointer: &str, expected: &str) -> Result<(), DemoError> {
    if text(answer, pointer)? == expected { Ok(()) } else { Err(answer.unexpected()) }
}

async fn write(teller: &mut Teller, path: &Path, text: &str) -> Result<(), DemoError> {
    teller.file("write", path, text)?;
    tokio::fs::write(path, text).await.map_err(|source| DemoError::File {
        what: "written",
        path: path.to_owned(),
        source,
    })
}

async fn read(teller: &mut Teller, path: &Path) -> Result<String, DemoError> {
    let read = tokio::fs::read_to_string(path).await;
    let text =
        read.map_err(|source| DemoError::File { what: "read", path: path.to_owned(), source })?;
    teller.file("read", path, &text)?;
    Ok(text)
}
