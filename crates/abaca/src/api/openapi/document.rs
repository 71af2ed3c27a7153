//! Putting the contracts of all routes together.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::contract::Contract;
use super::schema::{Schema, any_of, object};
use super::{DEFINITION, EXTENSION, faults, narrow, version_keys};
use crate::api::microversion::{EXPERIMENTAL_HEADER, VERSION_HEADER};
use crate::api::router::routes;
use crate::api::{Route, V, Versions};

/// The document of all versions, or of one.
#[must_use]
pub fn document(version: Option<V>) -> Value {
    let mut routes = routes();
    routes.retain(|route| version.is_none_or(|version| route.versions.contains(version)));
    let mut paths = Map::new();
    for rows in operations(&routes) {
        let Some(first) = rows.first() else { continue };
        let path = paths.entry(first.path).or_insert_with(|| json!({}));
        path[first.method.as_str().to_lowercase()] = operation(&rows);
    }
    let mut document = json!({
        "openapi": "3.1.1",
        "info": information(version),
        "servers": [
            { "url": "/v2" },
            {
                "url": "/v2/{project_id}",
                "description": "As older clients have it; the project must be the caller's own.",
                "variables": { "project_id": { "default": "project" } },
            },
        ],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "parameters": { "Version": version_parameter(version) },
            "headers": faults::header_components(),
            "responses": faults::components(),
            "schemas": {},
            "securitySchemes": {
                "token": { "type": "apiKey", "in": "header", "name": "X-Auth-Token" },
            },
        },
    });
    let mut definitions = Map::new();
    move_definitions(&mut document, &mut definitions);
    document["components"]["schemas"] = Value::Object(definitions);
    if let Some(version) = version {
        narrow::narrow(&mut document, version);
    }
    document
}

fn information(version: Option<V>) -> Value {
    let about = match version {
        None => format!(
            "Microversions {} to {}. What only some of them have says so under `{EXTENSION}`.",
            V::MIN,
            V::MAX
        ),
        Some(version) => format!("Microversion {version} alone."),
    };
    json!({
        "title": "Shared File Systems API v2, as Abaca serves it",
        "version": version.unwrap_or(V::MAX).to_string(),
        "description": about,
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    })
}

/// The rows of each method of each path, in the order of the table.
fn operations(routes: &[Route]) -> Vec<Vec<&Route>> {
    let mut operations: Vec<Vec<&Route>> = Vec::new();
    for route in routes {
        let same = |rows: &&mut Vec<&Route>| {
            rows.iter().any(|row| row.path == route.path && row.method == route.method)
        };
        match operations.iter_mut().find(same) {
            Some(rows) => rows.push(route),
            None => operations.push(vec![route]),
        }
    }
    operations
}

/// One method of one path: a row, a row that changed between versions, or several actions.
fn operation(rows: &[&Route]) -> Value {
    let contracts: Vec<(&Route, Contract)> =
        rows.iter().filter_map(|row| Some((*row, (row.contract?)()))).collect();
    let (Some(first), Some((_, contract))) = (rows.first(), contracts.first()) else {
        return json!({ "responses": {} });
    };
    let is_action = first.action.is_some();
    let summary = if is_action { "Do one of these actions" } else { contract.summary };
    let mut operation = json!({
        "operationId": operation_id(first),
        "summary": summary,
        "parameters": parameters(rows, &contracts),
        "responses": responses(first, &contracts),
        EXTENSION: if is_action { Map::new() } else { extension(rows) },
    });
    if let Some(schema) = body(&contracts) {
        operation["requestBody"] = json!({ "required": true, "content": content(schema) });
    }
    operation
}

/// `get_shares_detail`
fn operation_id(route: &Route) -> String {
    let words = route.path.split(['/', '{', '}', '-']).filter(|word| !word.is_empty());
    let method = route.method.as_str().to_lowercase();
    words.fold(method, |id, word| format!("{id}_{word}"))
}

/// Versions and rule of rows that do the same.
fn extension(rows: &[&Route]) -> Map<String, Value> {
    let mut keys = version_keys(span(rows));
    if let Some(route) = rows.last().filter(|route| !route.rule.is_empty()) {
        keys.insert("policy".to_owned(), json!(route.rule));
    }
    let experimental: Vec<&Route> = rows.iter().filter(|row| row.experimental).copied().collect();
    if !experimental.is_empty() {
        keys.insert("experimental".to_owned(), json!(version_keys(span(&experimental))));
    }
    keys
}

fn span(rows: &[&Route]) -> Versions {
    let first = rows.iter().map(|row| row.versions.first).min().unwrap_or(V::MIN);
    let last = rows.iter().map(|row| row.versions.last).max().unwrap_or(V::MAX);
    Versions { first, last }
}

fn parameters(rows: &[&Route], contracts: &[(&Route, Contract)]) -> Vec<Value> {
    let Some(first) = rows.first() else { return Vec::new() };
    let mut parameters = vec![json!({ "$ref": "#/components/parameters/Version" })];
    if rows.iter().any(|row| row.experimental) {
        parameters.push(json!({
            "name": EXPERIMENTAL_HEADER,
            "in": "header",
            "required": rows.iter().all(|row| row.experimental),
            "description": "Asks for what is experimental in the version spoken.",
            "schema": { "type": "string", "enum": ["true"] },
        }));
    }
    let names = first.path.split(['{', '}']).skip(1).step_by(2);
    parameters.extend(names.map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } })
    }));
    let query = contracts.iter().take(1).flat_map(|(_, contract)| &contract.query);
    parameters.extend(query.map(|(name, schema)| query_parameter(name, schema)));
    parameters
}

