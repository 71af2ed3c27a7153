use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use abaca_model::quota::{Limit, Resource};
use serde_json::json;

use super::*;

const HOME: [(&str, &str); 2] = [("HOME", "/home/user"), ("PATH", "/bin")];

/// Loads a file with this text; `Err` is the message, the file's path shortened.
fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("abaca.toml");
    std::fs::write(&path, text).unwrap();
    let overrides = Overrides { file: Some(path), ..Overrides::default() };
    load_with(&overrides, environment)
        .map_err(|error| error.replace(directory.path().to_str().unwrap(), ""))
}

fn load_with(overrides: &Overrides, environment: &[(&str, &str)]) -> Result<Config, String> {
    let variables = HOME.iter().chain(environment);
    let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Config::load_from(overrides, variables).map_err(|error| error.to_string())
}

fn defaults(environment: &[(&str, &str)]) -> Result<Config, String> {
    load_with(&Overrides::default(), environment)
}

#[test]
fn no_file_is_needed() {
    let config = defaults(&[]).unwrap();
    assert_eq!(config.data_dir, Path::new("/home/user/.local/share/abaca"));
    assert_eq!(config.api.listen, "127.0.0.1:8786".parse().unwrap());
    assert_eq!(config.api.max_limit, 1000);
    assert_eq!(config.api.default_share_type, "default");
    assert_eq!(config.database.url.reveal(), "sqlite:/home/user/.local/share/abaca/abaca.db");
    assert_eq!(config.identity.strategy, Strategy::NoAuth);
    assert_eq!(config.quota[&Resource::Shares], Limit::AtMost(50));
    assert_eq!(config.quota[&Resource::PerShareGigabytes], Limit::Unlimited);
    assert_eq!(config.metrics.listen, None);
    let [backend] = config.backends.as_slice() else { panic!("{:?}", config.backends) };
    assert_eq!((backend.name.as_str(), backend.driver.as_str()), ("directory", "directory"));
    assert_eq!(backend.availability_zone, "nova");
    assert_eq!(backend.settings["root"], "/home/user/.local/share/abaca/directory");
    assert!(!backend.driver_handles_share_servers);
}

#[test]
fn the_data_directory_follows_the_environment() {
    let xdg = defaults(&[("XDG_DATA_HOME", "/data")]).unwrap();
    assert_eq!(xdg.data_dir, Path::new("/data/abaca"));
    let relative = defaults(&[("XDG_DATA_HOME", "data")]).unwrap();
    assert_eq!(relative.data_dir, Path::new("/home/user/.local/share/abaca"));
    let none = Config::load_from(&Overrides::default(), []).unwrap();
    assert_eq!(none.data_dir, Path::new("/var/lib/abaca"));
}

#[test]
fn later_sources_win_and_paths_follow_the_data_directory() {
    let text = "data_dir = '/file'\n[api]\nlisten = '127.0.0.1:1'\nmax_limit = 7\n";
    let environment = [("ABACA__DATA_DIR", "/env"), ("ABACA__API__MAX_LIMIT", "8")];
    let config = load(text, &environment).unwrap();
    assert_eq!((config.data_dir.to_str(), config.api.max_limit), (Some("/env"), 8));
    assert_eq!(config.api.listen.port(), 1);
    assert_eq!(config.database.url.reveal(), "sqlite:/env/abaca.db");

    let overrides = Overrides {
        data_dir: Some("/flag".to_owned()),
        listen: Some("[::1]:0".to_owned()),
        ..Overrides::default()
    };
    let config = load_with(&overrides, &environment).unwrap();
    assert_eq!(config.data_dir, Path::new("/flag"));
    assert_eq!(config.api.listen.to_string(), "[::1]:0");
    assert_eq!(config.backends[0].settings["root"], "/flag/directory");
}

const FULL: &str = r#"
data_dir = "/srv/abaca"

