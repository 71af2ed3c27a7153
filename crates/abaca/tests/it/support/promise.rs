//! Holds every answer of every test against the OpenAPI document of the version it speaks.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use abaca::api::{V, openapi};
use axum::http::Method;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::Answer;

/// What was sent.
pub(crate) struct Sent {
    pub(crate) method: Method,
    /// With its query.
    pub(crate) path: String,
    pub(crate) version: String,
    pub(crate) body: Option<String>,
}

/// Checks that the answer is one the document promises. Of a request that succeeded, that the document
/// allows it, too.
pub(crate) fn assert_kept(sent: &Sent, answer: &Answer) {
    let version = if sent.version.is_empty() { Ok(V::MIN) } else { sent.version.parse() };
    let document = document(version.ok());
    let Some((template, operation)) = operation(&document.json, sent) else { return };
    let told = || {
        let Sent { method, path, version, body } = sent;
        let body = body.as_deref().unwrap_or_default();
        format!("{method} {path} at {version} {body}\n{} {}", answer.status, answer.text)
    };
    let response = &operation["responses"][answer.status.to_string()];
    let response = resolve(&document.json, response);
    assert!(response.is_object(), "{template} promises no {}: {}", answer.status, told());
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let (header, is_there) =
            (resolve(&document.json, header), answer.headers.contains_key(name));
        assert!(is_there || header["required"] == false, "no header {name}: {}", told());
    }
    match response.pointer("/content/application~1json/schema") {
        None => assert_eq!(answer.text, "", "a body where none is promised: {}", told()),
        Some(_) if answer.text.is_empty() => {
            let may_lack_it = response.pointer("/x-openstack/without-body").is_some();
            assert!(may_lack_it || sent.method == Method::HEAD, "no body: {}", told());
        }
        Some(schema) => {
            let name = format!("{} {template} {}", sent.method, answer.status);
            assert_valid(&document, (&name, schema), &answer.json(), &told);
        }
    }
    if answer.status < 300 {
        let name = format!("{} {template}", sent.method);
        assert_allowed(&document, (&name, operation), sent, &told);
    }
}

fn assert_allowed(
    document: &Document,
    (name, operation): (&str, &Value),
    sent: &Sent,
    told: &dyn Fn() -> String,
) {
    if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") {
        let text = sent.body.as_deref().unwrap_or_default();
        let body = serde_json::from_str(text).unwrap_or(Value::Null);
        assert_valid(document, (name, schema), &body, told);
    }
}

fn assert_valid(
    document: &Document,
    (name, schema): (&str, &Value),
    value: &Value,
    told: &dyn Fn() -> String,
) {
    let mut validators = document.validators.lock().unwrap();
    let validator = validators.entry(name.to_owned()).or_insert_with(|| {
        let mut schema = schema.clone();
        // So that the references of the schema lead somewhere.
        schema["components"] = json!({ "schemas": document.json["components"]["schemas"] });
        jsonschema::draft202012::new(&schema).unwrap()
    });
    let errors: Vec<_> = validator
        .iter_errors(value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    drop(validators);
    assert!(errors.is_empty(), "{}\nin {}", errors.join("\n"), told());
}

fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let path = value["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
    path.and_then(|path| document.pointer(path)).unwrap_or(value)
}

/// The operation of a request, if the document has it.
fn operation<'d>(document: &'d Value, sent: &Sent) -> Option<(&'d String, &'d Value)> {
    let path = sent.path.split('?').next()?.strip_prefix("/v2/")?;
    let method = if sent.method == Method::HEAD { &Method::GET } else { &sent.method };
    let method = method.as_str().to_lowercase();
    // With a project before it, or without; a word of the table goes before a placeholder.
    let without_project = path.split_once('/').map(|(_, rest)| rest);
    [Some(path), without_project].into_iter().flatten().find_map(|path| {
        let paths = document["paths"].as_object()?.iter();
        let mut fitting: Vec<_> = paths.filter(|(template, _)| fits(template, path)).collect();
        fitting.sort_by_key(|(template, _)| template.matches('{').count());
        let (template, item) = fitting.first()?;
        Some((*template, item.get(&method)?))
    })
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template[1..].split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(&path)
            .all(|(word, given)| word == given || (word.starts_with('{') && !given.is_empty()))
}

/// The document of a version, and what was made of it.
struct Document {
    json: Value,
    /// By operation, and status of the answer.
    validators: Mutex<HashMap<String, Validator>>,
}

/// Made once for each version.
fn document(version: Option<V>) -> Arc<Document> {
    type Documents = HashMap<String, Arc<Document>>;
    static DOCUMENTS: LazyLock<Mutex<Documents>> = LazyLock::new(Mutex::default);
    let key = version.map(|version| version.to_string()).unwrap_or_default();
    let mut documents = DOCUMENTS.lock().unwrap();
    let made = documents.entry(key).or_insert_with(|| {
        let json = openapi::document(version);
        Arc::new(Document { json, validators: Mutex::default() })
    });
    Arc::clone(made)
}
