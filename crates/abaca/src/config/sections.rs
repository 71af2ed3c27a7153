//! The sections of the config file but `[[backend]]`: their keys, defaults and help.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::secret::DatabaseUrl;
use super::section::Section;
use super::setting::{HttpUrl, LogFormat, LogLevel};

/// A service without a sign of life for this long counts as down, as in the reference.
pub const DOWN_AFTER: Duration = Duration::from_secs(60);

/// `[api]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiConfig {
    /// Address of the API.
    pub listen: SocketAddr,
    /// Where clients reach the API, `/v2` left out.
    pub public_url: Option<HttpUrl>,
    /// Largest request body in bytes.
    pub max_body_bytes: u32,
    /// Longest time for a request.
    pub request_timeout: Duration,
    /// Largest page of a list, in items.
    pub max_limit: u32,
    /// Name of the share type for requests that name none.
    pub default_share_type: String,
    /// Name of the share group type for requests that name none.
    pub default_share_group_type: Option<String>,
    /// A tenant's deletion frees its quota at once, whatever becomes of it.
    pub deferred_deletion: bool,
    /// How long a share stays in the recycle bin.
    pub soft_deleted_share_retention: Duration,
    /// The prefix of mount point names, unless the share type has another.
    pub default_mount_point_prefix: String,
    /// Names in the metadata of shares that only administrators may set.
    pub admin_only_metadata: Vec<String>,
    /// The same for export locations.
    pub admin_only_export_location_metadata: Vec<String>,
}

impl ApiConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 8786));
        let config = Self {
            listen: section.value(
                "listen",
                listen,
                "Address and port of the API; port 0 takes a free one. The noauth identity takes \
                 loopback only.",
            ),
            public_url: section.optional(
                "public_url",
                "Where clients reach the API, without /v2, for the links in answers: \
                 https://HOST:PORT/PATH. Set it when a proxy is before the service. When not set, \
                 links have http and the host that the request names.",
            ),
            max_body_bytes: section.count(
                "max_body_bytes",
                114_688,
                "Largest request body in bytes; a larger one is answered 413.",
            ),
            request_timeout: section.value(
                "request_timeout",
                Duration::from_secs(60),
                "Longest time for a request in seconds, reading its body included.",
            ),
            max_limit: section.count("max_limit", 1000, "Largest page of a list, in items."),
            default_share_type: section.value(
                "default_share_type",
                "default".to_owned(),
                "Share type of shares that are created without one. Made at the first start, \
                 public, when there is no share type at all.",
            ),
            default_share_group_type: section.optional(
                "default_share_group_type",
                "Share group type that is shown as the default one. None unless named.",
            ),
            deferred_deletion: section.value(
                "deferred_deletion",
                false,
                "Whether shares and snapshots that are deleted vanish for their tenants and count \
                 against no quota from the request on. The backend then deletes them as soon as \
                 it can, and is asked until it has.",
            ),
            soft_deleted_share_retention: section.value(
                "soft_deleted_share_retention_seconds",
                Duration::from_secs(7 * 24 * 60 * 60),
                "How long a share stays in the recycle bin before it is deleted, in seconds. \
                 Counts for shares that are put there from now on.",
            ),
            default_mount_point_prefix: section.value(
                "default_mount_point_prefix",
                "{project_id}_".to_owned(),
                "What mount point names begin with when the share type says nothing of it \
                 (provisioning:mount_point_prefix). {project_id} and {user_id} are the caller's.",
            ),
            admin_only_metadata: section.value(
                "admin_only_metadata",
                ["__affinity_same_host", "__affinity_different_host", "__managed_at"]
                    .map(str::to_owned)
                    .into(),
                "Names in the metadata of shares that only administrators set, change and remove.",
            ),
            admin_only_export_location_metadata: section.value(
                "admin_only_export_location_metadata",
                vec!["preferred".to_owned()],
                "Names in the metadata of export locations that only administrators set, change \
                 and remove.",
            ),
        };
        let ends_in_a_version = |url: &HttpUrl| url.as_str().ends_with("/v2");
        if config.public_url.as_ref().is_some_and(ends_in_a_version) {
            section.refuse("public_url", "/v2 comes behind it by itself; leave it out");
        }
        let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '{' | '}');
        if !config.default_mount_point_prefix.chars().all(is_fine) {
            section.refuse(
                "default_mount_point_prefix",
                "a name to mount by has letters, digits, _ and - only",
            );
        }
        config
    }
}

/// `[database]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// Which database.
    pub url: DatabaseUrl,
    /// Most connections at once.
    pub pool_size: u32,
}

impl DatabaseConfig {
    pub(super) fn read(section: &mut Section<'_>, data_dir: &Path) -> Self {
        Self {
            url: section.value(
                "url",
                DatabaseUrl::sqlite(&data_dir.join("abaca.db")),
                "sqlite:PATH, postgres://USER:PASSWORD@HOST/NAME or \
                 mysql://USER:PASSWORD@HOST/NAME (MariaDB too).",
            ),
            pool_size: section.count(
                "pool_size",
                8,
                "Most database connections of each process at once.",
            ),
        }
    }
}

