//! A tenant renames a snapshot.

use abaca_model::Timestamp;
use abaca_store::retry_conflicts;
use abaca_store::snapshots::{self, Change};

use super::load::{self, target};
use super::view::{Body, Viewer};
use crate::api::{ApiError, Call, Fields, Reply};

/// The rule of every update, first without a snapshot, so that who may never update learns of none.
const RULE: &str = "share:snapshot_update";

/// `PUT /snapshots/{id}`
///
/// Only `display_name` and `display_description` are changed; everything else is ignored.
pub(crate) async fn update(call: Call) -> Result<Reply, ApiError> {
    call.authorise(RULE, None).await?;
    if call.json().is_none_or(|body| body.get("snapshot").is_none()) {
        return Err(call.unprocessable());
    }
    let change = change(&call.body("snapshot")?)?;
    let mut tx = call.app.db.read().await?;
    let found = load::visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise(RULE, &target(&found.snapshot)).await?;
    let updated = retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        if change != Change::default() {
            snapshots::update(&mut tx, found.snapshot.id, &change, Timestamp::now()).await?;
        }
        let updated = snapshots::get(&mut tx, found.snapshot.id).await?;
        tx.commit().await?;
        updated.ok_or_else(ApiError::no_route)
    })
    .await?;
    let viewer = Viewer::new(call.version, &call.caller, &call.links);
    Reply::ok(&Body { snapshot: viewer.detail(&updated) })
}

fn change(fields: &Fields<'_>) -> Result<Change, ApiError> {
    let text = |key| {
        let text = fields.text_up_to(key, 255)?.map(str::to_owned);
        Ok::<_, ApiError>(fields.has(key).then_some(text))
    };
    Ok(Change { name: text("display_name")?, description: text("display_description")? })
}
