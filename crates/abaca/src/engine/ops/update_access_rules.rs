//! Makes a backend agree with the access rules of a share instance or a snapshot instance.
//!
//! There is at most one such operation of an instance at a time. It looks at all rules, not at what
//! was asked for; when they change while the backend is at work, it begins anew. So whoever changes
//! a rule while one is pending needs none of his own.

use std::error::Error;

use abaca_drivers::{
    AccessLevel, AccessList, AccessRule, AccessTarget, AccessType, DriverError, RuleOutcome,
    RuleOutcomes,
};
use abaca_model::{
    AccessState, MessageAction, MessageDetail, MessageResource, OperationKind, OperationState,
    Timestamp,
};
use abaca_store::access_rules::Of;
use abaca_store::access_work::{self, AccessWork, GivenUp, Outcome as Recorded};
use abaca_store::{Tx, operations, retry_conflicts};
use async_trait::async_trait;
use uuid::Uuid;

use super::Work;
use super::message::{self, Told};
use crate::engine::failure::{Failure, Permanent};
use crate::engine::run::{Outcome, Run};

/// Of both kinds of instances.
pub(super) struct UpdateAccessRules {
    of: Of,
}

impl UpdateAccessRules {
    pub(super) const OF_SHARES: Self = Self { of: Of::Shares };
    pub(super) const OF_SNAPSHOTS: Self = Self { of: Of::Snapshots };
}

#[async_trait]
impl Work for UpdateAccessRules {
    fn steps(&self) -> &'static [&'static str] {
        &["apply"]
    }

    async fn run(&self, run: &Run<'_>) -> Result<Outcome, Failure> {
        loop {
            let work = self.begin(run).await?;
            let outcomes = self.apply(run, &work).await;
            let outcomes = outcomes.map_err(|failure| not_applied(&work, failure))?;
            let mut tx = run.record().await?;
            let now = Timestamp::now();
            let recorded = recorded(&outcomes);
            if access_work::finish(&mut tx, self.of, &work, &recorded, now).await? {
                self.tell_refused(run, &mut tx, &work, &outcomes).await?;
                return run.end(tx, OperationState::Succeeded, None).await;
            }
        }
    }

    async fn give_up(&self, run: &Run<'_>, tx: &mut Tx, failed: &Permanent) -> Result<(), Failure> {
        let id = run.operation.resource_id;
        let tried = failed.source.downcast_ref().map(|tried: &NotApplied| tried.generation);
        match access_work::give_up(tx, self.of, id, tried, Timestamp::now()).await? {
            GivenUp::Gone => return Err(Failure::Superseded),
            GivenUp::Changed => {
                return Err(Failure::Passing("its rules were changed meanwhile".into()));
            }
            GivenUp::AtRest => {}
        }
        let work = access_work::load(tx, self.of, id).await?.ok_or(Failure::Superseded)?;
        self.tell(run, tx, &work, MessageDetail::Unknown, &failed.message).await
    }

    async fn clean_up(&self, run: &Run<'_>) -> Result<Tx, Failure> {
        // The instance is gone, and with it its rules, here as in the backend.
        run.record().await
    }
}

impl UpdateAccessRules {
    async fn begin(&self, run: &Run<'_>) -> Result<AccessWork, Failure> {
        let work = retry_conflicts(|| async {
            let mut tx = run.db().write().await?;
            let work = access_work::begin(&mut tx, self.of, run.operation.resource_id).await?;
            tx.commit().await?;
            Ok::<_, abaca_store::Error>(work)
        });
        work.await?.ok_or(Failure::Superseded)
    }

    async fn apply(&self, run: &Run<'_>, work: &AccessWork) -> Result<RuleOutcomes, Failure> {
        let target = match self.of {
            Of::Shares => AccessTarget::Share(work.instance_id),
            Of::Snapshots => AccessTarget::Snapshot {
                id: work.instance_id,
                share_instance_id: work.share_instance_id,
            },
        };
        let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
        let list = list(work);
        let given = match work.is_exported {
            true => &list,
            false => &AccessList { generation: list.generation, rules: Vec::new() },
        };
        match driver.apply_access(target, given).await {
            Ok(_) if !work.is_exported => Ok(as_if_applied(&list)),
            // Its deletion has come further than its row tells; the next attempt finds none.
            Err(error @ DriverError::NotFound { .. }) if work.is_going => {
                Err(Failure::Passing(error.into()))
            }
            result => Ok(result?),
        }
    }

    /// A message for each rule that the backend refused. None was sent to it in `error`, so each is
    /// told of once. By its id alone: a lock may hide whom it lets in, now or later.
    async fn tell_refused(
        &self,
        run: &Run<'_>,
        tx: &mut Tx,
        work: &AccessWork,
        outcomes: &RuleOutcomes,
    ) -> Result<(), Failure> {
        for rule in &work.rules {
            if let Some(RuleOutcome::Refused { reason }) = outcomes.get(&rule.id.uuid()) {
                tracing::warn!(access_rule_id = %rule.id, reason, "an access rule was refused");
                let reason = format!("The access rule {}: {reason}", rule.id);
                self.tell(run, tx, work, MessageDetail::AccessUnsupported, &reason).await?;
            }
        }
        Ok(())
    }

