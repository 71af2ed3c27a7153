//! The rules that every driver obeys, as a suite that runs against any of them.
//!
//! A driver's own tests implement [`Subject`] and call [`run`]; a rule that does not hold comes
//! back as a [`Violation`]. Rules about bytes run when the subject can reach them as local files.

mod access;
mod bytes;
mod concurrency;
pub mod file_systems;
mod life;
mod manage;
mod replicas;
mod trees;

use std::collections::BTreeSet;
use std::error::Error;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use crate::{AccessType, BuildError, Driver, NewShare, NewSnapshot};

/// A backend under test.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Builds the driver over the same state each time, as a restart does.
    async fn open(&self) -> Result<Arc<dyn Driver>, BuildError>;

    /// Where the files behind an export path or a provider location are on this machine.
    /// `None` when the backend has no bytes, or none that can be reached here.
    fn local_path(&self, location: &str) -> Option<PathBuf>;

    /// A client whose access rules the backend refuses while it applies others, if there is one.
    fn refused_client(&self) -> Option<(AccessType, &'static str)>;

    /// Whatever the backend keeps beside complete objects: temporary files, locks. Empty after a
    /// sweep when no call runs.
    fn leftovers(&self) -> Vec<String>;
}

/// A rule that a driver broke.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{rule}: {problem}")]
pub struct Violation {
    /// Name of the rule, a function of this module.
    pub rule: &'static str,
    /// What was seen, and what was expected.
    pub problem: String,
}

/// What a rule found wrong: a check that failed, or an error where none was expected.
#[derive(Debug)]
struct Problem(String);

impl<E: Error> From<E> for Problem {
    fn from(error: E) -> Self {
        let mut text = format!("unexpected error: {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        Self(text)
    }
}

type Outcome = Result<(), Problem>;

/// Ends the rule with a message unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Problem(format!($($message)+)));
        }
    };
}

/// Ends the rule unless the result is an error of that shape.
macro_rules! ensure_error {
    ($result:expr, $shape:pat) => {
        match $result {
            Err($shape) => {}
            other => {
                return Err($crate::conformance::Problem(format!(
                    "expected {}, got {other:?}",
                    stringify!($shape)
                )))
            }
        }
    };
}
use {ensure, ensure_error};

type Rule = for<'a> fn(&'a Bench<'a>) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

macro_rules! rules {
    ($($module:ident :: $name:ident),+ $(,)?) => {
        &[$((stringify!($name), |bench| Box::pin($module::$name(bench)))),+]
    };
}

const RULES: &[(&str, Rule)] = rules![
    life::capabilities_have_the_shape_of_the_api,
    life::creating_a_share_twice_is_creating_it_once,
    life::a_share_is_mounted_by_the_name_it_was_given,
    life::unknown_objects_are_absent_and_deleting_them_succeeds,
    life::lists_agree_with_single_queries,
    life::resizing_is_recorded_and_checked,
    life::creating_a_snapshot_twice_is_creating_it_once,
    life::a_snapshot_belongs_to_one_share,
    life::a_snapshot_outlives_its_share,
    life::creating_from_a_snapshot_wants_the_snapshot,
    life::a_share_is_reverted_once_by_each_call,
    life::ensuring_a_share_gives_its_exports,
    life::an_unknown_pool_is_refused,
    life::a_restart_forgets_nothing,
    concurrency::equal_calls_at_once_agree,
    concurrency::creates_and_deletes_at_once_end_in_one_state,
    concurrency::many_objects_at_once,
    concurrency::a_dropped_call_can_be_repeated,
    concurrency::a_snapshot_beside_the_deletion_of_its_share_is_whole_or_refused,
    concurrency::a_sweep_beside_running_calls_harms_nothing,
    access::the_last_list_is_in_force,
    access::one_refused_rule_does_not_stop_the_others,
    access::a_list_that_was_overtaken_changes_nothing,
    access::of_lists_at_once_the_latest_stays,
    access::a_list_goes_with_its_object_and_nowhere_else,
    access::what_is_not_there_has_no_rules,
    bytes::a_snapshot_keeps_the_bytes_of_its_moment,
    bytes::a_share_from_a_snapshot_has_its_bytes_and_its_own_life,
    bytes::a_reverted_share_has_the_bytes_of_its_snapshot,
    bytes::shrinking_below_the_data_is_refused,
    replicas::a_replica_follows_its_source,
    replicas::a_promoted_share_is_not_overwritten_by_late_updates,
    replicas::a_replica_is_promoted_without_its_source,
    replicas::a_snapshot_is_brought_over,
    manage::a_share_that_was_given_up_is_left_alone,
    manage::a_share_is_taken_into_use_by_its_export_path,
    manage::what_can_not_be_taken_stays_as_it_is,
    manage::a_late_call_neither_takes_nor_gives_up,
    manage::a_snapshot_is_given_up_and_taken_into_use,
    trees::a_snapshot_keeps_what_files_are,
    trees::a_share_moves_with_its_snapshots,
    trees::whatever_is_changed_in_a_tree_can_be_seen,
    trees::symlinks_lead_nowhere,
    trees::deep_wide_and_oddly_named_trees_are_kept,
    trees::unwritable_directories_can_be_kept_and_deleted,
];

