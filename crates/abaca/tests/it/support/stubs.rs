//! A stand-in for the policy.

use abaca::app::{Policy, Target};
use abaca::identity::Caller;

/// What anybody may do by default.
const READ: [&str; 4] =
    ["availability_zone:index", "share_type:index", "share_type:show", "share_type:default"];

/// Everything to administrators, reading what is public to everybody.
pub(super) struct RolePolicy;

#[async_trait::async_trait]
impl Policy for RolePolicy {
    async fn allows(&self, rule: &str, caller: &Caller, _target: Option<&Target>) -> bool {
        caller.has_role("admin") || READ.contains(&rule)
    }
}
