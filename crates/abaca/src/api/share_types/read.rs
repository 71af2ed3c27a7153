//! Listing and showing share types.

use std::collections::BTreeMap;

use abaca_model::ShareType;
use abaca_store::share_types::{self, Listed};

use super::{load, spec_filter, view, visible};
use crate::api::{ApiError, Call, Reply, V, dict_literal, strict_bool};

/// Lists share types, by name.
pub(in crate::api) async fn list(call: Call) -> Result<Reply, ApiError> {
    let filter = match call.query.get("extra_specs").filter(|text| !text.is_empty()) {
        Some(_) if !call.since(V(2, 43)) => {
            return Err(ApiError::bad_request(
                "Share types can be filtered by 'extra_specs' from microversion 2.43 on.",
            ));
        }
        Some(text) => dict_literal::read("extra_specs", text)?,
        None => BTreeMap::new(),
    };
    let listed = listed(&call)?;
    let mut tx = call.app.db.read().await?;
    let found: Vec<ShareType> = share_types::list(&mut tx, visible(&call), listed)
        .await?
        .into_iter()
        .filter(|share_type| {
            filter.iter().all(|(key, wanted)| spec_filter::accepts(share_type, key, wanted))
        })
        .collect();
    view::many(&call, &found)
}

/// Only administrators choose; others see what they may use.
pub(in crate::api) fn listed(call: &Call) -> Result<Listed<'_>, ApiError> {
    let usable = Listed::UsableBy(call.caller.project_id.as_deref().unwrap_or_default());
    let wanted = call.query.get("is_public").filter(|_| call.caller.is_admin);
    match wanted {
        None => Ok(usable),
        Some(text) if text.eq_ignore_ascii_case("all") => Ok(Listed::All),
        Some(text) => match strict_bool(text) {
            Some(true) => Ok(usable),
            Some(false) => Ok(Listed::Private),
            None => Err(ApiError::bad_request(format!(
                "Invalid is_public filter [{text}]. Expecting a boolean or \"all\"."
            ))),
        },
    }
}

/// Shows one share type.
pub(in crate::api) async fn show(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    match load(&call, &mut tx).await? {
        Some(share_type) => view::one(&call, &share_type, None),
        None => Err(ApiError::not_found("Share type not found.")),
    }
}

/// Shows the share type that stands in when a tenant names none.
pub(in crate::api) async fn default(call: Call) -> Result<Reply, ApiError> {
    let mut tx = call.app.db.read().await?;
    let name = &call.app.settings.default_share_type;
    match share_types::by_name(&mut tx, visible(&call), name).await? {
        Some(share_type) => view::one(&call, &share_type, None),
        None => Err(ApiError::not_found("Default share type not found.")),
    }
}
