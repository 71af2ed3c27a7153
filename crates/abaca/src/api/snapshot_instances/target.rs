//! Whom a snapshot instance belongs to, as the policy asks.

use abaca_store::snapshot_instances::Owner;
use serde_json::json;

use crate::api::Call;
use crate::app::Target;

/// The target of a rule about one instance: its snapshot's project and user.
pub(super) fn of(owner: &Owner) -> Target {
    Target::from_iter([
        ("project_id".to_owned(), json!(owner.project_id)),
        ("user_id".to_owned(), json!(owner.user_id)),
    ])
}

/// The project whose instances alone a list may show; `None`: those of every project.
///
/// By default only administrators see instances, and they see all. A policy file may open the list
/// to the members of a project (`project_id:%(project_id)s`): to them it is that project's list.
/// The rule is held against a target that nobody owns; whom it lets see that, it lets see all.
pub(super) async fn only_project(call: &Call, rule: &str) -> Option<String> {
    let nobodys = of(&Owner { project_id: String::new(), user_id: String::new() });
    if call.allows(rule, Some(&nobodys)).await {
        return None;
    }
    Some(call.caller.project_id.clone().unwrap_or_default())
}
