//! `[identity]`: how the service tells who is calling.

use std::path::PathBuf;
use std::time::Duration;

use super::secret::Secret;
use super::section::Section;
use super::setting::{HttpUrl, Setting, Strategy};

/// `[identity]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityConfig {
    /// Which way.
    pub strategy: Strategy,
    /// There with [`Strategy::Keystone`] only.
    pub keystone: Option<KeystoneConfig>,
}

/// How to reach Keystone, and how far to believe what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeystoneConfig {
    /// Where Keystone is; `/v3` may be missing.
    pub auth_url: HttpUrl,
    /// What clients without a good token are told to ask for one.
    pub www_authenticate_uri: Option<HttpUrl>,
    /// Who the service itself is.
    pub login: Login,
    /// Certificates (PEM) that vouch for Keystone's; the system's when none.
    pub cafile: Option<PathBuf>,
    /// The proxy on the way to Keystone.
    pub proxy: Option<HttpUrl>,
    /// Longest time to get an answer from Keystone, all tries together.
    pub timeout: Duration,
    /// How long a token that Keystone vouched for is believed.
    pub cache: Duration,
    /// Roles of which a service token must have one.
    pub service_token_roles: Vec<String>,
}

/// The service's own credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// A user, in a project.
    Password {
        /// The user's name.
        username: String,
        /// The user's password.
        password: Secret,
        /// The name of the project.
        project_name: String,
        /// The name of the user's domain.
        user_domain_name: String,
        /// The name of the project's domain.
        project_domain_name: String,
    },
    /// An application credential, which knows its user and project.
    ApplicationCredential {
        /// Its id.
        id: String,
        /// Its secret.
        secret: Secret,
    },
}

impl IdentityConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let strategy = section.value(
            "strategy",
            Strategy::NoAuth,
            "\"noauth\": trust whoever reaches the service, which then listens on loopback only; \
             no token means an administrator, a token is user:project[:role,role]. \"keystone\": \
             tokens of OpenStack's identity service.",
        );
        let keystone = KeystoneConfig::read(section, strategy == Strategy::Keystone);
        Self { strategy, keystone }
    }
}

impl KeystoneConfig {
    /// Reads the keys, also when they are not `needed`, so that they are checked and shown.
    fn read(section: &mut Section<'_>, needed: bool) -> Option<Self> {
        let auth_url: Option<HttpUrl> = section.optional(
            "auth_url",
            "Keystone's address for this service, https://HOST:5000/v3. Must be set for \
             \"keystone\".",
        );
        let www_authenticate_uri = section.optional(
            "www_authenticate_uri",
            "Keystone's address for clients, told to those who come without a good token; auth_url \
             when not set.",
        );
        let login = Login::read(section, needed);
        let rest = (
            section.optional(
                "cafile",
                "File of certificates (PEM) that vouch for Keystone's; the system's when not set.",
            ),
            section.optional("proxy", "HTTP proxy on the way to Keystone; none when not set."),
            section.value(
                "timeout_seconds",
                Duration::from_secs(10),
                "Longest time to get an answer from Keystone in seconds, all tries together.",
            ),
            section.value(
                "cache_seconds",
                Duration::from_secs(60),
                "How long a validated token is believed, in seconds; also the longest time for \
                 which a revoked one is still accepted.",
            ),
            section.value(
                "service_token_roles",
                vec!["service".to_owned()],
                "A token sent as X-Service-Token must have one of these roles.",
            ),
        );
        if !needed {
            return None;
        }
        missing(section, "auth_url", auth_url.is_none(), HttpUrl::EXPECTED);
        let (cafile, proxy, timeout, cache, service_token_roles) = rest;
        Some(Self {
            auth_url: auth_url?,
            www_authenticate_uri,
            login: login?,
            cafile,
            proxy,
            timeout,
            cache,
            service_token_roles,
        })
    }
}

impl Login {
    fn read(section: &mut Section<'_>, needed: bool) -> Option<Self> {
        let default_domain = || "Default".to_owned();
        let username = section.value("username", "abaca".to_owned(), "The service's own user.");
        let password: Option<Secret> = section.optional("password", "The service user's password.");
        let project_name =
            section.value("project_name", "service".to_owned(), "The service user's project.");
        let user_domain_name =
            section.value("user_domain_name", default_domain(), "The domain of the service user.");
        let project_domain_name = section.value(
            "project_domain_name",
            default_domain(),
            "The domain of the service user's project.",
        );
        let id: Option<String> = section.optional(
            "application_credential_id",
            "An application credential of the service user, instead of its name and password.",
        );
        let secret: Option<Secret> = section
            .optional("application_credential_secret", "The application credential's secret.");
        if !needed {
            return None;
        }
        if id.is_none() && secret.is_none() {
            missing(section, "password", password.is_none(), Secret::EXPECTED);
            let password = password?;
            return Some(Self::Password {
                username,
                password,
                project_name,
                user_domain_name,
                project_domain_name,
            });
        }
        if password.is_some() {
            section.refuse(
                "password",
                "stands beside an application credential; expected one of both",
            );
        }
        missing(section, "application_credential_id", id.is_none(), String::EXPECTED);
        missing(section, "application_credential_secret", secret.is_none(), Secret::EXPECTED);
        Some(Self::ApplicationCredential { id: id?, secret: secret? })
    }
}

/// Notes, where the strategy was chosen, that a key it needs is missing. A key that was given but is
/// no good has had its own word.
fn missing(section: &mut Section<'_>, key: &'static str, is_missing: bool, expected: &str) {
    if is_missing && !section.is_bad(key) {
        let what = format!("missing; identity.strategy \"keystone\" needs {expected}");
        section.refuse_at(section.origin("strategy"), key, what);
    }
}
