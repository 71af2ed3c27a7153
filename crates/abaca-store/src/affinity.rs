//! Shares that were asked to be near one another, or apart: each keeps the ids of the others in
//! its metadata, under the names clients know. A share of another project is named, but does not
//! get to know of it: nobody writes what is not his project's.

use abaca_model::{Share, ShareId};

use crate::error::Result;
use crate::metadata::{self, Owner, Pairs};
use crate::shares;
use crate::tx::Tx;

/// The name that holds the shares it is near.
pub const SAME_HOST: &str = "__affinity_same_host";
/// The name that holds the shares it is apart from.
pub const DIFFERENT_HOST: &str = "__affinity_different_host";

/// Longest value of a pair.
const LONGEST: usize = 1023;
/// Most shares that one can be near, or apart from: their ids with commas between them are a value.
pub const MOST: usize = (LONGEST + 1) / 37;

/// What became of [`link`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// They know of one another.
    Done,
    /// There is no such share.
    Gone(ShareId),
    /// This share has no room for another id. Nothing must be committed.
    Full(ShareId),
}

/// Notes under `name` that `share` was asked to be near each of `others`, or apart; and with those
/// of its project that they are with it.
///
/// # Errors
/// What the database says.
pub async fn link(tx: &mut Tx, share: &Share, name: &str, others: &[ShareId]) -> Result<Linked> {
    let mut others = others.to_vec();
    // In one order everywhere, so that two who do this do not wait for one another.
    others.sort_unstable();
    for other in others {
        let Some(named) = shares::get(tx, other).await? else { return Ok(Linked::Gone(other)) };
        if named.project_id == share.project_id {
            if !metadata::lock(tx, Owner::Share(other)).await? {
                return Ok(Linked::Gone(other));
            }
            if !add(tx, other, name, share.id).await? {
                return Ok(Linked::Full(other));
            }
        }
        if !add(tx, share.id, name, other).await? {
            return Ok(Linked::Full(share.id));
        }
    }
    Ok(Linked::Done)
}

/// Makes the others forget `share`, which is about to go.
///
/// # Errors
/// What the database says.
pub(crate) async fn forget(tx: &mut Tx, share: ShareId) -> Result<()> {
    let own = share.to_string();
    for name in [SAME_HOST, DIFFERENT_HOST] {
        let mut others: Vec<ShareId> =
            ids(tx, share, name).await?.iter().filter_map(|id| id.parse().ok()).collect();
        others.sort_unstable();
        for other in others {
            // One of another project doesn't know of it, and is not even locked.
            if !ids(tx, other, name).await?.contains(&own)
                || !metadata::lock(tx, Owner::Share(other)).await?
            {
                continue;
            }
            let mut ids = ids(tx, other, name).await?;
            ids.retain(|id| *id != own);
            write(tx, other, name, &ids).await?;
        }
    }
    Ok(())
}

async fn ids(tx: &mut Tx, share: ShareId, name: &str) -> Result<Vec<String>> {
    let ids = metadata::get(tx, Owner::Share(share), name).await?;
    Ok(ids.map(|ids| ids.split(',').map(str::to_owned).collect()).unwrap_or_default())
}

/// `false`: they are too many.
async fn add(tx: &mut Tx, share: ShareId, name: &str, other: ShareId) -> Result<bool> {
    let mut ids = ids(tx, share, name).await?;
    ids.push(other.to_string());
    write(tx, share, name, &ids).await
}

/// `false`: they are too many.
async fn write(tx: &mut Tx, share: ShareId, name: &str, ids: &[String]) -> Result<bool> {
    let (owner, value) = (Owner::Share(share), ids.join(","));
    if value.len() > LONGEST {
        return Ok(false);
    }
    if value.is_empty() {
        metadata::remove(tx, owner, &[name]).await?;
    } else {
        metadata::put(tx, owner, &Pairs::from([(name.to_owned(), value)])).await?;
    }
    Ok(true)
}
