//! The access rules of shares and snapshots, kept beside the bytes for whatever exports them.
//!
//! `access.json` is replaced as a whole by a rename, so that a reader sees one list or the other:
//!
//! ```json
//! {"format": 1, "generation": 1763914304000000,
//!  "rules": [{"id": "…", "type": "ip", "to": "10.0.0.0/24", "level": "rw"}]}
//! ```
//!
//! - `type` is `ip` (an address, or a network with its prefix or netmask, IPv4 or IPv6) or `user`.
//! - `level` is `rw` or `ro`; a snapshot is read-only whatever it says.
//! - `generation` rises with each change. Without the file, and without a rule that names it, a
//!   client is kept out.

use serde::{Deserialize, Serialize};

use super::failure::{FsError, FsResult, Stop};
use super::records::{Kind, ShareRecord, SnapshotRecord};
use super::root::Root;
use crate::{
    AccessList, AccessRule, AccessTarget, AccessType, DriverError, RuleOutcome, RuleOutcomes,
};

const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct AccessFile {
    format: u32,
    #[serde(flatten)]
    list: AccessList,
}

/// The rules in force, if the object is there.
pub(super) fn find(root: &Root, target: AccessTarget) -> FsResult<Option<AccessList>> {
    if protocol(root, target)?.is_none() {
        return Ok(None);
    }
    present(root, target).map(Some)
}

/// Makes `list` the rules, but those that no file server could act on.
pub(super) fn apply(
    root: &Root,
    target: AccessTarget,
    list: AccessList,
) -> Result<RuleOutcomes, Stop> {
    let protocol = protocol(root, target)?;
    let protocol = protocol.ok_or_else(|| DriverError::target_not_found(target))?;
    let generation = match present(root, target) {
        // Nobody is let in by a list that can't be read; this call makes it good.
        Err(error @ FsError::Damaged { .. }) => {
            tracing::warn!(%error, "replacing it");
            0
        }
        present => present?.generation,
    };
    DriverError::check_generation(generation, list.generation)?;
    let mut outcomes = RuleOutcomes::new();
    let mut left = AccessList { generation: list.generation, rules: Vec::new() };
    for rule in list.rules {
        let outcome = match refusal(protocol.as_deref(), &rule) {
            Some(reason) => RuleOutcome::Refused { reason: reason.to_owned() },
            None => RuleOutcome::Applied { access_key: None },
        };
        outcomes.insert(rule.id, outcome.clone());
        if outcome == (RuleOutcome::Applied { access_key: None }) {
            left.rules.push(rule);
        }
    }
    left.rules.sort_by_key(|rule| rule.id);
    let (kind, id) = (kind(target), target.id());
    root.replace_access(kind, id, &AccessFile { format: FORMAT, list: left })?;
    Ok(outcomes)
}

fn kind(target: AccessTarget) -> Kind {
    match target {
        AccessTarget::Share(_) => Kind::Share,
        AccessTarget::Snapshot { .. } => Kind::Snapshot,
    }
}

/// The protocol of the object, as far as it is known; `None`: there is no such object.
fn protocol(root: &Root, target: AccessTarget) -> FsResult<Option<Option<String>>> {
    Ok(match target {
        AccessTarget::Share(id) => {
            root.record::<ShareRecord>(Kind::Share, id)?.map(|share| Some(share.protocol))
        }
        AccessTarget::Snapshot { id, share_instance_id } => root
            .record::<SnapshotRecord>(Kind::Snapshot, id)?
            .filter(|snapshot| snapshot.share_instance_id == share_instance_id)
            .map(|snapshot| snapshot.protocol),
    })
}

fn present(root: &Root, target: AccessTarget) -> FsResult<AccessList> {
    let file = root.access::<AccessFile>(kind(target), target.id())?;
    match file {
        None => Ok(AccessList::default()),
        Some(file) if file.format == FORMAT => Ok(file.list),
        Some(file) => Err(FsError::Damaged {
            what: format!(
                "access.json of {} has format {}, this version knows only {FORMAT}",
                target.id(),
                file.format
            ),
        }),
    }
}

/// Why no file server for this protocol could tell the rule's client from others.
fn refusal(protocol: Option<&str>, rule: &AccessRule) -> Option<&'static str> {
    match rule.access_type {
        AccessType::Ip => None,
        AccessType::User if protocol == Some("NFS") => {
            Some("This backend knows NFS clients by their address only: use the access type ip.")
        }
        AccessType::User => None,
        AccessType::Cert | AccessType::Cephx => Some(
            "This backend knows clients by address or user only: use the access type ip or user.",
        ),
    }
}
