//! Access rules of the simulated backend: every type is known, and refused on demand only.

use super::faults::Faults;
use super::state::Objects;
use crate::{
    AccessList, AccessRule, AccessTarget, AccessType, DriverResult, RuleOutcome, RuleOutcomes,
};

/// The list of an object, if that is there.
pub(super) fn find(objects: &mut Objects, target: AccessTarget) -> Option<&mut AccessList> {
    match target {
        AccessTarget::Share(id) => objects.shares.get_mut(&id).map(|share| &mut share.access),
        AccessTarget::Snapshot { id, share_instance_id } => objects
            .snapshots
            .get_mut(&id)
            .filter(|snapshot| snapshot.share_instance_id == share_instance_id)
            .map(|snapshot| &mut snapshot.access),
    }
}

/// What becomes of each rule, and those that are left.
pub(super) fn judge(
    access: &AccessList,
    faults: &Faults,
) -> DriverResult<(RuleOutcomes, AccessList)> {
    let mut outcomes = RuleOutcomes::new();
    let mut left = AccessList { generation: access.generation, rules: Vec::new() };
    for rule in &access.rules {
        let outcome = if faults.refuse(&rule.access_to)? {
            RuleOutcome::Refused { reason: "The fault settings refuse this client.".to_owned() }
        } else {
            left.rules.push(rule.clone());
            RuleOutcome::Applied { access_key: key(rule) }
        };
        outcomes.insert(rule.id, outcome);
    }
    left.rules.sort_by_key(|rule| rule.id);
    Ok((outcomes, left))
}

/// What stands for a Ceph client's key: the same for a rule each time.
fn key(rule: &AccessRule) -> Option<String> {
    (rule.access_type == AccessType::Cephx).then(|| format!("AQ{}==", rule.id.simple()))
}
