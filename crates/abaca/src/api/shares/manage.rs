//! An administrator has a share taken into use that a backend holds already.

use abaca_model::{
    OperationKind, Share, ShareId, ShareInstance, ShareStatus, ShareType, Timestamp,
};
use abaca_store::export_work::NewExportLocation;
use abaca_store::services::SHARE_BINARY;
use abaca_store::share_types::Visible;
use abaca_store::{
    Tx, export_locations, retry_conflicts, services, share_instances, share_types, share_work,
    shares,
};
use serde_json::{Map, Value};

use super::create::{capabilities, first_instance, is_true, mount_point};
use super::limits::{self, LARGEST};
use super::{public, show};
use crate::api::operation::{self, Work};
use crate::api::{ApiError, Call, Fields, Reply, V};
use crate::engine::arguments::ManageShare;
use crate::telemetry::logs;

/// What the database takes of an export path.
const LONGEST_PATH: usize = 1023;

/// `POST /shares/manage`, before 2.7 `POST /os-share-manage`.
pub(crate) async fn manage(call: Call) -> Result<Reply, ApiError> {
    let fields = call.wrapped("share").filter(|fields| !fields.is_empty()).map(Fields);
    let fields = fields.ok_or_else(|| call.unprocessable())?;
    let request = Request::read(&fields, call.version)?;
    check_service(&call, request.service_host).await?;
    let share_type = share_type(&call, fields.text("share_type")?).await?;
    public::authorise(&call, request.is_public, "share:create_public_share", None).await?;
    let plan = Plan::new(&call, &request, &share_type)?;
    logs::resource("share_id", &plan.share.id.to_string());
    let reply = retry_conflicts(|| begin(&call, &request, &plan)).await?;
    call.app.nudge();
    Ok(reply)
}

fn unprocessable(message: impl Into<String>) -> ApiError {
    ApiError::Unprocessable(message.into())
}

/// What was asked for.
struct Request<'a> {
    export_path: &'a str,
    /// `host@backend#pool`
    service_host: &'a str,
    protocol: String,
    name: Option<&'a str>,
    description: Option<&'a str>,
    is_public: Option<bool>,
    share_server_id: Option<&'a str>,
    mount_point_name: Option<&'a str>,
    size: Option<u64>,
}

impl<'a> Request<'a> {
    fn read(fields: &Fields<'a>, version: V) -> Result<Self, ApiError> {
        let since = |minor| version >= V(2, minor);
        for key in ["export_path", "service_host", "protocol"] {
            required(fields, key)?;
        }
        let word = |key| Ok::<_, ApiError>(fields.text(key)?.filter(|text| !text.is_empty()));
        let text = |key, older| {
            let key = if fields.has(older) { older } else { key };
            fields.text_up_to(key, 255)
        };
        Ok(Self {
            export_path: export_path(fields)?,
            service_host: fields.text_up_to("service_host", 255)?.unwrap_or_default(),
            protocol: protocol(fields)?,
            name: text("name", "display_name")?,
            description: text("description", "display_description")?,
            is_public: if since(8) { public::read(fields)? } else { None },
            share_server_id: if since(49) { word("share_server_id")? } else { None },
            mount_point_name: if since(92) { word("mount_point_name")? } else { None },
            size: size_option(fields)?,
        })
    }
}

/// In upper case, which may be longer than what was given.
fn protocol(fields: &Fields<'_>) -> Result<String, ApiError> {
    let protocol = fields.text("protocol")?.unwrap_or_default().to_uppercase();
    if protocol.chars().count() > 255 {
        let message = "Invalid input received: protocol can only be 255 characters long.";
        return Err(ApiError::bad_request(message));
    }
    Ok(protocol)
}

/// As the reference, what is there but stands for nothing is empty.
pub(in crate::api) fn required<'a>(fields: &Fields<'a>, key: &str) -> Result<&'a Value, ApiError> {
    let missing = || unprocessable(format!("Required parameter {key} not found"));
    let value = fields.0.get(key).ok_or_else(missing)?;
    let is_empty = match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(true) => false,
    };
    if is_empty {
        return Err(unprocessable(format!("Required parameter {key} is empty")));
    }
    Ok(value)
}

/// A text, or an object that has it under `path`.
fn export_path<'a>(fields: &Fields<'a>) -> Result<&'a str, ApiError> {
    let given = required(fields, "export_path")?;
    let path = given.as_object().and_then(|given: &Map<_, _>| given.get("path")).unwrap_or(given);
    let path = path.as_str().filter(|path| !path.is_empty()).ok_or_else(|| {
        unprocessable("Export path must be a string, or a dictionary with a 'path' item")
    })?;
    if path.chars().count() > LONGEST_PATH {
        let message = format!(
            "Invalid input received: export_path can only be {LONGEST_PATH} characters long."
        );
        return Err(ApiError::bad_request(message));
    }
    Ok(path)
}

/// The one driver option there is: `size`, in GiB. Others are ignored.
///
/// # Errors
/// 400 that names it.
pub(in crate::api) fn size_option(fields: &Fields<'_>) -> Result<Option<u64>, ApiError> {
    let Some(options) = fields.object("driver_options")? else { return Ok(None) };
    let Some(size) = Fields(options).integer("size")? else { return Ok(None) };
    let valid = (1..=LARGEST).contains(&size).then(|| u64::try_from(size).ok()).flatten();
    valid.map(Some).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Invalid value for the driver option size. Expecting an integer from 1 to {LARGEST}."
        ))
    })
}