/// `[policy]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyConfig {
    /// The operator's rules.
    pub file: Option<PathBuf>,
    /// Directories of further rules, in order.
    pub dirs: Vec<PathBuf>,
}

impl PolicyConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            file: section.optional(
                "file",
                "Rules that replace the built-in defaults, by name: policy.yaml or policy.json. \
                 Read again when it changes.",
            ),
            dirs: section.value(
                "dirs",
                Vec::new(),
                "Directories of further rule files, read after `file` in the order of their names.",
            ),
        }
    }
}

/// `[worker]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerConfig {
    /// The first part of `host@backend#pool`.
    pub host: String,
    /// Most operations at once for each backend.
    pub concurrency: u32,
    /// Most long copies at once for each backend, beside those.
    pub copy_concurrency: u32,
    /// The longest time for a change in a backend.
    pub driver_call_deadline: Duration,
    /// How long an operation stays claimed without a sign of life.
    pub lease: Duration,
    /// How often the queue is looked at without a nudge.
    pub poll_interval: Duration,
    /// How often the rows are compared with what the backends hold.
    pub reconcile_interval: Duration,
    /// How often replicas are brought up to date.
    pub replica_update_interval: Duration,
    /// How often the backends are asked for their capacity.
    pub stats_interval: Duration,
    /// How long a user message is kept.
    pub message_ttl: Duration,
    /// The longest wait between two attempts at a deferred deletion.
    pub deferred_deletion_interval: Duration,
}

impl WorkerConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let config = Self {
            host: section.value(
                "host",
                host_name(),
                "First part of host@backend#pool, by which shares know their backend. Keep it \
                 when the service moves to another machine or container.",
            ),
            concurrency: section.count(
                "concurrency",
                8,
                "Most operations carried out at once for each backend. What hangs at one takes no \
                 place of another's.",
            ),
            copy_concurrency: section.count(
                "copy_concurrency",
                4,
                "Most migrations, and creations and updates of replicas, at once for each backend, \
                 beside those: they may take hours.",
            ),
            driver_call_deadline: section.value(
                "driver_call_deadline",
                Duration::from_secs(30 * 60),
                "Longest time in seconds that a backend has for a call; then the operation goes \
                 back into the queue and asks again. Looks have half a minute; what copies or \
                 measures whole shares has as long as it takes.",
            ),
            lease: section.value(
                "lease_seconds",
                Duration::from_secs(30),
                "Seconds after which another worker takes over the operation of one that gives no \
                 sign of life.",
            ),
            poll_interval: section.value(
                "poll_interval",
                Duration::from_secs(2),
                "Seconds between looks at the queue for operations that other processes accepted; \
                 those of the same process start at once.",
            ),
            reconcile_interval: section.value(
                "reconcile_interval",
                Duration::from_secs(300),
                "Seconds between comparisons of the rows with what the backends hold.",
            ),
            replica_update_interval: section.value(
                "replica_update_interval",
                Duration::from_secs(300),
                "Seconds between updates of the replicas that follow an active one.",
            ),
            stats_interval: section.value(
                "stats_interval",
                Duration::from_secs(30),
                "Seconds between looks at the backends' capacity, which are the services' signs of \
                 life too: at most 30, since one that gives none for a minute counts as down.",
            ),
            message_ttl: section.value(
                "message_ttl",
                Duration::from_secs(30 * 24 * 60 * 60),
                "Seconds for which the messages of failed operations are kept.",
            ),
            deferred_deletion_interval: section.value(
                "deferred_deletion_interval",
                Duration::from_secs(300),
                "Longest time in seconds between two attempts at a deferred deletion that fails.",
            ),
        };
        if config.host.contains(['@', '#', '/']) || config.host.chars().any(char::is_whitespace) {
            section.refuse("host", "a host name has none of @, #, / and no blanks");
        }
        if config.stats_interval > DOWN_AFTER / 2 {
            section.refuse("stats_interval", "expected at most 30 seconds");
        }
        config
    }
}

fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// `[metrics]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsConfig {
    /// An address of their own.
    pub listen: Option<SocketAddr>,
}

impl MetricsConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            listen: section.optional(
                "listen",
                "Address and port for GET /metrics alone. When not set, the API's own address \
                 answers it if that is loopback, and nobody if it is not.",
            ),
        }
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Which lines.
    pub level: LogLevel,
    /// In which form.
    pub format: LogFormat,
}

impl LogConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            level: section.value(
                "level",
                LogLevel::info(),
                "off, error, warn, info, debug or trace; MODULE=LEVEL after a comma for one module.",
            ),
            format: section.value(
                "format",
                LogFormat::Text,
                "\"text\" for people, \"json\" for machines: one object a line.",
            ),
        }
    }
}

impl Section<'_> {
    /// A whole number of 1 or more.
    fn count(&mut self, key: &'static str, default: u32, help: &'static str) -> u32 {
        let default = NonZeroU32::new(default).unwrap_or(NonZeroU32::MIN);
        self.value(key, default, help).get()
    }
}
