//! Listing and showing share group types.

use std::collections::BTreeMap;

use abaca_store::share_group_types;

use super::{load, view};
use crate::api::share_types::{listed, visible};
use crate::api::{ApiError, Call, Reply, V, dict_literal};

/// Lists share group types, by name.
pub(in crate::api) async fn list(call: Call) -> Result<Reply, ApiError> {
    let wanted = wanted_specs(&call)?;
    let listed = listed(&call)?;
    let mut tx = call.app.db.read().await?;
    let found = share_group_types::list(&mut tx, visible(&call), listed).await?;
    let shown = found.iter().filter(|group_type| {
        wanted.iter().all(|(key, value)| group_type.group_specs.get(key) == Some(value))
    });
    view::many(&call, shown)
}

/// The filter `group_specs={'key': 'value'}`.
fn wanted_specs(call: &Call) -> Result<BTreeMap<String, String>, ApiError> {
    let Some(text) = call.query.get("group_specs").filter(|text| !text.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    if !call.since(V(2, 66)) {
        return Err(ApiError::bad_request(
            "Share group types can be filtered by 'group_specs' from microversion 2.66 on.",
        ));
    }
    dict_literal::read("group_specs", text)
}

/// Shows one share group type.
pub(in crate::api) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    view::one(&call, &load(&call, &mut tx).await?)
}

/// Shows the share group type that the configuration names as the default.
pub(in crate::api) async fn default(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let found = match &call.app.settings.default_share_group_type {
        Some(name) => share_group_types::by_name(&mut tx, visible(&call), name).await?,
        None => None,
    };
    match found {
        Some(group_type) => view::one(&call, &group_type),
        None => Err(ApiError::not_found("Default share group type not found.")),
    }
}
