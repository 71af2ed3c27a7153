//! A stand-in for the policy.

use abaca::app::{Policy, Target};
use abaca::identity::Caller;

/// Everything to administrators, nothing else to anybody.
pub(crate) struct RolePolicy;

#[async_trait::async_trait]
impl Policy for RolePolicy {
    async fn allows(&self, _rule: &str, caller: &Caller, _target: Option<&Target>) -> bool {
        caller.has_role("admin")
    }
}
