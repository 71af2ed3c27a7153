//! Changing metadata. Each change is one transaction that holds the resource's row.

use abaca_store::metadata::{self, Owner, Pairs};
use abaca_store::{Tx, retry_conflicts};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::pairs::{self, names_admin_only};
use super::resource::{Access, Resource};
use super::show::no_such_item;
use crate::api::{ApiError, Call, Reply};

/// `POST .../metadata`: adds to what is there; a name that is there gets the new value.
pub(crate) async fn merge(call: Call, resource: Resource) -> Result<Reply, ApiError> {
    let given = pairs::given(&call, resource)?.unwrap_or_default();
    let pairs = change(&call, resource, Change::Merge(&given)).await?;
    Reply::ok(&json!({ "metadata": pairs }))
}

/// `PUT .../metadata`: what is not given goes. An administrator's pairs stay, unless the request
/// has one of them too.
pub(crate) async fn replace(call: Call, resource: Resource) -> Result<Reply, ApiError> {
    let given = pairs::given(&call, resource)?;
    let pairs = change(&call, resource, Change::Replace(given.as_ref().unwrap_or(&EMPTY))).await?;
    // Null is answered by null, where nothing is left.
    let shown = if given.is_none() && pairs.is_empty() { Value::Null } else { json!(pairs) };
    Reply::ok(&json!({ "metadata": shown }))
}

/// `POST .../metadata/{key}`: sets this one pair.
pub(crate) async fn set(call: Call, resource: Resource) -> Result<Reply, ApiError> {
    let given = pairs::one(&call, resource)?;
    change(&call, resource, Change::Set(&given)).await?;
    Reply::ok(&json!({ "metadata": given }))
}

/// `DELETE .../metadata/{key}`
pub(crate) async fn remove(call: Call, resource: Resource) -> Result<Reply, ApiError> {
    change(&call, resource, Change::Remove(call.path("key"))).await?;
    Ok(Reply::empty(StatusCode::OK))
}

static EMPTY: Pairs = Pairs::new();

#[derive(Clone, Copy)]
enum Change<'a> {
    Merge(&'a Pairs),
    /// As `Merge`; the answer shows what was given alone.
    Set(&'a Pairs),
    Replace(&'a Pairs),
    Remove(&'a str),
}

/// The metadata after the change, if the answer shows it.
async fn change(call: &Call, resource: Resource, change: Change<'_>) -> Result<Pairs, ApiError> {
    let mut tx = call.app.db.read().await?;
    let access = if let Change::Remove(_) = change { Access::Delete } else { Access::Update };
    let found = resource.find(call, &mut tx, access).await?;
    drop(tx);
    let is_admins = match change {
        Change::Merge(given) | Change::Set(given) | Change::Replace(given) => {
            names_admin_only(call, resource, given.keys())
        }
        Change::Remove(name) => names_admin_only(call, resource, [name]),
    };
    if let Some(rule) = is_admins {
        call.authorise(rule, &found.target).await?;
    }
    let admins = resource.admin_only(call).filter(|_| is_admins.is_none());
    let kept = admins.map_or(&[][..], |(names, _)| names);
    retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        if !metadata::lock(&mut tx, found.owner).await? {
            return Err(resource.gone());
        }
        match change {
            Change::Merge(given) | Change::Set(given) => {
                metadata::put(&mut tx, found.owner, given).await?;
            }
            Change::Replace(given) => {
                remove_others(&mut tx, found.owner, given, kept).await?;
                metadata::put(&mut tx, found.owner, given).await?;
            }
            Change::Remove(name) => {
                if metadata::remove(&mut tx, found.owner, &[name]).await? == 0 {
                    return Err(no_such_item());
                }
            }
        }
        let pairs = match change {
            Change::Merge(_) | Change::Replace(_) => metadata::all(&mut tx, found.owner).await?,
            Change::Set(_) | Change::Remove(_) => Pairs::new(),
        };
        tx.commit().await?;
        Ok(pairs)
    })
    .await
}

async fn remove_others(
    tx: &mut Tx,
    owner: Owner,
    given: &Pairs,
    kept: &[String],
) -> Result<(), ApiError> {
    let there = metadata::all(tx, owner).await?;
    let others = there.keys().filter(|name| !given.contains_key(*name) && !kept.contains(name));
    let others: Vec<_> = others.map(String::as_str).collect();
    metadata::remove(tx, owner, &others).await?;
    Ok(())
}