fn query_parameter(name: &str, schema: &Schema) -> Value {
    let mut json = schema.clone().into_json();
    let extension = json.as_object_mut().and_then(|json| json.remove(EXTENSION));
    let mut parameter = json!({ "name": name, "in": "query", "schema": json });
    if schema.is_always_there() {
        parameter["required"] = json!(true);
    }
    if let Some(extension) = extension {
        parameter[EXTENSION] = extension;
    }
    parameter
}

fn version_parameter(version: Option<V>) -> Value {
    let (schema, about) = match version {
        Some(version) => (json!({ "const": version.to_string() }), "The version described here."),
        None => (
            json!({ "type": "string", "pattern": r"^2\.(0|[1-9]\d?)$", "default": "2.0" }),
            "The version to be spoken.",
        ),
    };
    json!({ "name": VERSION_HEADER, "in": "header", "description": about, "schema": schema })
}

/// An action's body has its name as the only key.
fn body(contracts: &[(&Route, Contract)]) -> Option<Schema> {
    let (first, contract) = contracts.first()?;
    if first.action.is_none() {
        return contract.body.clone();
    }
    Some(any_of(actions(contracts).map(|(rows, contract)| {
        let name = rows.first().and_then(|row| row.action).unwrap_or_default();
        let inner = contract.body.clone().unwrap_or_else(super::schema::anything);
        object([(name, inner)]).about(contract.summary).extended(extension(&rows))
    })))
}

/// The actions of a path, each with its rows.
fn actions<'a>(
    contracts: &'a [(&'a Route, Contract)],
) -> impl Iterator<Item = (Vec<&'a Route>, &'a Contract)> {
    contracts.iter().enumerate().filter_map(|(position, (route, contract))| {
        let same = |(other, _): &&(&Route, Contract)| other.action == route.action;
        let first = contracts.iter().position(|other| same(&other))?;
        let rows = contracts.iter().filter(same).map(|(route, _)| *route).collect();
        (first == position).then_some((rows, contract))
    })
}

fn responses(route: &Route, contracts: &[(&Route, Contract)]) -> Map<String, Value> {
    let reads_body = [Method::POST, Method::PUT].contains(&route.method);
    let others: Vec<u16> =
        contracts.iter().flat_map(|(_, contract)| contract.faults.clone()).collect();
    let mut responses = faults::of_route(reads_body, &others);
    let answers = || {
        contracts.iter().flat_map(|(route, contract)| {
            contract.answers.iter().map(move |(status, body)| (*route, *status, body))
        })
    };
    for (_, status, _) in answers() {
        let same = answers().filter(|(_, other, _)| *other == status);
        let same: Vec<_> = same.map(|(route, _, body)| (route, body.as_ref())).collect();
        responses.insert(status.to_string(), success(&same));
    }
    responses
}

/// The answer of one status: of one row, of rows that answer the same, or of several actions.
fn success(answers: &[(&Route, Option<&Schema>)]) -> Value {
    let without_body: Vec<&str> = answers
        .iter()
        .filter(|(_, body)| body.is_none())
        .filter_map(|(row, _)| row.action)
        .collect();
    let mut response = json!({ "description": "Done.", "headers": faults::success_headers() });
    if answers.iter().all(|(_, body)| body.is_none()) {
        response["description"] = json!("Done, or begun. No body.");
    } else if !without_body.is_empty() {
        response[EXTENSION] = json!({ "without-body": without_body });
    }
    let mut schemas: Vec<(&Schema, Versions)> = Vec::new();
    for (route, body) in answers {
        let Some(body) = body else { continue };
        let same = |known: &&mut (&Schema, Versions)| known.0 == *body;
        match schemas.iter_mut().find(same) {
            Some((_, versions)) => {
                versions.first = versions.first.min(route.versions.first);
                versions.last = versions.last.max(route.versions.last);
            }
            None => schemas.push((body, route.versions)),
        }
    }
    match schemas.as_slice() {
        [] => {}
        [(schema, _)] => response["content"] = content((*schema).clone()),
        several => {
            let several = several.iter().map(|(schema, versions)| {
                (*schema).clone().since(versions.first).until(versions.last)
            });
            response["content"] = content(any_of(several));
        }
    }
    response
}

fn content(schema: Schema) -> Value {
    json!({ "application/json": { "schema": schema.into_json() } })
}

/// Takes the definitions out of where they are used.
fn move_definitions(value: &mut Value, definitions: &mut Map<String, Value>) {
    if let Some(mut definition) = value.as_object_mut().and_then(|map| map.remove(DEFINITION)) {
        move_definitions(&mut definition, definitions);
        let path = value["$ref"].as_str().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let other = definitions.get(&name).filter(|known| **known != definition);
        debug_assert!(other.is_none(), "two definitions have the name {name}");
        definitions.insert(name, definition);
    }
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(|item| move_definitions(item, definitions));
        }
        Value::Object(map) => {
            map.values_mut().for_each(|value| move_definitions(value, definitions));
        }
        _ => {}
    }
}
