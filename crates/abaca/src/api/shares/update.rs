//! A tenant renames a share, or shows it to other projects.

use abaca_model::Timestamp;
use abaca_store::retry_conflicts;
use abaca_store::shares::{self, Change};

use super::load::{self, target};
use super::{public, show};
use crate::api::{ApiError, Call, Fields, Reply};

/// `PUT /shares/{id}`
///
/// Only `display_name`, `display_description` and `is_public` are changed; everything else is
/// ignored.
pub(crate) async fn update(call: Call) -> Result<Reply, ApiError> {
    if call.json().is_none_or(|body| body.get("share").is_none()) {
        return Err(call.unprocessable());
    }
    let change = change(&call.body("share")?)?;
    let mut tx = call.app.db.read().await?;
    let share = load::visible(&call, &mut tx).await?;
    drop(tx);
    load::not_soft_deleted(&share, "Can't update")?;
    public::authorise(&call, change.is_public, "share:set_public_share", &target(&share)).await?;
    call.authorise("share:update", &target(&share)).await?;
    let now = Timestamp::now();
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        if change != Change::default() {
            shares::update(&mut tx, share.id, &change, now).await?;
        }
        let reply = show::reply(&call, &mut tx, share.id).await?;
        tx.commit().await?;
        Ok(reply)
    })
    .await
}

fn change(fields: &Fields<'_>) -> Result<Change, ApiError> {
    let text = |key| {
        let text = fields.text_up_to(key, 255)?.map(str::to_owned);
        Ok::<_, ApiError>(fields.has(key).then_some(text))
    };
    Ok(Change {
        name: text("display_name")?,
        description: text("display_description")?,
        is_public: public::read(fields)?,
    })
}
