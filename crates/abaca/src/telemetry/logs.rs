//! Log lines on standard error. Every line of a request carries the request's span: its id, who
//! asked, and the resources it is about, as far as they are known by then.

use std::io::{self, IsTerminal};

use tracing::{Span, field};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use super::TelemetryError;
use crate::config::{LogConfig, LogFormat};
use crate::identity::Caller;

/// Sets up logging for the whole process, once.
///
/// # Errors
/// When it is set up already.
pub fn init(config: &LogConfig) -> Result<(), TelemetryError> {
    let colours = io::stderr().is_terminal();
    let subscriber = Registry::default().with(layer(config, colours, io::stderr)?);
    subscriber.try_init().map_err(|error| TelemetryError::Logs(error.into()))
}

fn layer<W>(
    config: &LogConfig,
    colours: bool,
    writer: W,
) -> Result<Box<dyn Layer<Registry> + Send + Sync>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level = config.level.directives().parse::<Targets>();
    let level = level.map_err(|error| TelemetryError::Logs(error.into()))?;
    let lines = fmt::layer().with_writer(writer).with_ansi(colours);
    Ok(match config.format {
        LogFormat::Text => lines.with_filter(level).boxed(),
        LogFormat::Json => {
            let json = lines.json().flatten_event(true).with_span_list(false);
            json.with_filter(level).boxed()
        }
    })
}

/// The span of one API request. [`caller`] and [`resource`] fill in what is known later.
#[must_use]
pub fn request_span(request_id: &str) -> Span {
    tracing::info_span!(
        "request",
        request_id,
        user_id = field::Empty,
        project_id = field::Empty,
        share_id = field::Empty,
        share_instance_id = field::Empty,
        snapshot_id = field::Empty,
        snapshot_instance_id = field::Empty,
        resource_id = field::Empty,
    )
}

/// Notes in the current request's span who is calling.
pub fn caller(caller: &Caller) {
    let span = Span::current();
    span.record("user_id", caller.user_id.as_str());
    if let Some(project) = &caller.project_id {
        span.record("project_id", project.as_str());
    }
}

/// Notes a resource in the current request's span. `field` is one of the span's: `share_id`,
/// `share_instance_id`, `snapshot_id`, `snapshot_instance_id`, `resource_id`; others are not kept.
pub fn resource(field: &str, id: &str) {
    Span::current().record(field, id);
}

/// Notes a value of the request's path: the `{id}` of `/snapshots/{id}` is a `snapshot_id`.
pub fn path_value(template: &str, name: &str, value: &str) {
    let field = match (name, template.split('/').nth(1)) {
        ("id", Some("shares")) => "share_id",
        ("id", Some("share_instances")) => "share_instance_id",
        ("id", Some("snapshots")) => "snapshot_id",
        ("id", Some("snapshot-instances")) => "snapshot_instance_id",
        ("id", _) => "resource_id",
        (name, _) => name,
    };
    resource(field, value);
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;
    use crate::config::{Config, Overrides};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written for `work` at this level and in this form.
    fn written(level: &str, format: &str, work: impl FnOnce()) -> String {
        let variables = [
            ("ABACA__LOG__LEVEL".into(), level.into()),
            ("ABACA__LOG__FORMAT".into(), format.into()),
            ("ABACA__BACKEND__SIM__DRIVER".into(), "simulated".into()),
        ];
        let config = Config::load_from(&Overrides::default(), variables).unwrap();
        let lines = Lines::default();
        let sink = lines.clone();
        let layer = layer(&config.log, false, move || sink.clone()).unwrap();
        tracing::subscriber::with_default(Registry::default().with(layer), work);
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    fn one_request() {
        let _entered = request_span("req-1").entered();
        let known = Caller {
            user_id: "alice".to_owned(),
            project_id: Some("proj".to_owned()),
            ..Caller::default()
        };
        caller(&known);
        path_value("/snapshot-instances/{id}/action", "id", "some-id");
        path_value("/share-types/{id}", "id", "a-type");
        resource("no such field", "x");
        tracing::info!(status = 200, "answered");
    }

    #[test]
    fn json_lines_carry_the_request() {
        let line: Value = serde_json::from_str(&written("info", "json", one_request)).unwrap();
        assert_eq!(line["message"], "answered");
        assert_eq!(line["status"], 200);
        assert_eq!(line["level"], "INFO");
        let span = &line["span"];
        assert_eq!(span["request_id"], "req-1");
        assert_eq!((&span["user_id"], &span["project_id"]), (&"alice".into(), &"proj".into()));
        assert_eq!(span["snapshot_instance_id"], "some-id");
        assert_eq!(span["resource_id"], "a-type");
        assert!(span.get("share_id").is_none());
    }

    #[test]
    fn text_lines_carry_the_request() {
        let line = written("info", "text", one_request);
        for part in ["req-1", "alice", "proj", "some-id", "answered", "status=200"] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert!(!line.contains('\u{1b}'), "no colours in a file: {line}");
    }

    #[test]
    fn the_level_chooses_lines_by_module() {
        let work = || {
            tracing::info!("general");
            tracing::debug!(target: "abaca::engine::runner", "engine");
        };
        let text = written("warn,abaca::engine=debug", "text", work);
        assert!(text.contains("engine") && !text.contains("general"), "{text}");
        assert_eq!(written("off", "text", work), "");
    }
}
