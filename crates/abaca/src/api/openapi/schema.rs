//! JSON schemas (2020-12) that know the versions of the API: what a view writes, said once more for
//! those who read it.

use serde_json::{Map, Value, json};

use super::EXTENSION;
use crate::api::{V, Versions};

/// The shape of a JSON value, and the versions in which it is where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::api) struct Schema {
    json: Map<String, Value>,
    versions: Versions,
    /// It may be absent, also in a version that has it.
    optional: bool,
    /// What else stands under `x-openstack`.
    extension: Map<String, Value>,
}

impl Schema {
    fn new(json: &Value) -> Self {
        Self {
            json: json.as_object().cloned().unwrap_or_default(),
            versions: Versions::from(V::MIN..),
            optional: false,
            extension: Map::new(),
        }
    }

    fn of_type(name: &str) -> Self {
        Self::new(&json!({ "type": name }))
    }

    fn with(mut self, keyword: &str, value: impl Into<Value>) -> Self {
        self.json.insert(keyword.to_owned(), value.into());
        self
    }

    /// It came with this version.
    pub(in crate::api) fn since(mut self, first: V) -> Self {
        self.versions.first = first;
        self
    }

    /// This version is the last that has it.
    pub(in crate::api) fn until(mut self, last: V) -> Self {
        self.versions.last = last;
        self
    }

    /// It may be absent.
    pub(in crate::api) fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Only administrators see it.
    pub(in crate::api) fn for_administrators(mut self) -> Self {
        self.extension.insert("administrators-only".to_owned(), json!(true));
        self.optional()
    }

    /// More that only `x-openstack` has words for.
    pub(super) fn extended(mut self, extension: Map<String, Value>) -> Self {
        self.extension.extend(extension);
        self
    }

    /// Null in its place.
    pub(in crate::api) fn or_null(mut self) -> Self {
        let nullable = match self.json.get("type") {
            Some(Value::String(name)) if !self.json.contains_key("enum") => {
                json!([name, "null"])
            }
            _ => {
                let either = json!([self.json, { "type": "null" }]);
                self.json = Map::from_iter([("anyOf".to_owned(), either)]);
                return self;
            }
        };
        self.with("type", nullable)
    }

    /// What it means, where its name does not say it.
    pub(in crate::api) fn about(self, text: &str) -> Self {
        self.with("description", text)
    }

    /// Numbers not below this one.
    pub(in crate::api) fn from(self, least: i64) -> Self {
        self.with("minimum", least)
    }

    /// Numbers not above this one.
    pub(in crate::api) fn to(self, most: i64) -> Self {
        self.with("maximum", most)
    }

    /// Texts of at most so many characters.
    pub(in crate::api) fn up_to(self, characters: u32) -> Self {
        self.with("maxLength", characters)
    }

    /// Texts that this regular expression finds.
    pub(in crate::api) fn like(self, pattern: &str) -> Self {
        self.with("pattern", pattern)
    }

    /// This value and no other.
    pub(in crate::api) fn exactly(self, value: impl Into<Value>) -> Self {
        self.with("const", value)
    }

    /// Texts that are not empty.
    pub(in crate::api) fn not_empty(self) -> Self {
        self.with("minLength", 1)
    }

    /// Objects whose names are like this.
    pub(in crate::api) fn keyed_by(self, name: Schema) -> Self {
        self.with("propertyNames", name.into_json())
    }

    /// Objects that have this name.
    pub(in crate::api) fn needing(self, name: &str) -> Self {
        self.with("required", vec![name])
    }

    /// Objects with one name and its value.
    pub(in crate::api) fn of_one(self) -> Self {
        self.with("minProperties", 1).with("maxProperties", 1)
    }

    /// One of the document's definitions, which is written there once.
    pub(in crate::api) fn named(self, name: &str) -> Self {
        let definition = Value::Object(self.json.clone());
        let json = json!({ "$ref": super::definition_path(name), super::DEFINITION: definition });
        Self { json: Self::new(&json).json, ..self }
    }

    /// As it is written in the document.
    pub(super) fn into_json(self) -> Value {
        let mut extension = super::version_keys(self.versions);
        if self.optional && !extension.is_empty() {
            extension.insert("optional".to_owned(), json!(true));
        }
        extension.extend(self.extension);
        let mut json = self.json;
        if !extension.is_empty() {
            json.insert(EXTENSION.to_owned(), Value::Object(extension));
        }
        Value::Object(json)
    }

    /// Whether it is there whatever the version and the caller.
    pub(super) fn is_always_there(&self) -> bool {
        !self.optional && self.versions == Versions::from(V::MIN..)
    }
}

/// Any text.
pub(in crate::api) fn text() -> Schema {
    Schema::of_type("string")
}

/// An id that the service made.
pub(in crate::api) fn uuid() -> Schema {
    text().with("format", "uuid")
}

