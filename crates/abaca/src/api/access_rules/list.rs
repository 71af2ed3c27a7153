//! The rules of a share.

use abaca_model::{AccessLevel, AccessType};
use abaca_store::access_rules::{self, Filter, Of};

use super::{client, load, view};
use crate::api::resource_locks::restricted_rules;
use crate::api::shares::{find, target, visible};
use crate::api::{ApiError, Call, Query, Reply, V};

/// Query keys that a rule must equal; each is its column.
const EQUAL: [&str; 5] = ["id", "access_type", "access_key", "access_to", "access_level"];

/// Those of them that a lock on reading hides.
const HIDDEN: [&str; 2] = ["access_key", "access_to"];

/// `POST /shares/{id}/action` with `access_list`, before 2.7 `os-access_list`; not since 2.45.
pub(crate) async fn list_of_share(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let share = visible(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share:access_get_all", &target(&share)).await?;
    reply(&call, share.id.uuid(), &Filter::default()).await
}

/// `GET /share-access-rules?share_id={share_id}`
pub(crate) async fn index(call: Call) -> Result<Reply, ApiError> {
    let id = call.query.get("share_id");
    let id =
        id.ok_or_else(|| ApiError::bad_request("The field 'share_id' has to be specified."))?;
    let filter = filter(&call.query, call.since(V(2, 82)))?;
    let mut tx = call.app.db.read().await?;
    // As the reference: it is the query that is wrong, not the path.
    let unknown = || ApiError::bad_request(format!("Share {id} not found."));
    let share = find(&call, &mut tx, id).await?.ok_or_else(unknown)?;
    drop(tx);
    call.authorise("share_access_rule:index", &target(&share)).await?;
    call.authorise("share:access_get_all", &target(&share)).await?;
    reply(&call, share.id.uuid(), &filter).await
}

/// `GET /share-access-rules/{id}`
pub(crate) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let (rule, share) = load::rule(&call, &mut tx).await?;
    drop(tx);
    call.authorise("share_access_rule:get", &target(&share)).await?;
    let restricted = restricted_rules(&call, rule.resource_id).await?.contains(&rule.id);
    let mut tx = call.app.db.read().await?;
    Reply::ok(&view::one(&call, &mut tx, &rule, restricted).await?)
}

async fn reply(call: &Call, share_id: uuid::Uuid, filter: &Filter) -> Result<Reply, ApiError> {
    // The rules first: of one that is made and locked later, nothing is shown.
    let mut tx = call.app.db.read().await?;
    let mut rules = access_rules::of_resource(&mut tx, Of::Shares, share_id, filter).await?;
    drop(tx);
    let restricted = restricted_rules(call, share_id).await?;
    // To find a rule by what is hidden would tell it.
    if filter.equal.iter().any(|(key, _)| HIDDEN.contains(key)) {
        rules.retain(|rule| !restricted.contains(&rule.id));
    }
    let mut tx = call.app.db.read().await?;
    Reply::ok(&view::all(call, &mut tx, &rules, &restricted).await?)
}

/// `checked`: values that no rule can have are refused; before that was so, they find nothing.
fn filter(query: &Query, checked: bool) -> Result<Filter, ApiError> {
    let equal = EQUAL.into_iter().filter_map(|key| Some((key, query.get(key)?.to_owned())));
    let metadata = query.dictionary("metadata")?;
    if checked {
        check(query)?;
    }
    Ok(Filter { equal: equal.collect(), metadata })
}

fn check(query: &Query) -> Result<(), ApiError> {
    let given = |key| query.get(key).filter(|text| !text.is_empty());
    let access_type = given("access_type").map(|text| {
        text.parse::<AccessType>().map_err(|_| {
            ApiError::bad_request(format!("Invalid or unsupported share access type: {text}."))
        })
    });
    match (access_type.transpose()?, given("access_to")) {
        (None, Some(_)) => {
            return Err(ApiError::bad_request(
                "Invalid input received: 'access_type' parameter must be provided when specifying \
                 'access_to'.",
            ));
        }
        (Some(access_type), Some(text)) => client::check(access_type, text, true)?,
        (_, None) => {}
    }
    match given("access_level") {
        Some(text) if text.parse::<AccessLevel>().is_err() => Err(ApiError::bad_request(format!(
            "Invalid or unsupported share access level: {text}."
        ))),
        _ => Ok(()),
    }
}
