//! `[[backend]]`: the keys that every backend has, then the driver's own, which the driver checks.

use std::path::Path;

use abaca_drivers::{Settings, SettingsError};
use abaca_model::scheduler::{FILTER_FUNCTION, Function, GOODNESS_FUNCTION};
use serde_json::Value;

use super::error::{Origin, Problem};
use super::section::{Section, Shown, ShownSection};
use super::source::{BackendVariable, Given, GivenSection, Raw, Table, json_from_text};

/// The backend there is when none is configured; also its driver's name.
const DEFAULT_BACKEND: &str = "directory";
/// The directory driver's own key for the place of its shares.
const DIRECTORY_ROOT: &str = "root";

/// One storage backend.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendConfig {
    /// Its name, the second part of `host@backend#pool`.
    pub name: String,
    /// Which driver.
    pub driver: String,
    /// The availability zone of its shares.
    pub availability_zone: String,
    /// The driver makes a share server for each share network.
    pub driver_handles_share_servers: bool,
    /// Backends of one domain can hold replicas of each other's shares.
    pub replication_domain: Option<String>,
    /// Which shares it takes, in the language of [`Function`].
    pub filter_function: Option<String>,
    /// How good a place it is, from 0 to 100, in the same language.
    pub goodness_function: Option<String>,
    /// The driver's own keys.
    pub settings: Settings,
}

/// The backends' tables: those of the file, changed and joined by those of the environment, or
/// else the default one.
pub(super) fn gather(
    mut backends: Vec<GivenSection>,
    variables: Vec<BackendVariable>,
    problems: &mut Vec<Problem>,
) -> Vec<GivenSection> {
    let default = in_environment(DEFAULT_BACKEND);
    let default_is_named = variables.iter().any(|variable| variable.backend == default);
    if backends.is_empty() && (variables.is_empty() || default_is_named) {
        backends.push(named(DEFAULT_BACKEND, Origin::Default));
    }
    for BackendVariable { backend, key, given } in variables {
        let own = |table: &&mut GivenSection| name_in_environment(table).as_ref() == Some(&backend);
        let mut matching: Vec<&mut GivenSection> = backends.iter_mut().filter(own).collect();
        match matching.as_mut_slice() {
            [] => {
                let mut table = named(&backend.to_ascii_lowercase(), given.origin.clone());
                table.keys.insert(key, given);
                backends.push(table);
            }
            [table] => {
                table.keys.insert(key, given);
            }
            _ => problems.push(Problem::Refused {
                origin: given.origin,
                key: format!("backend.{key}"),
                what: format!("{backend} stands for more than one backend in the environment"),
            }),
        }
    }
    backends
}

fn named(name: &str, origin: Origin) -> GivenSection {
    let mut keys = Table::new();
    let mut set = |key: &str, value: &str| {
        let given = Given { raw: Raw::Typed(Value::from(value)), origin: origin.clone() };
        keys.insert(key.to_owned(), given);
    };
    set("name", name);
    if name == DEFAULT_BACKEND {
        set("driver", DEFAULT_BACKEND);
    }
    GivenSection { origin, keys }
}

fn name_in_environment(table: &GivenSection) -> Option<String> {
    match &table.keys.get("name")?.raw {
        Raw::Typed(Value::String(name)) | Raw::Text(name) => Some(in_environment(name)),
        Raw::Typed(_) => None,
    }
}

/// `nvme-1` is `NVME_1` in the name of an environment variable.
fn in_environment(name: &str) -> String {
    let upper = |letter: char| match letter.to_ascii_uppercase() {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '_',
    };
    name.chars().map(upper).collect()
}

