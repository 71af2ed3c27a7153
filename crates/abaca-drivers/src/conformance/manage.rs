//! Giving shares and snapshots up, and taking them into use.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

use super::{Bench, Outcome, Problem, ensure, ensure_error, snapshot_of};
use crate::{
    AccessLevel, AccessList, AccessRule, AccessTarget, AccessType, Driver, DriverError,
    ManageShare, ManageSnapshot, NewShare, NewSnapshot, SnapshotRef,
};

/// A share that was given up by generation 1.
struct GivenUp {
    driver: Arc<dyn Driver>,
    share: NewShare,
    export_path: String,
    path: Option<PathBuf>,
}

impl GivenUp {
    /// `None` where nothing can be given up.
    async fn new(bench: &Bench<'_>) -> Result<Option<Self>, Problem> {
        let driver = bench.open().await?;
        let (share, path) = bench.share(&*driver).await?;
        if let Some(path) = &path {
            fs::write(path.join("file"), "bytes")?;
        }
        let found = driver.get_share(share.id).await?;
        let export = found.and_then(|found| found.exports.into_iter().next());
        let export_path = export.ok_or(Problem("a share has no exports".to_owned()))?.path;
        match driver.unmanage_share(share.id, 1).await {
            Err(DriverError::Unsupported { .. }) => {
                driver.delete_share(share.id).await?;
                return Ok(None);
            }
            other => other?,
        }
        Ok(Some(Self { driver, share, export_path, path }))
    }

    fn wanted(&self, id: Uuid, generation: u64) -> ManageShare {
        ManageShare {
            id,
            export_path: self.export_path.clone(),
            protocol: self.share.protocol.clone(),
            pool: self.share.pool.clone(),
            mount_point_name: None,
            size_gb: None,
            allowed_gb: 1..=u64::MAX,
            generation,
        }
    }
}

pub(super) async fn a_share_that_was_given_up_is_left_alone(bench: &Bench<'_>) -> Outcome {
    let Some(given_up) = GivenUp::new(bench).await? else { return Ok(()) };
    let (driver, id) = (&given_up.driver, given_up.share.id);
    driver.unmanage_share(id, 1).await?;
    driver.unmanage_share(Uuid::new_v4(), 1).await?;
    ensure!(driver.get_share(id).await?.is_none(), "a share that was given up is found");
    ensure!(driver.list_shares().await?.is_empty(), "a share that was given up is listed");
    ensure_error!(driver.extend_share(id, 2).await, DriverError::NotFound { .. });
    ensure_error!(driver.ensure_share(id).await, DriverError::NotFound { .. });
    driver.delete_share(id).await?;
    if let Some(path) = &given_up.path {
        ensure!(fs::read(path.join("file"))? == b"bytes", "its bytes are not as they were");
    }
    let driver = bench.open().await?;
    ensure!(driver.list_shares().await?.is_empty(), "a restart brings it back");
    let found = driver.manage_share(&given_up.wanted(id, 2)).await?;
    ensure!(found.exports.iter().any(|export| export.path == given_up.export_path), "{found:?}");
    Ok(driver.delete_share(id).await?)
}

pub(super) async fn a_share_is_taken_into_use_by_its_export_path(bench: &Bench<'_>) -> Outcome {
    let Some(given_up) = GivenUp::new(bench).await? else { return Ok(()) };
    let (driver, id) = (&given_up.driver, Uuid::new_v4());
    let wanted = given_up.wanted(id, 1);
    let made = driver.manage_share(&wanted).await?;
    ensure!((made.id, made.size_gb) == (id, 1), "it is not what was asked for: {made:?}");
    ensure!(driver.manage_share(&wanted).await? == made, "the second call says something else");
    ensure!(driver.list_shares().await? == [made.clone()], "it is not listed");
    ensure!(driver.get_share(given_up.share.id).await?.is_none(), "it has its old id too");
    let path = made.exports.first().and_then(|export| bench.subject.local_path(&export.path));
    if let Some(path) = path {
        ensure!(fs::read(path.join("file"))? == b"bytes", "its bytes are not there");
    }
    driver.extend_share(id, 2).await?;
    driver.delete_share(id).await?;
    ensure_error!(
        driver.manage_share(&wanted).await,
        DriverError::NotFound { .. } | DriverError::InvalidInput { .. }
    );
    Ok(())
}

pub(super) async fn what_can_not_be_taken_stays_as_it_is(bench: &Bench<'_>) -> Outcome {
    let Some(given_up) = GivenUp::new(bench).await? else { return Ok(()) };
    let (driver, id) = (&given_up.driver, Uuid::new_v4());
    let good = given_up.wanted(id, 1);
    for export_path in ["", "/", "x", "/etc", "../..", "127.0.0.1:/nowhere"] {
        let wrong = ManageShare { export_path: export_path.to_owned(), ..good.clone() };
        ensure_error!(driver.manage_share(&wrong).await, DriverError::InvalidInput { .. });
    }
    let nested = ManageShare { export_path: format!("{}/..", good.export_path), ..good.clone() };
    ensure_error!(driver.manage_share(&nested).await, DriverError::InvalidInput { .. });
    let too_large = ManageShare { allowed_gb: 2..=3, ..good.clone() };
    ensure_error!(
        driver.manage_share(&too_large).await,
        DriverError::InvalidInput { field: "size", .. }
    );
    let elsewhere = ManageShare { pool: "no pool of this name".to_owned(), ..good.clone() };
    ensure_error!(driver.manage_share(&elsewhere).await, DriverError::NotFound { .. });
    let (kept, _) = bench.share(&**driver).await?;
    let found = driver.get_share(kept.id).await?.ok_or(Problem("it is gone".to_owned()))?;
    for export in found.exports {
        let in_use = ManageShare { export_path: export.path, ..good.clone() };
        ensure_error!(driver.manage_share(&in_use).await, DriverError::InvalidInput { .. });
    }
    driver.delete_share(kept.id).await?;
    driver.manage_share(&ManageShare { size_gb: Some(3), ..good }).await?;
    let size = driver.get_share(id).await?.map(|share| share.size_gb);
    ensure!(size == Some(3), "the size asked for is {size:?}");
    Ok(driver.delete_share(id).await?)
}