[api]
listen = "[::1]:8786"
public_url = "https://cloud.example/share"
max_body_bytes = 1048576
request_timeout = 2.5

[database]
url = "postgres://abaca:s3cret@db/abaca?sslmode=require&sslpassword=s3cret"
pool_size = 20

[identity]
strategy = "keystone"
auth_url = "https://keystone.example:5000"
username = "manila"
password = "s3cret"

[policy]
file = "/etc/abaca/policy.yaml"
dirs = ["/etc/abaca/policy.d"]

[quota]
shares = -1

[worker]
host = "storage-1"

[metrics]
listen = "0.0.0.0:9786"

[log]
level = "warn,abaca::engine=debug"
format = "json"

[[backend]]
name = "fast"
driver = "directory"
root = "/mnt/fast"
availability_zone = "az-1"

[[backend]]
name = "fake-1"
driver = "simulated"
driver_handles_share_servers = true
replication_domain = "fakes"
"#;

#[test]
fn every_section_of_a_file_is_read() {
    let config = load(FULL, &[]).unwrap();
    assert_eq!(config.api.request_timeout, Duration::from_millis(2500));
    let keystone = config.identity.keystone.unwrap();
    assert_eq!(keystone.auth_url.as_str(), "https://keystone.example:5000");
    assert_eq!(config.policy.dirs, [PathBuf::from("/etc/abaca/policy.d")]);
    assert_eq!(config.quota[&Resource::Shares], Limit::Unlimited);
    assert_eq!(config.metrics.listen, Some("0.0.0.0:9786".parse().unwrap()));
    assert_eq!(config.log.level.directives(), "warn,abaca::engine=debug");
    assert_eq!(config.backends.len(), 2);
    assert_eq!(config.backends[0].settings["root"], "/mnt/fast");
    assert_eq!(config.backends[1].replication_domain.as_deref(), Some("fakes"));
}

#[test]
fn secrets_are_neither_shown_nor_debugged() {
    let config = load(FULL, &[]).unwrap();
    assert!(!config.to_commented_toml().contains("s3cret"));
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn the_environment_sets_every_key_of_the_sections() {
    let config = load(FULL, &[]).unwrap();
    for section in config.shown.iter().filter(|section| section.header != "[[backend]]") {
        for shown in section.keys.iter().filter(|shown| !shown.value.is_null()) {
            let section = section.header.trim_matches(['[', ']']);
            let key = [section, shown.key].join("__").trim_start_matches('_').to_uppercase();
            let text = match &shown.value {
                serde_json::Value::String(text) => text.replace("********", "x"),
                serde_json::Value::Array(items) => items[0].as_str().unwrap().to_owned(),
                other => other.to_string(),
            };
            let name = format!("ABACA__{key}");
            let set = load(FULL, &[(&name, &text)]).unwrap();
            let origin = Origin::Environment(name.clone());
            let mut all = set.shown.iter().flat_map(|section| &section.keys);
            assert!(all.any(|shown| shown.origin == origin), "{name}={text}");
        }
    }
}

#[test]
fn the_environment_sets_backends() {
    let environment = [
        ("ABACA__BACKEND__FAKE_1__AVAILABILITY_ZONE", "az-9"),
        ("ABACA__BACKEND__FAST__ROOT", "/mnt/other"),
        ("ABACA__BACKEND__EXTRA__DRIVER", "simulated"),
    ];
    let config = load(FULL, &environment).unwrap();
    let names: Vec<&str> = config.backends.iter().map(|backend| backend.name.as_str()).collect();
    assert_eq!(names, ["fast", "fake-1", "extra"]);
    assert_eq!(config.backends[1].availability_zone, "az-9");
    assert_eq!(config.backends[0].settings["root"], "/mnt/other");

    let default = defaults(&[("ABACA__BACKEND__DIRECTORY__ROOT", "/mnt/it")]).unwrap();
    assert_eq!(default.backends.len(), 1);
    assert_eq!(default.backends[0].settings["root"], "/mnt/it");

    let own = defaults(&[("ABACA__BACKEND__SIM__DRIVER", "simulated")]).unwrap();
    assert_eq!((own.backends.len(), own.backends[0].name.as_str()), (1, "sim"));
}

#[test]
fn shown_configuration_can_be_used_again() {
    let shown = load(FULL, &[]).unwrap().to_commented_toml().replace("********", "s3cret");
    let again = load(&shown, &[]).unwrap();
    assert_eq!(again.identity, load(FULL, &[]).unwrap().identity);
    assert_eq!(again.database.url.reveal(), load(FULL, &[]).unwrap().database.url.reveal());
    let values = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("# Set by"));
        lines.map(|line| line.replace("s3cret", "********") + "\n").collect::<String>()
    };
    assert_eq!(values(&again.to_commented_toml()), values(&shown));
}