/// Runs every rule; the first that is broken ends the run. The backend must be empty, and is left
/// empty.
pub async fn run(subject: &dyn Subject) -> Result<(), Violation> {
    for (rule, check) in RULES {
        let violation = |problem: String| Violation { rule, problem };
        let bench = Bench { subject };
        check(&bench).await.map_err(|problem| violation(problem.0))?;
        bench.nothing_is_left().await.map_err(|problem| violation(problem.0))?;
    }
    Ok(())
}

/// What the rules work with.
struct Bench<'a> {
    subject: &'a dyn Subject,
}

impl Bench<'_> {
    async fn open(&self) -> Result<Arc<dyn Driver>, Problem> {
        Ok(self.subject.open().await?)
    }

    /// A share to be made, in the first pool.
    async fn new_share(&self, driver: &dyn Driver) -> Result<NewShare, Problem> {
        let stats = driver.stats().await?;
        let pool = stats.into_iter().next().ok_or(Problem("there is no pool".to_owned()))?;
        let protocol = pool.storage_protocol.split('_').next().unwrap_or("NFS").to_owned();
        Ok(NewShare {
            id: Uuid::new_v4(),
            size_gb: 1,
            protocol,
            pool: pool.pool_name,
            mount_point_name: None,
        })
    }

    /// A share that was made, and where its files are.
    async fn share(&self, driver: &dyn Driver) -> Result<(NewShare, Option<PathBuf>), Problem> {
        let share = self.new_share(driver).await?;
        let exports = driver.create_share(&share).await?;
        let path = exports.first().and_then(|export| self.subject.local_path(&export.path));
        Ok((share, path))
    }

    /// Every rule deletes what it made; then nothing may be left of it.
    async fn nothing_is_left(&self) -> Outcome {
        let driver = self.open().await?;
        let (shares, snapshots) = (driver.list_shares().await?, driver.list_snapshots().await?);
        ensure!(shares.is_empty(), "shares are left after they were deleted: {shares:?}");
        ensure!(snapshots.is_empty(), "snapshots are left after they were deleted: {snapshots:?}");
        let report = driver.sweep(&BTreeSet::new()).await?;
        ensure!(report.busy == 0, "a call still runs: {report:?}");
        let leftovers = self.subject.leftovers();
        ensure!(leftovers.is_empty(), "the sweep left {leftovers:?}");
        Ok(())
    }
}

fn snapshot_of(share: &NewShare) -> NewSnapshot {
    NewSnapshot { id: Uuid::new_v4(), share_instance_id: share.id }
}
