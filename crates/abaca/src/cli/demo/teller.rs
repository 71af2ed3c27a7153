//! Tells the demo's story on standard output: chapters, requests, answers, files.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use axum::http::Method;
use serde_json::{Map, Value};

use super::client::Answer;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const RESET: &str = "\x1b[0m";

/// A resource with more fields than this is shortened.
const MANY: usize = 12;
/// What is left of a shortened one.
const TELLING: [&str; 9] = [
    "id",
    "name",
    "status",
    "size",
    "share_proto",
    "share_type_name",
    "host",
    "share_id",
    "created_at",
];

/// Writes the story, in colours on a terminal.
pub(super) struct Teller {
    colours: bool,
    chapter: u32,
}

impl Teller {
    pub(super) fn new(colours: bool) -> Self {
        Self { colours, chapter: 0 }
    }

    /// A sentence.
    pub(super) fn say(&self, text: &str) -> io::Result<()> {
        self.write(&format!("{text}\n"))
    }

    /// A heading.
    pub(super) fn chapter(&mut self, title: &str) -> io::Result<()> {
        self.chapter += 1;
        let title = self.paint(BOLD, &format!("{}. {title}", self.chapter));
        self.write(&format!("\n{title}\n"))
    }

    /// A request that goes out.
    pub(super) fn request(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> io::Result<()> {
        let line = self.paint(BOLD, &format!("{method} /v2{path}"));
        let mut text = format!("\n  > {line}\n");
        if let Some(body) = body {
            text.push_str(&format!("  > {body}\n"));
        }
        self.write(&text)
    }

    /// The answer that came back.
    pub(super) fn answer(&self, answer: &Answer) -> io::Result<()> {
        let colour = if answer.status.is_success() { GREEN } else { RED };
        let mut text = format!("  < {}\n", self.paint(colour, &answer.status.to_string()));
        if !answer.body.is_null() {
            let mut left_out = 0;
            for line in format!("{:#}", shortened(&answer.body, &mut left_out)).lines() {
                text.push_str(&format!("  < {line}\n"));
            }
            if left_out > 0 {
                let note = format!("  ({left_out} more fields)");
                text.push_str(&format!("{}\n", self.paint(DIM, &note)));
            }
        }
        self.write(&text)
    }

    /// A file that is written or read.
    pub(super) fn file(&self, what: &str, path: &Path, content: &str) -> io::Result<()> {
        let what = self.paint(BOLD, what);
        let content = self.paint(GREEN, content.trim_end());
        self.write(&format!("\n  {what} {}\n    {content}\n", path.display()))
    }

    /// The last line.
    pub(super) fn end(&self, elapsed: Duration) -> io::Result<()> {
        let text = format!(
            "\nDone in {:.1} seconds; the service is stopped and its directory removed.\n\
             Next: abaca serve",
            elapsed.as_secs_f64()
        );
        self.say(&self.paint(DIM, &text))
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("{colour}{text}{RESET}") } else { text.to_owned() }
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

/// The body with its large resources cut down to the telling fields; counts those left out.
fn shortened(body: &Value, left_out: &mut usize) -> Value {
    match body {
        Value::Array(items) => items.iter().map(|item| shortened(item, left_out)).collect(),
        Value::Object(fields) if fields.len() > MANY => {
            let kept: Map<String, Value> = TELLING
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), fields.get(*name)?.clone())))
                .collect();
            *left_out += fields.len() - kept.len();
            Value::Object(kept)
        }
        Value::Object(fields) => {
            let fields = fields.iter();
            fields.map(|(name, value)| (name.clone(), shortened(value, left_out))).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_large_resources_are_shortened() {
        let mut left_out = 0;
        let small = json!({"snapshot_instances": [{"id": "i", "status": "available"}]});
        assert_eq!(shortened(&small, &mut left_out), small);
        assert_eq!(left_out, 0);
        let fields = (0..20).map(|number| (format!("f{number}"), json!(number)));
        let mut large: Map<String, Value> = fields.collect();
        large.insert("status".to_owned(), json!("available"));
        let short = shortened(&json!({"share": large}), &mut left_out);
        assert_eq!(short, json!({"share": {"status": "available"}}));
        assert_eq!(left_out, 20);
    }
}