/// Reads one backend; `others` are those read before it. None when a problem was noted.
pub(super) fn read(
    mut section: Section<'_>,
    origin: &Origin,
    data_dir: &Path,
    others: &[BackendConfig],
) -> Option<(BackendConfig, ShownSection)> {
    let before = section.problem_count();
    let name: Option<String> = section.required("name", origin, NAME_HELP);
    if let Some(name) = &name {
        check_name(&mut section, name, others);
    }
    let driver: Option<String> = section.required("driver", origin, "Driver of its storage.");
    let availability_zone =
        section.value("availability_zone", "nova".to_owned(), "Availability zone of its shares.");
    let driver_handles_share_servers = section.value(
        "driver_handles_share_servers",
        false,
        "Whether the driver makes a share server for each share network.",
    );
    let replication_domain = section.optional(
        "replication_domain",
        "Backends of the same domain can hold replicas of each other's shares.",
    );
    let filter_function = function(&mut section, FILTER_FUNCTION, FILTER_HELP);
    let goodness_function = function(&mut section, GOODNESS_FUNCTION, GOODNESS_HELP);
    let (name, driver) = (name?, driver?);
    let given = section.take_rest();
    let settings = settings(&given, &driver, &data_dir.join(&name));
    match abaca_drivers::check(&driver, &settings) {
        Ok(()) => show_own_keys(&mut section, &driver, &settings, &given),
        Err(error) => refuse(&mut section, origin, &given, &error),
    }
    let good = section.problem_count() == before;
    let (shown, _) = section.finish("[[backend]]", "A storage backend; one table for each.");
    let backend = BackendConfig {
        name,
        driver,
        availability_zone,
        driver_handles_share_servers,
        replication_domain,
        filter_function,
        goodness_function,
        settings,
    };
    good.then_some((backend, shown))
}

const NAME_HELP: &str = "Name of the backend, the second part of host@backend#pool. Shares know \
                         their backend by it: keep it.";

const FILTER_HELP: &str = "Which shares it takes, beside those that fit: an expression such as \
                           (share.size < 500) and (stats.provisioned_capacity_gb < 9000). One \
                           without a value takes none.";

const GOODNESS_HELP: &str = "How good a place it is, an expression from 0 to 100 such as \
                             share.size < 100 ? 80 : 20. Without it, or without a value, 0.";

/// Only what can be read is taken, so that a slip of the pen does not empty the backend.
fn function(section: &mut Section<'_>, key: &'static str, help: &'static str) -> Option<String> {
    let text: String = section.optional(key, help)?;
    if let Err(error) = text.parse::<Function>() {
        section.refuse(key, error.to_string());
    }
    Some(text)
}

fn check_name(section: &mut Section<'_>, name: &str, others: &[BackendConfig]) {
    let good = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if !name.chars().all(good) || name.len() > 200 {
        section
            .refuse("name", format!("{name:?} is not a name; expected letters, digits, -, _, ."));
    }
    if others.iter().any(|other| other.name == name) {
        section.refuse("name", format!("there is already a backend named {name:?}"));
    }
}

/// The driver's own settings. The directory backend's place is in the data directory by default.
fn settings(given: &Table, driver: &str, default_root: &Path) -> Settings {
    let value = |raw: &Raw| match raw {
        Raw::Typed(value) => value.clone(),
        Raw::Text(text) => json_from_text(text),
    };
    let mut settings: Settings =
        given.iter().map(|(key, given)| (key.clone(), value(&given.raw))).collect();
    if driver == DEFAULT_BACKEND {
        let root = || Value::from(default_root.to_string_lossy());
        settings.entry(DIRECTORY_ROOT).or_insert_with(root);
    }
    settings
}

fn show_own_keys(section: &mut Section<'_>, driver: &str, settings: &Settings, given: &Table) {
    let drivers = abaca_drivers::drivers().iter();
    for key in drivers.filter(|known| known.name == driver).flat_map(|known| known.keys) {
        let value = match (settings.get(key.name), key.default) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => json_from_text(default),
            (None, None) => Value::Null,
        };
        let origin = given.get(key.name).map_or(Origin::Default, |given| given.origin.clone());
        section.show(Shown { key: key.name, help: key.help, value, origin });
    }
}

/// Notes what the driver says of its settings, at the line of the key it names.
fn refuse(section: &mut Section<'_>, backend: &Origin, given: &Table, error: &SettingsError) {
    let key = error.key();
    let top = key.split(['.', '[']).next().unwrap_or(key);
    let origin = match given.get(top) {
        Some(given) => given.origin.clone(),
        None if top == "driver" => section.origin(top),
        None => backend.clone(),
    };
    let text = error.to_string();
    let what = text.strip_prefix(key).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&text);
    section.refuse_at(origin, key, what);
}