pub(super) async fn a_late_call_neither_takes_nor_gives_up(bench: &Bench<'_>) -> Outcome {
    let Some(given_up) = GivenUp::new(bench).await? else { return Ok(()) };
    let (driver, id) = (&given_up.driver, Uuid::new_v4());
    driver.manage_share(&given_up.wanted(id, 1)).await?;
    let target = AccessTarget::Share(id);
    ensure!(driver.get_access(target).await? == Some(AccessList::default()), "somebody is let in");
    let rule = AccessRule {
        id: Uuid::new_v4(),
        access_type: AccessType::Ip,
        access_to: "10.0.0.1".to_owned(),
        access_level: AccessLevel::ReadWrite,
    };
    let access = AccessList { generation: 1, rules: vec![rule] };
    driver.apply_access(target, &access).await?;
    driver.unmanage_share(id, 2).await?;
    ensure_error!(
        driver.manage_share(&given_up.wanted(id, 1)).await,
        DriverError::InvalidInput { .. }
    );
    ensure!(driver.get_share(id).await?.is_none(), "a late call took it into use");
    driver.manage_share(&given_up.wanted(id, 3)).await?;
    ensure!(driver.get_access(target).await? == Some(access), "its rules are gone");
    ensure_error!(driver.unmanage_share(id, 2).await, DriverError::InvalidInput { .. });
    ensure!(driver.get_share(id).await?.is_some(), "a late call gave it up");
    Ok(driver.delete_share(id).await?)
}

pub(super) async fn a_snapshot_is_given_up_and_taken_into_use(bench: &Bench<'_>) -> Outcome {
    let driver = bench.open().await?;
    let (share, path) = bench.share(&*driver).await?;
    if let Some(path) = &path {
        fs::write(path.join("file"), "bytes")?;
    }
    let new = snapshot_of(&share);
    let old = driver.create_snapshot(&new).await?;
    match driver.unmanage_snapshot(&(&old).into(), 1).await {
        Err(DriverError::Unsupported { .. }) => {
            driver.delete_snapshot(&new.into()).await?;
            return Ok(driver.delete_share(share.id).await?);
        }
        other => other?,
    }
    ensure!(driver.get_snapshot(new.id, share.id).await?.is_none(), "it is found");
    ensure!(driver.list_snapshots().await?.is_empty(), "it is listed");
    driver.delete_snapshot(&new.into()).await?;
    let wanted = |id: Uuid, share_instance_id: Uuid, generation: u64| ManageSnapshot {
        snapshot: NewSnapshot { id, share_instance_id },
        provider_location: old.provider_location.clone(),
        generation,
    };
    let id = Uuid::new_v4();
    let (other, _) = bench.share(&*driver).await?;
    for wrong in [
        wanted(id, other.id, 1),
        ManageSnapshot { provider_location: "x".to_owned(), ..wanted(id, share.id, 1) },
    ] {
        ensure_error!(driver.manage_snapshot(&wrong).await, DriverError::InvalidInput { .. });
    }
    driver.delete_share(other.id).await?;

    // Its share comes back by another id, and it still is one of that share.
    let export = driver.get_share(share.id).await?.and_then(|found| found.exports.first().cloned());
    let export_path = export.map(|export| export.path).unwrap_or_default();
    driver.unmanage_share(share.id, 1).await?;
    let again = Uuid::new_v4();
    let share = GivenUp { driver: driver.clone(), share, export_path, path };
    driver.manage_share(&share.wanted(again, 1)).await?;
    let made = driver.manage_snapshot(&wanted(id, again, 1)).await?;
    ensure!((made.id, made.share_instance_id) == (id, again), "not what was asked for: {made:?}");
    ensure!(driver.manage_snapshot(&wanted(id, again, 1)).await? == made, "not the same again");
    ensure!(driver.list_snapshots().await? == [made.clone()], "it is not listed");
    if let Some(path) = bench.subject.local_path(&made.provider_location) {
        ensure!(fs::read(path.join("file"))? == b"bytes", "its bytes are not there");
    }
    let in_use = ManageSnapshot {
        provider_location: made.provider_location.clone(),
        ..wanted(Uuid::new_v4(), again, 1)
    };
    ensure_error!(driver.manage_snapshot(&in_use).await, DriverError::InvalidInput { .. });
    let reference = SnapshotRef::from(&made);
    driver.unmanage_snapshot(&reference, 2).await?;
    ensure_error!(
        driver.manage_snapshot(&wanted(id, again, 1)).await,
        DriverError::InvalidInput { .. }
    );
    driver.manage_snapshot(&wanted(id, again, 3)).await?;
    ensure_error!(driver.unmanage_snapshot(&reference, 2).await, DriverError::InvalidInput { .. });
    driver.delete_snapshot(&reference).await?;
    Ok(driver.delete_share(again).await?)
}