/// A time, in UTC, to the microsecond.
pub(in crate::api) fn time() -> Schema {
    let digits = r"^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$";
    text().like(digits).with("examples", json!(["2017-08-04T00:44:52.000000"]))
}

/// Any whole number.
pub(in crate::api) fn integer() -> Schema {
    Schema::of_type("integer")
}

/// Any number.
pub(in crate::api) fn number() -> Schema {
    Schema::of_type("number")
}

/// True or false.
pub(in crate::api) fn boolean() -> Schema {
    Schema::of_type("boolean")
}

/// Null: what would stand here belongs to a part of the API that is not there.
pub(in crate::api) fn null() -> Schema {
    Schema::of_type("null")
}

/// Anything at all.
pub(in crate::api) fn anything() -> Schema {
    Schema::new(&json!({}))
}

/// One of these words.
pub(in crate::api) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> Schema {
    let words: Vec<&str> = words.into_iter().collect();
    text().with("enum", words)
}

/// One of these shapes.
pub(in crate::api) fn any_of(shapes: impl IntoIterator<Item = Schema>) -> Schema {
    let shapes: Vec<Value> = shapes.into_iter().map(Schema::into_json).collect();
    Schema::new(&json!({ "anyOf": shapes }))
}

/// A list of things of one shape.
pub(in crate::api) fn list_of(item: Schema) -> Schema {
    Schema::of_type("array").with("items", item.into_json())
}

/// An object with names of the client's own choice, and values of one shape.
pub(in crate::api) fn map_of(value: Schema) -> Schema {
    Schema::of_type("object").with("additionalProperties", value.into_json())
}

/// An object in an answer: these keys and no others.
pub(in crate::api) fn object<'a>(keys: impl IntoIterator<Item = (&'a str, Schema)>) -> Schema {
    properties(keys).with("additionalProperties", false)
}

/// An object in a request: other keys are ignored, and these may be absent unless `needed`.
pub(in crate::api) fn fields<'a>(
    needed: &[&str],
    keys: impl IntoIterator<Item = (&'a str, Schema)>,
) -> Schema {
    properties(keys.into_iter().map(|(key, schema)| {
        let schema = if needed.contains(&key) { schema } else { schema.optional() };
        (key, schema)
    }))
}

fn properties<'a>(keys: impl IntoIterator<Item = (&'a str, Schema)>) -> Schema {
    let mut required = Vec::new();
    let mut properties = Map::new();
    for (key, schema) in keys {
        if schema.is_always_there() {
            required.push(key);
        }
        properties.insert(key.to_owned(), schema.into_json());
    }
    Schema::of_type("object").with("properties", properties).with("required", required)
}

/// `{"snapshot": ...}`
pub(in crate::api) fn under(key: &str, schema: Schema) -> Schema {
    object([(key, schema)])
}

/// `{"snapshots": [...]}`
pub(in crate::api) fn list_under(key: &str, item: Schema) -> Schema {
    object([(key, list_of(item))])
}

/// A page of a list: its items, how many there are in all if that was asked for, and the link to the
/// next page if there is one.
pub(in crate::api) fn page_of(key: &str, links_key: &str, item: Schema) -> Schema {
    object([
        (key, list_of(item)),
        (links_key, links().optional()),
        ("count", integer().from(0).optional()),
    ])
}

/// Pairs of text.
pub(in crate::api) fn pairs() -> Schema {
    map_of(text())
}

/// The links of a resource.
pub(in crate::api) fn links() -> Schema {
    let link = object([("rel", text()), ("href", text())]);
    list_of(link.named("Link"))
}

/// What the API takes for a boolean in a body.
pub(in crate::api) fn lenient_boolean() -> Schema {
    let digit = integer().with("enum", json!([0, 1]));
    any_of([boolean(), boolean_word(), digit]).named("LenientBoolean")
}

/// What the API takes for a boolean in a query.
pub(in crate::api) fn boolean_word() -> Schema {
    let words = ["1", "t", "true", "on", "y", "yes", "0", "f", "false", "off", "n", "no"];
    text().like(&format!("^\\s*({})\\s*$", any_case(words))).named("BooleanWord")
}

/// One of these words, in capitals or not.
pub(in crate::api) fn any_case_of<'a>(words: impl IntoIterator<Item = &'a str>) -> Schema {
    text().like(&format!("^({})$", any_case(words)))
}

fn any_case<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let either = |letter: char| {
        let (lower, upper) = (letter.to_ascii_lowercase(), letter.to_ascii_uppercase());
        if lower == upper { letter.to_string() } else { format!("[{lower}{upper}]") }
    };
    let words = words.into_iter().map(|word| word.chars().map(either).collect());
    words.collect::<Vec<String>>().join("|")
}

/// What the API takes for an integer in a body.
pub(in crate::api) fn lenient_integer() -> Schema {
    any_of([integer(), text().like(r"^\s*[+-]?[0-9]+\s*$")]).named("LenientInteger")
}