/// The backend must be there, and its service must be up.
async fn check_service(call: &Call, service_host: &str) -> Result<(), ApiError> {
    let Some((service, _)) = service_host.split_once('#').filter(|(_, pool)| !pool.is_empty())
    else {
        return Err(ApiError::bad_request("service_host parameter should contain pool."));
    };
    let found = services::find(&mut call.app.db.read().await?, service, SHARE_BINARY).await?;
    let found = found
        .ok_or_else(|| ApiError::not_found(format!("Service {service} could not be found.")))?;
    if Timestamp::now().since(found.heartbeat_at) > call.app.settings.service_down_after {
        return Err(ApiError::bad_request(format!("Service {service} is down.")));
    }
    Ok(())
}

async fn share_type(call: &Call, asked: Option<&str>) -> Result<ShareType, ApiError> {
    let mut tx = call.app.db.read().await?;
    let visible = if call.caller.is_admin { Visible::All } else { Visible::To(call.project()?) };
    let found = match asked.filter(|asked| !asked.is_empty()) {
        Some(name_or_id) => share_types::by_name_or_id(&mut tx, visible, name_or_id).await?,
        None => {
            let name = &call.app.settings.default_share_type;
            share_types::by_name(&mut tx, visible, name).await?
        }
    };
    found.ok_or_else(|| ApiError::not_found("Share type not found."))
}

/// What will be recorded. Its ids and its time are made once, however often the transaction runs.
struct Plan {
    share: Share,
    instance: ShareInstance,
    arguments: ManageShare,
}

impl Plan {
    fn new(call: &Call, request: &Request<'_>, share_type: &ShareType) -> Result<Self, ApiError> {
        check_server(request, share_type)?;
        let now = Timestamp::now();
        let mount_point_name = mount_point::name(call, request.mount_point_name, share_type)?;
        let share = Share {
            id: ShareId::random(),
            project_id: call.project()?.to_owned(),
            user_id: call.caller.user_id.clone(),
            name: request.name.map(str::to_owned),
            description: request.description.map(str::to_owned),
            // Until the backend says how large it is.
            size: 0,
            share_proto: request.protocol.clone(),
            is_public: request.is_public.unwrap_or(false),
            share_type_id: share_type.id,
            source_snapshot_id: None,
            capabilities: capabilities(&share_type.extra_specs),
            metadata: Default::default(),
            mount_point_name,
            task_state: None,
            scheduled_to_be_deleted_at: None,
            created_at: now,
            updated_at: None,
        };
        let instance = ShareInstance {
            host: Some(request.service_host.to_owned()),
            scheduled_at: Some(now),
            ..first_instance(&share, ShareStatus::ManageStarting)
        };
        let arguments = ManageShare {
            export_path: request.export_path.to_owned(),
            size_gb: request.size,
            allowed_gb: limits::allowed(share_type),
        };
        Ok(Self { share, instance, arguments })
    }
}

/// There are no share servers.
fn check_server(request: &Request<'_>, share_type: &ShareType) -> Result<(), ApiError> {
    let handled = share_type.extra_specs.get("driver_handles_share_servers");
    match (handled.is_some_and(|value| is_true(value)), request.share_server_id) {
        (true, None) => Err(ApiError::bad_request(
            "Invalid input received: Share Server ID parameter is required when managing a share \
             using a share type with driver_handles_share_servers extra-spec set to True.",
        )),
        (true, Some(_)) => Err(ApiError::bad_request(
            "Invalid input received: Share Server specified was not found.",
        )),
        (false, Some(_)) => Err(ApiError::bad_request(
            "Invalid input received: Share Server ID parameter is not expected when managing a \
             share using a share type with driver_handles_share_servers extra-spec set to False.",
        )),
        (false, None) => Ok(()),
    }
}

/// One transaction: the share, its instance with the path that was given, and the operation that has
/// the backend take it. As in the reference, no quota holds it up; it counts once it is taken.
async fn begin(call: &Call, request: &Request<'_>, plan: &Plan) -> Result<Reply, ApiError> {
    let Plan { share, instance, arguments } = plan;
    let mut tx = call.app.db.write().await?;
    // Of two who name the same path the second is told so.
    services::lock_pools(&mut tx).await?;
    refuse_known(&mut tx, request).await?;
    shares::insert(&mut tx, share).await.map_err(|error| mount_point::taken(share, error))?;
    share_instances::insert(&mut tx, instance).await?;
    let export = NewExportLocation {
        path: request.export_path.to_owned(),
        is_admin_only: false,
        preferred: false,
        metadata: Default::default(),
    };
    share_work::record_exports(&mut tx, instance.id, &[export], share.created_at).await?;
    let work = Work {
        kind: OperationKind::ManageShare,
        resource_id: instance.id.uuid(),
        fence: instance.fence,
        host: None,
    };
    operation::enqueue(&mut tx, call, &work, arguments).await?;
    let reply = show::reply(call, &mut tx, share.id).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn refuse_known(tx: &mut Tx, request: &Request<'_>) -> Result<(), ApiError> {
    if export_locations::any_at(tx, request.service_host, request.export_path).await? {
        let message = "Invalid share: A share already exists with the export path specified.";
        return Err(ApiError::conflict(message));
    }
    Ok(())
}
