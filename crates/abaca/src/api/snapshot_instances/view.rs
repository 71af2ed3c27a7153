//! Snapshot instances in JSON.

use abaca_model::{SnapshotInstance, Timestamp};
use abaca_store::snapshot_instances::ListedInstance;
use serde::Serialize;

#[derive(Serialize)]
struct Summary<'a> {
    id: &'a str,
    snapshot_id: &'a str,
    status: &'a str,
}

#[derive(Serialize)]
struct Detail<'a> {
    id: &'a str,
    snapshot_id: &'a str,
    created_at: Timestamp,
    updated_at: Option<Timestamp>,
    status: &'a str,
    share_id: &'a str,
    share_instance_id: &'a str,
    progress: Option<&'a str>,
    provider_location: Option<&'a str>,
}

/// Appends a row of a list, as it comes from the database.
pub(super) fn write(
    buffer: &mut Vec<u8>,
    instance: &ListedInstance<'_>,
) -> Result<(), serde_json::Error> {
    let ListedInstance { id, snapshot_id, status, details } = *instance;
    match details {
        None => serde_json::to_writer(buffer, &Summary { id, snapshot_id, status }),
        Some(details) => serde_json::to_writer(
            buffer,
            &Detail {
                id,
                snapshot_id,
                created_at: details.created_at,
                updated_at: details.updated_at,
                status,
                share_id: details.share_id,
                share_instance_id: details.share_instance_id,
                progress: details.progress,
                provider_location: details.provider_location,
            },
        ),
    }
}

/// The body that shows one instance.
pub(super) fn show(instance: &SnapshotInstance) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        snapshot_instance: Detail<'a>,
    }
    let detail = Detail {
        id: &instance.id.to_string(),
        snapshot_id: &instance.snapshot_id.to_string(),
        created_at: instance.created_at,
        updated_at: instance.updated_at,
        status: instance.status.as_str(),
        share_id: &instance.share_id.to_string(),
        share_instance_id: &instance.share_instance_id.to_string(),
        progress: instance.progress.as_deref(),
        provider_location: instance.provider_location.as_deref(),
    };
    serde_json::to_vec(&Body { snapshot_instance: detail })
}

#[cfg(test)]
mod tests {
    use abaca_store::snapshot_instances::InstanceDetails;
    use serde_json::{Value, json};

    use super::*;

    fn text(instance: &ListedInstance<'_>) -> String {
        let mut buffer = Vec::new();
        write(&mut buffer, instance).unwrap();
        String::from_utf8(buffer).unwrap()
    }

    #[test]
    fn a_row_is_written_as_the_reference_orders_it() {
        let summary =
            ListedInstance { id: "i", snapshot_id: "s", status: "available", details: None };
        assert_eq!(text(&summary), r#"{"id":"i","snapshot_id":"s","status":"available"}"#);
        let details = InstanceDetails {
            created_at: Timestamp::from_micros(1_501_807_492_000_000),
            updated_at: None,
            share_id: "sh",
            share_instance_id: "si",
            progress: Some("100%"),
            provider_location: None,
        };
        assert_eq!(
            text(&ListedInstance { details: Some(details), ..summary }),
            r#"{"id":"i","snapshot_id":"s","created_at":"2017-08-04T00:44:52.000000","updated_at":null,"status":"available","share_id":"sh","share_instance_id":"si","progress":"100%","provider_location":null}"#
        );
    }

    #[test]
    fn whatever_a_backend_calls_a_place_is_valid_json() {
        let location = "/a \"b\" \\ \n \u{1} \u{1f4be}";
        let details = InstanceDetails {
            created_at: Timestamp::from_micros(0),
            updated_at: None,
            share_id: "sh",
            share_instance_id: "si",
            progress: None,
            provider_location: Some(location),
        };
        let row =
            ListedInstance { id: "i", snapshot_id: "s", status: "error", details: Some(details) };
        let value: Value = serde_json::from_str(&text(&row)).unwrap();
        assert_eq!(value["provider_location"], json!(location));
    }
}
