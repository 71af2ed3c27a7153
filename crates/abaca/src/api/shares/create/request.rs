//! The body of a request for a share, read on its own.

use std::collections::BTreeMap;

use serde_json::Value;

use super::hints;
use crate::api::shares::limits::LARGEST;
use crate::api::shares::public;
use crate::api::{ApiError, Fields, V, metadata};
use crate::engine::arguments::Hints;

/// Protocols there can be backends for, as the API spells them.
pub(in crate::api::shares) const PROTOCOLS: [&str; 3] = ["NFS", "CIFS", "CEPHFS"];

/// What was asked for. Empty names and ids ask for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    size: Size,
    /// Upper case.
    pub(super) share_proto: String,
    pub(super) is_public: Option<bool>,
    pub(super) availability_zone: Option<String>,
    pub(super) snapshot_id: Option<String>,
    pub(super) share_network_id: Option<String>,
    /// A name or an id.
    pub(super) share_type: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) hints: Hints,
    /// One was given.
    pub(super) encryption_key_ref: bool,
    /// Without the prefix.
    pub(super) mount_point_name: Option<String>,
}

/// A size in GiB, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Size {
    /// None, or what stands for none: that of the snapshot is taken.
    Absent(Value),
    Given(i64),
}

impl Request {
    /// # Errors
    /// 400 that names the key, 404 for a share group, which there is none of.
    pub(super) fn read(fields: &Fields<'_>, version: V) -> Result<Self, ApiError> {
        let since = |minor| version >= V(2, minor);
        let is_public = public::read(fields)?;
        let name = display(fields, "name", "display_name")?;
        let description = display(fields, "description", "display_description")?;
        let availability_zone = not_empty(fields, "availability_zone")?;
        if since(31)
            && let Some(group) = not_empty(fields, "share_group_id")?
        {
            let message = format!("Share group {group} could not be found.");
            return Err(ApiError::not_found(message));
        }
        Ok(Self {
            name,
            description,
            size: size(fields)?,
            share_proto: protocol(fields)?,
            is_public,
            availability_zone,
            snapshot_id: fields.text("snapshot_id")?.map(str::to_owned),
            share_network_id: not_empty(fields, "share_network_id")?,
            share_type: share_type(fields)?,
            metadata: metadata::read(fields)?,
            hints: hints::read(fields, version)?,
            encryption_key_ref: since(90) && not_empty(fields, "encryption_key_ref")?.is_some(),
            mount_point_name: if since(84) { not_empty(fields, "mount_point_name")? } else { None },
        })
    }

    /// The size in GiB; that of the snapshot where none was given.
    ///
    /// # Errors
    /// 400 when there is none, or it is smaller than the snapshot or larger than there can be.
    pub(super) fn size(&self, of_snapshot: Option<i64>) -> Result<i64, ApiError> {
        let size = match (&self.size, of_snapshot) {
            (Size::Given(size), _) => *size,
            (Size::Absent(_), Some(of_snapshot)) => of_snapshot,
            (Size::Absent(given), None) => return Err(no_size(given)),
        };
        if of_snapshot.is_some_and(|of_snapshot| size < of_snapshot) {
            return Err(ApiError::bad_request(format!(
                "Invalid input received: Share size '{size}' must be equal or greater than \
                 snapshot size."
            )));
        }
        if size > LARGEST {
            return Err(ApiError::bad_request(format!(
                "Invalid input received: Share size '{size}' must be {LARGEST} or less."
            )));
        }
        Ok(size)
    }
}

/// A name under the key clients use, or under the one they once used.
fn display(fields: &Fields<'_>, key: &str, older: &str) -> Result<Option<String>, ApiError> {
    let text = fields.text_up_to(key, 255)?.filter(|text| !text.is_empty());
    let older = fields.text_up_to(older, 255)?;
    Ok(text.or(older).map(str::to_owned))
}

fn not_empty(fields: &Fields<'_>, key: &str) -> Result<Option<String>, ApiError> {
    Ok(fields.text(key)?.filter(|text| !text.is_empty()).map(str::to_owned))
}

fn size(fields: &Fields<'_>) -> Result<Size, ApiError> {
    let Some(given) = fields.value("size") else { return Ok(Size::Absent(Value::Null)) };
    let number = match given {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        Some(0) => Ok(Size::Absent(given.clone())),
        Some(size) if size > 0 => Ok(Size::Given(size)),
        _ => Err(no_size(given)),
    }
}

