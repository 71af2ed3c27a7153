//! `abaca serve`: runs the service until it is told to stop.

use std::fmt::Write;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{CliError, ConfigArgs, print, runtime};
use crate::app::{self, Addresses, Role};
use crate::config::{Config, Strategy};
use crate::telemetry::logs;

/// How long calls in backends may go on that nobody waits for any more.
const LAST_CALLS: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigArgs,
    /// Address and port of the API; wins over the config file's api.listen
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Which part of the service runs in this process
    #[arg(long, value_enum, default_value_t = Role::All)]
    role: Role,
}

const EXAMPLES: &str = "\
Examples:
  abaca serve                                     no config file needed
  abaca serve --data-dir /srv/abaca --listen 127.0.0.1:9000
  abaca serve --config /etc/abaca/abaca.toml --role api
  abaca serve --config /etc/abaca/abaca.toml --role worker

SIGTERM or Ctrl-C stops it cleanly; a second one stops it at once.";

impl Serve {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let config = self.config.load(self.listen.as_deref())?;
        logs::init(&config.log)?;
        make_data_dir(&config)?;
        let runtime = runtime()?;
        let ended = runtime.block_on(self.serve(config));
        // A call that hangs in the kernel keeps its thread; what it does there can be repeated.
        runtime.shutdown_timeout(LAST_CALLS);
        ended.map(|()| ExitCode::SUCCESS)
    }

    async fn serve(self, config: Config) -> Result<(), CliError> {
        let shutdown = CancellationToken::new();
        let signals = Signals::new().map_err(CliError::Runtime)?;
        let watcher = tokio::spawn(signals.watch(shutdown.clone()));
        let greeted = config.clone();
        let role = self.role;
        let ready = move |addresses: Addresses| {
            // The service runs on without a reader of its greeting.
            if let Err(error) = print(&greeting(&greeted, role, addresses)) {
                tracing::warn!(%error, "the greeting could not be printed");
            }
        };
        let ended = app::serve(config, self.role, shutdown, ready).await;
        watcher.abort();
        Ok(ended?)
    }
}

/// What ends the service.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The first signal asks for a clean end, the second does not wait for it.
    async fn watch(mut self, shutdown: CancellationToken) {
        let name = self.next().await;
        tracing::info!(signal = name, "stopping");
        shutdown.cancel();
        let name = self.next().await;
        tracing::warn!(signal = name, "stopping at once");
        // 128 + SIGINT, as a shell tells it.
        std::process::exit(130);
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Makes the data directory, for its owner alone.
pub(super) fn make_data_dir(config: &Config) -> Result<(), CliError> {
    let path = &config.data_dir;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| CliError::DataDirectory { path: path.clone(), source })
}

fn greeting(config: &Config, role: Role, addresses: Addresses) -> String {
    let mut text = format!("Abaca {} is up.\n\n", env!("CARGO_PKG_VERSION"));
    let mut line = |name: &str, value: &dyn std::fmt::Display| {
        // Writing to a String can't fail.
        _ = writeln!(text, "  {name:<10}{value}");
    };
    if let Some(api) = addresses.api {
        line("API", &format_args!("http://{api}/v2"));
    }
    match addresses.metrics {
        Some(metrics) => line("Metrics", &format_args!("http://{metrics}/metrics")),
        None => line("Metrics", &"nowhere: metrics.listen is not set"),
    }
    line("Data", &config.data_dir.display());
    line("Database", &config.database.url);
    if role != Role::Api {
        for backend in &config.backends {
            line("Backend", &format_args!("{} ({})", backend.name, backend.driver));
        }
    }
    if let (Some(api), Strategy::NoAuth) = (addresses.api, config.identity.strategy) {
        _ = write!(
            text,
            "\nWith the OpenStack client:\n\n\
             \x20   python3 -m venv osc && osc/bin/pip install python-openstackclient python-manilaclient\n\
             \x20   export PATH=$PWD/osc/bin:$PATH OS_AUTH_TYPE=none OS_ENDPOINT=http://{api}/v2\n\
             \x20   openstack share create NFS 1 --name s1\n\
             \x20   openstack share snapshot create s1 --name n1\n\
             \x20   openstack share snapshot instance list --detailed\n\
             \x20   openstack share snapshot instance show ID\n\
             \x20   openstack share snapshot instance set ID --status error\n\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;

    fn config() -> Config {
        let overrides = Overrides { data_dir: Some("/data".to_owned()), ..Overrides::default() };
        let variables = [("ABACA__BACKEND__SIM__DRIVER".into(), "simulated".into())];
        Config::load_from(&overrides, variables).unwrap()
    }

    #[test]
    fn the_greeting_has_the_lines_to_paste() {
        let api = "127.0.0.1:4242".parse().ok();
        insta::assert_snapshot!(greeting(&config(), Role::All, Addresses { api, metrics: api }));
    }

    #[test]
    fn a_worker_has_no_api_to_greet_with() {
        let addresses = Addresses { api: None, metrics: None };
        let text = greeting(&config(), Role::Worker, addresses);
        assert!(!text.contains("http://") && text.contains("/data"), "{text}");
        assert!(text.contains("nowhere"), "{text}");
    }
}
