//! Scheduler hints: the shares that a share is wished to be with or apart from, and the pool an
//! administrator wants it in. Hints of other names are ignored, as in the reference.

use abaca_model::{Share, ShareId};
use abaca_store::Tx;
use abaca_store::affinity::{self, DIFFERENT_HOST, Linked, MOST, SAME_HOST};

use crate::api::shares::load;
use crate::api::{ApiError, Call, Fields, V};
use crate::engine::arguments;

/// Reads `{"scheduler_hints": {"same_host": "id,id"}}`. Before 2.48 the zones of a share type meant
/// nothing.
///
/// # Errors
/// 400 that names the hint.
pub(super) fn read(fields: &Fields<'_>, version: V) -> Result<arguments::Hints, ApiError> {
    let asked = fields.object("scheduler_hints")?.filter(|_| version >= V(2, 65));
    let any_zone = version < V(2, 48);
    let Some(hints) = asked.map(Fields) else {
        return Ok(arguments::Hints { any_zone, ..arguments::Hints::default() });
    };
    let only_host = hints.text_up_to("only_host", 255)?.filter(|host| !host.is_empty());
    Ok(arguments::Hints {
        same_host: shares(&hints, "same_host")?,
        different_host: shares(&hints, "different_host")?,
        only_host: only_host.filter(|_| version >= V(2, 67)).map(str::to_owned),
        any_zone,
    })
}

fn shares(hints: &Fields<'_>, key: &str) -> Result<Vec<ShareId>, ApiError> {
    let mut shares = Vec::new();
    for id in
        hints.text(key)?.filter(|ids| !ids.is_empty()).into_iter().flat_map(|ids| ids.split(','))
    {
        let share = id.parse().map_err(|_| {
            ApiError::bad_request(format!(
                "Invalid value for the scheduler hint {key}: {id} is not a valid uuid."
            ))
        })?;
        if !shares.contains(&share) {
            shares.push(share);
        }
    }
    // Each is looked up.
    if shares.len() > MOST {
        return Err(too_many("the new one"));
    }
    Ok(shares)
}

/// Holds the hints against what the caller may see and do. Like the reference, it drops the pool
/// that somebody who may not choose one asks for.
///
/// # Errors
/// 404 for a share that is not there, or not to be seen.
pub(super) async fn allowed(
    call: &Call,
    tx: &mut Tx,
    mut hints: arguments::Hints,
) -> Result<arguments::Hints, ApiError> {
    for share in hints.same_host.iter().chain(&hints.different_host) {
        if load::find(call, tx, &share.to_string()).await?.is_none() {
            return Err(gone(*share));
        }
    }
    if hints.only_host.is_some() && !call.allows("context_is_host_admin", None).await {
        hints.only_host = None;
    }
    Ok(hints)
}

/// Notes with the new share, and with those of its project, whom they are near or apart from.
///
/// # Errors
/// 404 for a share that went meanwhile, 400 for one that too many shares refer to.
pub(super) async fn note(
    tx: &mut Tx,
    share: &Share,
    hints: &arguments::Hints,
) -> Result<(), ApiError> {
    for (name, others) in [(SAME_HOST, &hints.same_host), (DIFFERENT_HOST, &hints.different_host)] {
        match affinity::link(tx, share, name, others).await? {
            Linked::Done => {}
            Linked::Gone(other) => return Err(gone(other)),
            Linked::Full(full) => {
                return Err(match full == share.id {
                    true => too_many("the new one"),
                    false => too_many(&full.to_string()),
                });
            }
        }
    }
    Ok(())
}

fn too_many(share: &str) -> ApiError {
    ApiError::bad_request(format!(
        "A share can be named with {MOST} others at most in scheduler hints of a kind: {share} \
         would be with more."
    ))
}

fn gone(share: ShareId) -> ApiError {
    ApiError::not_found(format!("ShareNotFound: Share {share} could not be found."))
}
