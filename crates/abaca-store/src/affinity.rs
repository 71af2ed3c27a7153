//! Shares that were asked to be near one another, or apart: each keeps the ids of the others in
//! its metadata, under the names clients know.

use abaca_model::ShareId;

use crate::error::Result;
use crate::metadata::{self, Owner, Pairs};
use crate::tx::Tx;

/// The name that holds the shares it is near.
pub const SAME_HOST: &str = "__affinity_same_host";
/// The name that holds the shares it is apart from.
pub const DIFFERENT_HOST: &str = "__affinity_different_host";

/// Longest value of a pair; 27 ids with commas between them.
const LONGEST: usize = 1023;

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

/// Notes under `name` that `share` and each of `others` were asked to be near one another, or apart.
///
/// # Errors
/// What the database says.
pub async fn link(tx: &mut Tx, share: ShareId, name: &str, others: &[ShareId]) -> Result<Linked> {
    let mut others = others.to_vec();
    // In one order everywhere, so that two who do this do not wait for one another.
    others.sort_unstable();
    for other in others {
        if !metadata::lock(tx, Owner::Share(other)).await? {
            return Ok(Linked::Gone(other));
        }
        for (one, another) in [(other, share), (share, other)] {
            let mut ids = ids(tx, one, name).await?;
            ids.push(another.to_string());
            if !write(tx, one, name, &ids).await? {
                return Ok(Linked::Full(one));
            }
        }
    }
    Ok(Linked::Done)
}

/// Makes the others forget `share`, which is about to go.
///
/// # Errors
/// What the database says.
pub(crate) async fn forget(tx: &mut Tx, share: ShareId) -> Result<()> {
    for name in [SAME_HOST, DIFFERENT_HOST] {
        let mut others: Vec<ShareId> =
            ids(tx, share, name).await?.iter().filter_map(|id| id.parse().ok()).collect();
        others.sort_unstable();
        for other in others {
            if !metadata::lock(tx, Owner::Share(other)).await? {
                continue;
            }
            let mut ids = ids(tx, other, name).await?;
            ids.retain(|id| *id != share.to_string());
            write(tx, other, name, &ids).await?;
        }
    }
    Ok(())
}

async fn ids(tx: &mut Tx, share: ShareId, name: &str) -> Result<Vec<String>> {
    let pairs = metadata::all(tx, Owner::Share(share)).await?;
    let ids = pairs.get(name).map(|ids| ids.split(',').map(str::to_owned).collect());
    Ok(ids.unwrap_or_default())
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
