//! `/quota-sets` and `/quota-class-sets` (with `os-` before 2.7), `/limits`, and the way every request
//! takes quota.

mod absolute;
mod classes;
pub(super) mod contract;
mod read;
mod sets;
mod spend;
mod update;
mod view;

use std::collections::BTreeMap;

use abaca_model::quota::{Limit, Limits, Resource};
use abaca_store::Tx;
use abaca_store::quota::{self, DEFAULT_CLASS, Subject};

pub(super) use absolute::index as limits;
pub(super) use classes::{show as show_class, update as update_class};
pub(super) use sets::{defaults, delete, detail, show};
pub(super) use spend::{Payer, Quota};
pub(super) use update::update;

use super::{ApiError, Call};

/// The limits of a class: those set for it, else those of the configuration.
async fn of_class(
    call: &Call,
    tx: &mut Tx,
    name: &str,
) -> Result<BTreeMap<Resource, Limit>, ApiError> {
    let set = quota::class(tx, name).await?;
    Ok(call.app.quota.iter().map(|(resource, limit)| (*resource, *limit)).chain(set).collect())
}

/// The limits of a project and of the other subjects asked for.
async fn of_project(
    call: &Call,
    tx: &mut Tx,
    project_id: &str,
    subjects: &[Subject<'_>],
) -> Result<Limits, ApiError> {
    let defaults = of_class(call, tx, DEFAULT_CLASS).await?;
    Ok(Limits::new(defaults, quota::limits(tx, project_id, subjects).await?))
}
