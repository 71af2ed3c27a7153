//! The configuration: one TOML file, the environment, the command line, and a default for
//! everything, so that no file is needed. Later sources win. An unknown key is an error.

mod backend;
mod error;
mod identity;
mod quota;
mod secret;
mod section;
mod sections;
mod setting;
mod show;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use abaca_model::quota::{Limit, Resource};

pub use backend::BackendConfig;
pub use error::{ConfigError, Origin, Problem};
pub use identity::{IdentityConfig, KeystoneConfig, Login};
pub use secret::{DatabaseUrl, Secret};
pub use sections::{
    ApiConfig, DOWN_AFTER, DatabaseConfig, LogConfig, MetricsConfig, PolicyConfig, WorkerConfig,
};
pub use setting::{HttpUrl, LogFormat, LogLevel, Strategy};

use section::{Section, ShownSection};
use source::{GivenSection, Sources, Table};

/// What the command line says about the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--config`: the config file.
    pub file: Option<PathBuf>,
    /// `--data-dir`
    pub data_dir: Option<String>,
    /// `--listen`
    pub listen: Option<String>,
}

/// The effective configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the service keeps its own files.
    pub data_dir: PathBuf,
    /// `[api]`
    pub api: ApiConfig,
    /// `[database]`
    pub database: DatabaseConfig,
    /// `[identity]`
    pub identity: IdentityConfig,
    /// `[policy]`
    pub policy: PolicyConfig,
    /// `[quota]`
    pub quota: BTreeMap<Resource, Limit>,
    /// `[worker]`
    pub worker: WorkerConfig,
    /// `[metrics]`
    pub metrics: MetricsConfig,
    /// `[log]`
    pub log: LogConfig,
    /// `[[backend]]`, at least one.
    pub backends: Vec<BackendConfig>,
    shown: Vec<ShownSection>,
}

impl Config {
    /// Reads the file, the process's environment and the command line.
    ///
    /// # Errors
    /// The file can't be read or is no TOML; or all that is wrong with the settings, at once.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        Self::load_from(overrides, std::env::vars_os())
    }

    /// [`Config::load`] with an environment of the caller's choice, which also says where the
    /// home directory is.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_from(
        overrides: &Overrides,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let environment: Vec<(OsString, OsString)> = environment.into_iter().collect();
        let default_data_dir = default_data_dir(&environment);
        let mut sources = Sources::default();
        if let Some(path) = &overrides.file {
            sources.add_file(path)?;
        }
        sources.add_environment(environment.into_iter());
        sources.add_flag("", "data_dir", "--data-dir", overrides.data_dir.clone());
        sources.add_flag("api", "listen", "--listen", overrides.listen.clone());
        Reader::new(sources).read(default_data_dir)
    }

    /// The effective configuration as commented TOML: each option explained, where its value
    /// comes from, and secrets hidden.
    pub fn to_commented_toml(&self) -> String {
        show::render(&self.shown)
    }
}

/// `$XDG_DATA_HOME/abaca`, `~/.local/share/abaca`, or `/var/lib/abaca` for one without a home.
fn default_data_dir(environment: &[(OsString, OsString)]) -> PathBuf {
    let absolute = |wanted: &str| {
        let found = environment.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| PathBuf::from(value)).filter(|path| path.is_absolute())
    };
    let home = absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_else(|| PathBuf::from("/var/lib"));
    home.join("abaca")
}

/// Reads the sections one after the other and gathers what is wrong.
struct Reader {
    sources: Sources,
    problems: Vec<Problem>,
    shown: Vec<ShownSection>,
    /// Keys nobody asked for, by the section they were given in.
    left_over: Vec<(String, Table)>,
}

impl Reader {
    fn new(mut sources: Sources) -> Self {
        let problems = std::mem::take(&mut sources.problems);
        Self { sources, problems, shown: Vec::new(), left_over: Vec::new() }
    }

    fn read(mut self, default_data_dir: PathBuf) -> Result<Config, ConfigError> {
        const TOP_HELP: &str = "Keys above the first section.";
        let data_dir = self.section("", "", TOP_HELP, |section| {
            let help = "Directory of the service's own files: the SQLite database and the default \
                        backend's shares. Made when it is missing.";
            section.value("data_dir", default_data_dir, help)
        });
        // Paths below it are told to clients, who stand elsewhere.
        let data_dir = std::path::absolute(&data_dir).unwrap_or(data_dir);
        let mut config = Config {
            api: self.section("api", "[api]", "The HTTP API.", ApiConfig::read),
            database: self.section(
                "database",
                "[database]",
                "Where the state is kept.",
                |section| DatabaseConfig::read(section, &data_dir),
            ),
            identity: self.section(
                "identity",
                "[identity]",
                "How the service tells who is calling.",
                IdentityConfig::read,
            ),
            policy: self.section("policy", "[policy]", "Who may do what.", PolicyConfig::read),
            quota: self.section(
                "quota",
                "[quota]",
                "Limits of a project that has none of its own; -1 is no limit.",
                quota::read,
            ),
            worker: self.section(
                "worker",
                "[worker]",
                "The process that carries operations out.",
                WorkerConfig::read,
            ),
            metrics: self.section(
                "metrics",
                "[metrics]",
                "Prometheus metrics.",
                MetricsConfig::read,
            ),
            log: self.section("log", "[log]", "Log lines, on standard error.", LogConfig::read),
            backends: Vec::new(),
            data_dir,
            shown: Vec::new(),
        };
        self.check_loopback(&config);
        config.backends = self.backends(&config.data_dir);
        self.refuse_unknown_keys();
        if self.problems.is_empty() {
            config.shown = self.shown;
            Ok(config)
        } else {
            Err(ConfigError::Invalid(self.problems))
        }
    }