fn no_size(given: &Value) -> ApiError {
    let shown = match given {
        Value::Null => "None".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    ApiError::bad_request(format!(
        "Invalid input received: Share size '{shown}' must be an integer and greater than 0."
    ))
}

fn protocol(fields: &Fields<'_>) -> Result<String, ApiError> {
    let given = fields.text("share_proto")?.map(str::to_uppercase);
    let given = given.ok_or_else(|| ApiError::bad_request("'share_proto' must be given."))?;
    if PROTOCOLS.contains(&given.as_str()) {
        return Ok(given);
    }
    Err(ApiError::bad_request(format!(
        "Invalid input received: Invalid share protocol provided: {given}. It is either disabled \
         or unsupported. Available protocols: {}.",
        PROTOCOLS.join(", ")
    )))
}

fn share_type(fields: &Fields<'_>) -> Result<Option<String>, ApiError> {
    if fields.has("share_type") && fields.has("volume_type") {
        return Err(ApiError::bad_request("Cannot specify both share_type and volume_type"));
    }
    Ok(not_empty(fields, "share_type")?.or(not_empty(fields, "volume_type")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value, minor: u32) -> Result<Request, ApiError> {
        Request::read(&Fields(body.as_object().unwrap()), V(2, minor))
    }

    #[test]
    fn the_least_there_can_be() {
        let request = read(&json!({ "size": 1, "share_proto": "nfs" }), 99).unwrap();
        let expected = Request {
            name: None,
            description: None,
            size: Size::Given(1),
            share_proto: "NFS".to_owned(),
            is_public: None,
            availability_zone: None,
            snapshot_id: None,
            share_network_id: None,
            share_type: None,
            metadata: BTreeMap::new(),
            hints: Hints::default(),
            encryption_key_ref: false,
            mount_point_name: None,
        };
        assert_eq!(request, expected);
        // What the client sends of what was not asked for.
        let verbose = json!({
            "size": "1", "share_proto": "NFS", "name": "", "description": null,
            "share_type": null, "share_network_id": "", "snapshot_id": null, "metadata": {},
            "share_group_id": null, "availability_zone": "", "scheduler_hints": {}, "more": [],
            "mount_point_name": "",
        });
        assert_eq!(read(&verbose, 99).unwrap(), expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = "x".repeat(256);
        let table = [
            (json!({ "share_proto": null }), "share_proto"),
            (json!({ "share_proto": 5 }), "share_proto"),
            (json!({ "share_proto": "" }), "share protocol"),
            (json!({ "share_proto": "SMB" }), "Available protocols: NFS, CIFS, CEPHFS"),
            (json!({ "size": "x" }), "Share size 'x' must be an integer"),
            (json!({ "size": -1 }), "Share size '-1' must be"),
            (json!({ "size": 1.5 }), "Share size '1.5' must be"),
            (json!({ "size": true }), "Share size 'true' must be"),
            (json!({ "size": [] }), "Share size '[]' must be"),
            (json!({ "size": 1e30 }), "must be an integer"),
            (json!({ "name": 5 }), "for name"),
            (json!({ "name": long }), "name can only be 255 characters"),
            (json!({ "display_name": long }), "name can only be 255 characters"),
            (json!({ "description": long }), "description can only be 255"),
            (json!({ "is_public": null }), "for is_public"),
            (json!({ "is_public": "x" }), "for is_public"),
            (json!({ "metadata": "x" }), "for metadata"),
            (json!({ "metadata": { "a": 1 } }), "value is no string"),
            (json!({ "share_type": "a", "volume_type": "a" }), "both share_type and volume_type"),
            (json!({ "share_type": 5 }), "for share_type"),
            (json!({ "snapshot_id": 5 }), "for snapshot_id"),
            (json!({ "mount_point_name": 5 }), "for mount_point_name"),
            (json!({ "availability_zone": {} }), "for availability_zone"),
            (json!({ "scheduler_hints": "x" }), "for scheduler_hints"),
            (json!({ "scheduler_hints": { "same_host": "x" } }), "x is not a valid uuid"),
            (json!({ "scheduler_hints": { "same_host": 5 } }), "for same_host"),
            (json!({ "scheduler_hints": { "different_host": "," } }), "different_host:  is not"),
            (json!({ "scheduler_hints": { "only_host": ["h"] } }), "for only_host"),
        ];
        for (given, problem) in table {
            let mut body = json!({ "size": 1, "share_proto": "NFS" });
            body.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
            let refused = read(&body, 99);
            assert!(
                matches!(&refused, Err(ApiError::BadRequest(said)) if said.contains(problem)),
                "{given}: {refused:?}"
            );
        }
    }

    #[test]
    fn what_a_version_lacks_is_ignored() {
        let asks = |key: &str, minor| {
            let mut body = json!({ "size": 1, "share_proto": "NFS" });
            body[key] = json!("x");
            let request = read(&body, minor);
            request.map_or(true, |request| {
                request.encryption_key_ref || request.mount_point_name.is_some()
            })
        };
        for (key, minor) in
            [("share_group_id", 31), ("mount_point_name", 84), ("encryption_key_ref", 90)]
        {
            assert!(!asks(key, minor - 1), "{key}");
            assert!(asks(key, minor), "{key}");
        }
    }

    #[test]
    fn a_snapshot_has_a_size_to_offer() {
        let size = |given: Value, of_snapshot| {
            read(&json!({ "size": given, "share_proto": "NFS" }), 99).unwrap().size(of_snapshot)
        };
        assert_eq!(size(json!(null), Some(3)).unwrap(), 3);
        assert_eq!(size(json!(0), Some(3)).unwrap(), 3);
        assert_eq!(size(json!(4), Some(3)).unwrap(), 4);
        assert!(size(json!(2), Some(3)).is_err());
        for given in [json!(null), json!(0)] {
            assert!(size(given, None).is_err());
        }
    }
}
