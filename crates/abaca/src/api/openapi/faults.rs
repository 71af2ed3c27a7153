//! The answers that are no success, and the headers of all.

use serde_json::{Map, Value, json};

use super::schema::{Schema, integer, object, text, under};
use crate::api::microversion::VERSION_HEADER;
use crate::api::request_id::REQUEST_ID_HEADER;

/// A fault: its status, the name of its definition, the key of its body, what it says.
struct Fault {
    status: u16,
    name: &'static str,
    key: &'static str,
    about: &'static str,
}

const FAULTS: [Fault; 11] = [
    Fault::new(400, "BadRequest", "badRequest", "The request is wrong; the message says where."),
    Fault::new(401, "Unauthorized", "error", "There is no token, or it is not valid."),
    Fault::new(403, "Forbidden", "forbidden", "The policy, or the state of things, forbids it."),
    Fault::new(404, "NotFound", "itemNotFound", "Nothing is there, or nothing in this version."),
    Fault::new(406, "NotAcceptable", "computeFault", "The version is not spoken."),
    Fault::new(408, "RequestTimeout", "computeFault", "The body did not arrive in time."),
    Fault::new(409, "Conflict", "conflictingRequest", "What is there stands against it."),
    Fault::new(413, "OverLimit", "overLimit", "The quota is used up, or the body too large."),
    Fault::new(415, "UnsupportedMediaType", "badMediaType", "The body is not said to be JSON."),
    Fault::new(422, "Unprocessable", "computeFault", "The body lacks what the request is about."),
    Fault::new(503, "Unavailable", "serviceUnavailable", "Not at the moment; try again later."),
];

/// Those any route can answer; 404 also where the version lacks it. A 500 is promised by nobody.
const OF_ALL: [u16; 6] = [400, 401, 403, 404, 406, 503];
/// Those of routes that read a body.
const OF_BODIES: [u16; 3] = [408, 413, 415];

impl Fault {
    const fn new(status: u16, name: &'static str, key: &'static str, about: &'static str) -> Self {
        Self { status, name, key, about }
    }

    fn schema(&self) -> Schema {
        let (code, message) = (integer().exactly(self.status), text());
        let inner = match self.status {
            401 => object([("code", code), ("message", message), ("title", text())]),
            413 => object([("code", code), ("message", message), ("retryAfter", text())]),
            _ => object([("code", code), ("message", message)]),
        };
        under(self.key, inner).named(&format!("{}Fault", self.name))
    }

    fn response(&self) -> Value {
        // Which version is spoken is not known of every request that fails.
        let headers = references(&["RequestId", "ComputeRequestId", "VersionIfKnown"]);
        let content = json!({ "application/json": { "schema": self.schema().into_json() } });
        json!({ "description": self.about, "headers": headers, "content": content })
    }
}

/// The responses that `components` has.
pub(super) fn components() -> Map<String, Value> {
    FAULTS.iter().map(|fault| (fault.name.to_owned(), fault.response())).collect()
}

/// References to the faults of a route.
pub(super) fn of_route(reads_body: bool, others: &[u16]) -> Map<String, Value> {
    let bodies: &[u16] = if reads_body { &OF_BODIES } else { &[] };
    let is_one = |fault: &&Fault| {
        [&OF_ALL, bodies, others].iter().any(|statuses| statuses.contains(&fault.status))
    };
    let reference = |fault: &Fault| {
        let path = format!("#/components/responses/{}", fault.name);
        (fault.status.to_string(), json!({ "$ref": path }))
    };
    FAULTS.iter().filter(is_one).map(reference).collect()
}

/// The headers of a success.
pub(super) fn success_headers() -> Map<String, Value> {
    references(&["RequestId", "ComputeRequestId", "Version", "Vary"])
}

/// Definitions of headers, each with the header's own name.
const HEADERS: [(&str, &str); 5] = [
    ("RequestId", REQUEST_ID_HEADER),
    ("ComputeRequestId", "x-compute-request-id"),
    ("Version", VERSION_HEADER),
    ("VersionIfKnown", VERSION_HEADER),
    ("Vary", "vary"),
];

fn references(names: &[&str]) -> Map<String, Value> {
    let wanted = HEADERS.iter().filter(|(name, _)| names.contains(name));
    let reference = |name| json!({ "$ref": format!("#/components/headers/{name}") });
    wanted.map(|(name, header)| ((*header).to_owned(), reference(name))).collect()
}

/// The headers that `components` has.
pub(super) fn header_components() -> Map<String, Value> {
    let definition = |name: &str| {
        let (about, schema) = match name {
            "Vary" => ("What the answer depends on.", text()),
            "Version" | "VersionIfKnown" => {
                ("The version that the answer speaks.", text().like(r"^\d+\.\d+$"))
            }
            _ => ("The id of the request, for the logs.", text().like("^req-[0-9a-fA-F-]{36}$")),
        };
        let required = name != "VersionIfKnown";
        json!({ "description": about, "required": required, "schema": schema.into_json() })
    };
    HEADERS.iter().map(|(name, _)| ((*name).to_owned(), definition(name))).collect()
}