    fn section<T>(
        &mut self,
        name: &str,
        header: &'static str,
        help: &'static str,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let given = self.sources.take(name);
        let mut section = Section::new(name, given, &mut self.problems);
        let value = read(&mut section);
        let (shown, left_over) = section.finish(header, help);
        self.shown.push(shown);
        self.left_over.push((name.to_owned(), left_over));
        value
    }

    /// noauth trusts everybody who reaches it, so that nobody from outside may.
    fn check_loopback(&mut self, config: &Config) {
        let inside = config.api.listen.ip().to_canonical().is_loopback();
        if config.identity.strategy != Strategy::NoAuth || inside {
            return;
        }
        let sections = self.shown.iter().filter(|section| section.header == "[api]");
        let mut keys = sections.flat_map(|section| &section.keys);
        let shown = keys.find(|shown| shown.key == "listen");
        let origin = shown.map_or(Origin::Default, |shown| shown.origin.clone());
        let what = format!(
            "{} is not a loopback address, and with identity.strategy \"noauth\" everybody who \
             reaches the service is an administrator; expected an address of 127.0.0.0/8 or [::1]",
            config.api.listen
        );
        self.problems.push(Problem::Refused { origin, key: "api.listen".to_owned(), what });
    }

    fn backends(&mut self, data_dir: &std::path::Path) -> Vec<BackendConfig> {
        let given = std::mem::take(&mut self.sources.backends);
        let variables = std::mem::take(&mut self.sources.backend_variables);
        let tables = backend::gather(given, variables, &mut self.problems);
        let mut backends: Vec<BackendConfig> = Vec::new();
        for GivenSection { origin, keys } in tables {
            let section = Section::new("backend", keys, &mut self.problems);
            if let Some((backend, shown)) = backend::read(section, &origin, data_dir, &backends) {
                self.shown.push(shown);
                backends.push(backend);
            }
        }
        backends
    }

    /// Each key that no section asked for, and each section that nobody knows.
    fn refuse_unknown_keys(&mut self) {
        let known: Vec<String> = self.known_keys();
        for (section, given) in &self.left_over {
            for (key, given) in given {
                if section.is_empty() && self.is_section(key) {
                    self.problems.push(Problem::BadValue {
                        origin: given.origin.clone(),
                        key: key.clone(),
                        value: given.raw.to_string(),
                        expected: format!("a section, [{key}], with keys below it"),
                    });
                    continue;
                }
                let path =
                    if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
                self.problems.push(unknown(given.origin.clone(), path, &known));
            }
        }
        for (section, given) in &self.sources.sections {
            if given.keys.is_empty() {
                let headers = self.shown.iter().map(|section| section.header.to_owned());
                let sections: Vec<String> = headers.filter(|name| !name.is_empty()).collect();
                let section = format!("[{section}]");
                self.problems.push(unknown(given.origin.clone(), section, &sections));
            }
            for (key, given) in &given.keys {
                let path = format!("{section}.{key}");
                self.problems.push(unknown(given.origin.clone(), path, &known));
            }
        }
    }

    fn is_section(&self, name: &str) -> bool {
        self.shown.iter().any(|section| section.header.trim_matches(['[', ']']) == name)
    }

    fn known_keys(&self) -> Vec<String> {
        let path = |header: &str, key: &str| match header.trim_matches(['[', ']']) {
            "" => key.to_owned(),
            section => format!("{section}.{key}"),
        };
        let sections = self.shown.iter();
        sections
            .flat_map(|section| section.keys.iter().map(|shown| path(section.header, shown.key)))
            .collect()
    }
}

/// The known key that looks most like the given one; a key right but for its section comes first.
fn unknown(origin: Origin, key: String, known: &[String]) -> Problem {
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    let likeness = |candidate: &String| {
        let whole = strsim::normalized_damerau_levenshtein(&key, candidate);
        let own = strsim::jaro_winkler(&last(&key), &last(candidate));
        whole + own
    };
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    Problem::Unknown { origin, key, nearest: nearest.cloned().unwrap_or_default() }
}
