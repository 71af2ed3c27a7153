//! Reads a section key by key. Each read declares the key, its default and its help in one line,
//! so that what is accepted, what is shown and what is explained can't drift apart.

use serde_json::Value;

use super::error::{Origin, Problem};
use super::setting::Setting;
use super::source::{Given, Raw, Table};

/// A key as it was read, to be shown.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) key: &'static str,
    pub(super) help: &'static str,
    /// The value in effect, secrets hidden; null when it is not set.
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// A section as it was read, to be shown.
#[derive(Clone, Debug)]
pub(super) struct ShownSection {
    /// `[api]`, `[[backend]]`, or empty for the keys above the first section.
    pub(super) header: &'static str,
    pub(super) help: &'static str,
    pub(super) keys: Vec<Shown>,
}

/// The reader of one section.
pub(super) struct Section<'a> {
    name: &'a str,
    given: Table,
    problems: &'a mut Vec<Problem>,
    shown: Vec<Shown>,
}

impl<'a> Section<'a> {
    /// `name` is what error messages put before the key: `api`.
    pub(super) fn new(name: &'a str, given: Table, problems: &'a mut Vec<Problem>) -> Self {
        Self { name, given, problems, shown: Vec::new() }
    }

    /// A key with a default. A bad value is noted, and the default stands in for it.
    pub(super) fn value<T: Setting>(
        &mut self,
        key: &'static str,
        default: T,
        help: &'static str,
    ) -> T {
        let (value, origin) = match self.read(key) {
            Some((value, origin)) => (value, origin),
            None => (default, Origin::Default),
        };
        self.shown.push(Shown { key, help, value: value.to_json(), origin });
        value
    }

    /// A key that need not be set.
    pub(super) fn optional<T: Setting>(
        &mut self,
        key: &'static str,
        help: &'static str,
    ) -> Option<T> {
        let read = self.read::<T>(key);
        let (value, origin) = match &read {
            Some((value, origin)) => (value.to_json(), origin.clone()),
            None => (Value::Null, Origin::Default),
        };
        self.shown.push(Shown { key, help, value, origin });
        read.map(|(value, _)| value)
    }

    /// A key that must be set; `table` is where it is missed.
    pub(super) fn required<T: Setting>(
        &mut self,
        key: &'static str,
        table: &Origin,
        help: &'static str,
    ) -> Option<T> {
        if !self.given.contains_key(key) {
            self.refuse_at(table.clone(), key, format!("missing; expected {}", T::EXPECTED));
        }
        self.optional(key, help)
    }

    /// Where the value in effect of an already read key stands.
    pub(super) fn origin(&self, key: &str) -> Origin {
        let shown = self.shown.iter().find(|shown| shown.key == key);
        shown.map_or(Origin::Default, |shown| shown.origin.clone())
    }

    /// Whether an already read key was given a value that is none.
    pub(super) fn is_bad(&self, key: &str) -> bool {
        let path = self.path(key);
        let bad =
            |problem: &Problem| matches!(problem, Problem::BadValue { key, .. } if *key == path);
        self.problems.iter().any(bad)
    }

    /// Notes that an already read key can't stand.
    pub(super) fn refuse(&mut self, key: &str, what: impl Into<String>) {
        self.refuse_at(self.origin(key), key, what);
    }

    /// Notes that a key can't stand, at a place of the caller's choice.
    pub(super) fn refuse_at(&mut self, origin: Origin, key: &str, what: impl Into<String>) {
        self.problems.push(Problem::Refused { origin, key: self.path(key), what: what.into() });
    }

    /// How many problems were noted, in this section or before it.
    pub(super) fn problem_count(&self) -> usize {
        self.problems.len()
    }

    /// The keys not read yet, for one who knows them.
    pub(super) fn take_rest(&mut self) -> Table {
        std::mem::take(&mut self.given)
    }

    /// Adds a key that its owner read.
    pub(super) fn show(&mut self, shown: Shown) {
        self.shown.push(shown);
    }

    /// Ends the section: what was read, and the keys that nobody asked for.
    pub(super) fn finish(self, header: &'static str, help: &'static str) -> (ShownSection, Table) {
        (ShownSection { header, help, keys: self.shown }, self.given)
    }

    fn read<T: Setting>(&mut self, key: &'static str) -> Option<(T, Origin)> {
        let Given { raw, origin } = self.given.remove(key)?;
        let value = match &raw {
            Raw::Typed(value) => T::from_json(value),
            Raw::Text(text) => T::from_text(text),
        };
        if value.is_none() {
            let value = match &raw {
                _ if T::SECRET => "not acceptable".to_owned(),
                raw => raw.to_string(),
            };
            let (key, expected) = (self.path(key), T::EXPECTED.to_owned());
            self.problems.push(Problem::BadValue { origin: origin.clone(), key, value, expected });
        }
        Some((value?, origin))
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}