    async fn tell(
        &self,
        run: &Run<'_>,
        tx: &mut Tx,
        work: &AccessWork,
        detail: MessageDetail,
        reason: &str,
    ) -> Result<(), Failure> {
        let resource = match self.of {
            Of::Shares => MessageResource::Share,
            Of::Snapshots => MessageResource::Snapshot,
        };
        let resource = (resource, work.resource_id.to_string());
        let told = Told { action: MessageAction::UpdateAccessRules, detail, reason };
        Ok(message::leave(run, tx, &work.project_id, resource, told).await?)
    }
}

/// That a backend could not be made to agree with the rules as they were then.
#[derive(Debug, thiserror::Error)]
#[error("applying generation {generation} of the access rules")]
struct NotApplied {
    generation: i64,
    source: Box<dyn Error + Send + Sync>,
}

fn not_applied(work: &AccessWork, failure: Failure) -> Failure {
    let generation = work.generation;
    match failure {
        Failure::Passing(source) => Failure::Passing(NotApplied { generation, source }.into()),
        Failure::Permanent(Permanent { message, source }) => {
            Failure::permanent(message, NotApplied { generation, source })
        }
        other => other,
    }
}

/// The backend of an instance that is locked shall agree with its rules as they are in this
/// transaction.
pub(super) async fn ask(
    run: &Run<'_>,
    tx: &mut Tx,
    of: Of,
    id: Uuid,
    host: Option<&str>,
    now: Timestamp,
) -> Result<(), Failure> {
    let kind = match of {
        Of::Shares => OperationKind::UpdateAccessRules,
        Of::Snapshots => OperationKind::UpdateSnapshotAccessRules,
    };
    let generation = access_work::request(tx, of, id, now).await?;
    if operations::hasten(tx, kind, id, now).await? {
        return Ok(());
    }
    run.enqueue(tx, (kind, id, generation), host, &serde_json::json!({})).await
}

/// What no client is let in by yet is in order all the same.
fn as_if_applied(list: &AccessList) -> RuleOutcomes {
    let applied = RuleOutcome::Applied { access_key: None };
    list.rules.iter().map(|rule| (rule.id, applied.clone())).collect()
}

/// Gives the backend of a share instance once more the rules that it was given last, unless an
/// operation of theirs is about to: a call made beside its own, of the same generation, could take out
/// again what that has added.
pub(super) async fn apply_again(run: &Run<'_>, instance_id: Uuid) -> Result<(), Failure> {
    let mut tx = run.db().read().await?;
    // Read before it is asked who else is at work: what comes later has a higher generation.
    let work = access_work::load(&mut tx, Of::Shares, instance_id).await?;
    let kind = OperationKind::UpdateAccessRules;
    let is_pending = operations::is_pending(&mut tx, kind, instance_id).await?;
    drop(tx);
    let is_queued = |rule: &abaca_model::AccessRule| rule.state.is_queued();
    let Some(work) = work.filter(|work| !is_pending && !work.rules.iter().any(is_queued)) else {
        return Ok(());
    };
    let driver = &run.backend(work.host.as_deref().unwrap_or_default())?.driver;
    let mut list = list(&work);
    if !work.is_exported {
        list.rules.clear();
    }
    match driver.apply_access(AccessTarget::Share(instance_id), &list).await {
        // They have been changed since, and an operation of their own sees to it.
        Err(DriverError::InvalidInput { .. }) => Ok(()),
        result => Ok(result.map(drop)?),
    }
}

/// The rules that shall be in force: neither those that are being denied nor those that the
/// backend once refused, which stay as they are until they are denied or changed.
fn list(work: &AccessWork) -> AccessList {
    let wanted = [AccessState::Applying, AccessState::Updating, AccessState::Active];
    let rules = work.rules.iter().filter(|rule| wanted.contains(&rule.state));
    AccessList { generation: work.generation, rules: rules.map(driver_rule).collect() }
}

fn driver_rule(rule: &abaca_model::AccessRule) -> AccessRule {
    AccessRule {
        id: rule.id.uuid(),
        access_type: match rule.access_type {
            abaca_model::AccessType::Ip => AccessType::Ip,
            abaca_model::AccessType::User => AccessType::User,
            abaca_model::AccessType::Cert => AccessType::Cert,
            abaca_model::AccessType::Cephx => AccessType::Cephx,
        },
        access_to: rule.access_to.clone(),
        access_level: match rule.access_level {
            abaca_model::AccessLevel::ReadWrite => AccessLevel::ReadWrite,
            abaca_model::AccessLevel::ReadOnly => AccessLevel::ReadOnly,
        },
    }
}

fn recorded(outcomes: &RuleOutcomes) -> Vec<Recorded> {
    let one = |(id, outcome): (&uuid::Uuid, &RuleOutcome)| match outcome {
        RuleOutcome::Applied { access_key } => {
            Recorded { id: (*id).into(), is_applied: true, access_key: access_key.clone() }
        }
        RuleOutcome::Refused { .. } => {
            Recorded { id: (*id).into(), is_applied: false, access_key: None }
        }
    };
    outcomes.iter().map(one).collect()
}