#[test]
fn the_effective_configuration_explains_itself() {
    let text = "data_dir = '/srv/abaca'\n[worker]\nhost = 'h'\n[identity]\npassword = 'p'\n\
                [database]\nurl = 'mysql://u:p@h/n'\n";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("abaca.toml");
    std::fs::write(&path, text).unwrap();
    let overrides = Overrides { file: Some(path), ..Overrides::default() };
    let config = load_with(&overrides, &[("ABACA__LOG__LEVEL", "debug")]).unwrap();
    let shown = config.to_commented_toml().replace(directory.path().to_str().unwrap(), "");
    insta::assert_snapshot!(shown);
}

#[test]
fn the_public_url_is_checked_at_the_start() {
    let with = |url: &str| load(&format!("[api]\npublic_url = \"{url}\"\n"), &[]);
    for (given, taken) in [
        ("https://cloud.example", "https://cloud.example"),
        ("https://cloud.example:8443/share/", "https://cloud.example:8443/share"),
        ("http://[::1]:8786", "http://[::1]:8786"),
    ] {
        let config = with(given).unwrap();
        assert_eq!(config.api.public_url.unwrap().as_str(), taken);
    }
    for (given, what) in [
        ("cloud.example", "api.public_url"),
        ("ftp://cloud.example", "http://HOST:PORT/PATH or https://HOST:PORT/PATH"),
        ("https://u:s3cret@cloud.example", "without user, query and fragment"),
        ("https://cloud.example/?a=b", "without user, query and fragment"),
        ("https://cloud.example/share/v2/", "/v2 comes behind it by itself; leave it out"),
    ] {
        let error = with(given).unwrap_err();
        assert!(error.contains(what) && error.contains(":2: "), "{given}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

/// A service that looks at its backends more seldom would be down between two looks.
#[test]
fn signs_of_life_come_often_enough() {
    assert!(load("[worker]\nstats_interval = 30\n", &[]).is_ok());
    let error = load("[worker]\nstats_interval = 30.5\n", &[]).unwrap_err();
    assert!(error.contains("worker.stats_interval`: expected at most 30 seconds"), "{error}");
}

#[test]
fn everything_wrong_is_said_at_once_with_its_place() {
    let text = r#"
data_dri = "/srv"
[api]
lisen = "127.0.0.1:8786"
listen = "0.0.0.0:8786"
max_limit = 0
url = "sqlite:x"
[databse]
pool_size = 3
[empty]
[worker]
host = "a@b"
concurrency = "many"
[quota]
shares = -2
[log]
level = "inof"
format = 3
[identity]
strategy = "ldap"
password = 12345
[[backend]]
name = "one two"
driver = "directroy"
[[backend]]
driver = "directory"
[[backend]]
name = "a"
driver = "directory"
rooot = "/x"
[[backend]]
name = "a"
driver = "directory"
"#;
    let environment = [
        ("ABACA__API__REQUEST_TIMEOUT", "soon"),
        ("ABACA__DATABASE__URL", "oracle://u:s3cret@h"),
        ("ABACA__POLICY__FIEL", "/x"),
        ("ABACA__LOGLEVEL", "info"),
        ("ABACA__BACKEND__A__ROOT", "/y"),
    ];
    insta::assert_snapshot!(load(text, &environment).unwrap_err());
}

#[test]
fn one_problem_is_one_line() {
    let table = [
        ("[api]\nmax_limit = \"many\"", "/abaca.toml:2: `api.max_limit` is \"many\"; expected"),
        ("[api]\nrequest_timeout = nan", "`api.request_timeout` is null; expected a number of s"),
        ("[api]\nrequest_timeout = 0", "`api.request_timeout` is 0; expected a number of seconds"),
        ("api = 3", "/abaca.toml:1: `api` is 3; expected a section, [api], with keys"),
        ("[backend]\nname = 'x'", "`backend` is a TOML table; expected one [[backend]] table"),
        ("backend = ['x']", "`backend` is a TOML string; expected one [[backend]] table"),
        ("[log]\nlevel = '3'", "`log.level` is \"3\"; expected off, error"),
        ("[log]\nlevel = 'info,=debug'", "expected off, error"),
        (
            "[api]\ndefault_mount_point_prefix = 'a/'",
            "a name to mount by has letters, digits, _ and - only",
        ),
        ("[api]\nadmin_only_metadata = 'x'", "expected an array of strings"),
        ("[policy]\ndirs = '/x'", "`policy.dirs` is \"/x\"; expected an array of paths"),
        ("[[backend]]\nname = 'x'", "/abaca.toml:1: `backend.driver`: missing; expected a string"),
        (
            "[[backend]]\nname = 'x'\ndriver = 'simulated'\nfilter_function = 'share.size <'",
            "/abaca.toml:4: `backend.filter_function`: at character 13: expected an operand, found",
        ),
        (
            "[[backend]]\nname = 'x'\ndriver = 'simulated'\ngoodness_function = 'sqrt(4)'",
            "`backend.goodness_function`: there is no function \"sqrt\"",
        ),
    ];
    for (text, expected) in table {
        let message = load(text, &[]).unwrap_err();
        assert!(message.contains(expected), "{text}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn nearest_keys_are_found_within_and_beyond_the_section() {
    let table = [
        ("[api]\nlisten_address = 'x'", "api.listen"),
        ("[api]\npool_size = 1", "database.pool_size"),
        ("[log]\nfromat = 'text'", "log.format"),
        ("[identity]\ncache_second = 1", "identity.cache_seconds"),
        ("[idenity]", "[identity]"),
        ("max_limit = 1", "api.max_limit"),
    ];
    for (text, nearest) in table {
        let message = load(text, &[]).unwrap_err();
        let expected = format!("did you mean `{nearest}`?");
        assert!(message.ends_with(&expected), "{message}");
    }
}

#[test]
fn files_that_are_absent_or_no_toml() {
    let overrides = Overrides { file: Some("/nowhere/abaca.toml".into()), ..Overrides::default() };
    let absent = load_with(&overrides, &[]).unwrap_err();
    assert_eq!(absent, "the config file /nowhere/abaca.toml can't be read");
    let syntax = load("[api]\nlisten = ", &[]).unwrap_err();
    assert!(syntax.starts_with("/abaca.toml:2:"), "{syntax}");
    let twice = load("[api]\nmax_limit = 1\nmax_limit = 2\n", &[]).unwrap_err();
    assert!(twice.starts_with("/abaca.toml:3:1: the config file is not valid TOML"), "{twice}");
}

#[test]
fn noauth_stays_on_loopback() {
    for (listen, good) in [
        ("127.3.2.1:0", true),
        ("[::1]:80", true),
        ("[::ffff:127.0.0.1]:80", true),
        ("0.0.0.0:80", false),
        ("[::]:80", false),
        ("10.0.0.1:80", false),
    ] {
        let overrides = Overrides { listen: Some(listen.to_owned()), ..Overrides::default() };
        let loaded = load_with(&overrides, &[]);
        assert_eq!(loaded.is_ok(), good, "{listen}: {loaded:?}");
        if let Err(message) = loaded {
            assert!(message.contains("option --listen: `api.listen`"), "{message}");
        }
        let keystone = [
            ("ABACA__IDENTITY__STRATEGY", "keystone"),
            ("ABACA__IDENTITY__AUTH_URL", "https://keystone.example:5000/v3"),
            ("ABACA__IDENTITY__PASSWORD", "s3cret"),
        ];
        assert!(load_with(&overrides, &keystone).is_ok(), "{listen}");
    }
}

#[test]
fn keystone_needs_its_address_and_one_login() {
    let read = |text: &str| load(&format!("[identity]\nstrategy = 'keystone'\n{text}"), &[]);
    let url = "auth_url = 'https://k.example:5000/v3/'\n";
    let config = read(&format!("{url}password = 's3cret'")).unwrap();
    let keystone = config.identity.keystone.unwrap();
    assert_eq!(keystone.auth_url.as_str(), "https://k.example:5000/v3");
    let Login::Password { username, password, .. } = keystone.login else { panic!("{keystone:?}") };
    assert_eq!((username.as_str(), password.reveal()), ("abaca", "s3cret"));
    let credential = "application_credential_id = 'i'\napplication_credential_secret = 's3cret'\n";
    let config = read(&format!("{url}{credential}")).unwrap();
    let login = config.identity.keystone.unwrap().login;
    assert!(matches!(&login, Login::ApplicationCredential { id, .. } if id == "i"), "{login:?}");
    assert!(!format!("{login:?}").contains("s3cret"));

    let table = [
        ("", &["`identity.auth_url`: missing", "`identity.password`: missing"][..]),
        (url, &["`identity.password`: missing"]),
        (
            "auth_url = 'ldap://x'\npassword = 'p'\n",
            &["`identity.auth_url` is not acceptable; expected http://"],
        ),
        ("auth_url = 'http://u:p@x/'\npassword = 'p'\n", &["`identity.auth_url` is"]),
        (
            "application_credential_id = 'i'\n",
            &["`identity.application_credential_secret`: missing"],
        ),
        (&format!("{credential}password = 'p'\n"), &["`identity.password`: stands beside"]),
        ("service_token_roles = ['']\n", &["`identity.service_token_roles` is"]),
    ];
    for (text, expected) in table {
        let answer = read(text);
        let message = answer.as_ref().err().cloned().unwrap_or_default();
        for part in expected {
            assert!(message.contains(part), "{text}\n{message}");
        }
        assert!(!message.contains("u:p@x"), "{message}");
    }
}

#[test]
fn drivers_get_typed_values_from_file_and_environment() {
    let text = "[[backend]]\nname = 'a'\ndriver = 'directory'\nroot = '/x'\n";
    let config = load(text, &[("ABACA__BACKEND__A__ROOT", "/env")]).unwrap();
    assert_eq!(config.backends[0].settings["root"], json!("/env"));
    assert_eq!(source::json_from_text("3"), json!(3));
    assert_eq!(source::json_from_text("true"), json!(true));
    assert_eq!(source::json_from_text("{ a = [1, 2.5] }"), json!({"a": [1, 2.5]}));
    assert_eq!(source::json_from_text("plain text"), json!("plain text"));
}

#[test]
fn variables_that_are_no_text_are_refused() {
    use std::os::unix::ffi::OsStringExt;
    let bad = (OsString::from("ABACA__API__LISTEN"), OsString::from_vec(vec![0xff]));
    let message = Config::load_from(&Overrides::default(), [bad]).unwrap_err().to_string();
    assert!(message.contains("`api.listen`: the value is not valid UTF-8"), "{message}");
}
