//! How the rows and a backend come to agree on the access rules of an instance.
//!
//! The rules are what is wanted. Each change of them raises the instance's generation, in the
//! transaction that makes the change and under the instance's lock. A synchronisation reads all of
//! them with their generation, makes the backend agree, and writes the states only while that
//! generation stands: whoever changed a rule meanwhile finds it done again. The instance's fence has
//! no part in this, so that a share can be extended and opened at the same time.
//!
//! A generation is a time in microseconds where that is higher than the last one plus one. So it
//! is also higher than all that a backend has seen when the database comes from a backup.

use abaca_model::{
    AccessLevel, AccessRule, AccessRuleId, AccessRulesStatus, AccessState, ShareStatus,
    SnapshotStatus, Timestamp,
};
use sea_query::{Expr, ExprTrait, LockType, Order, Query};
use uuid::Uuid;

use crate::access_rules::{self, Of, rule, select};
use crate::error::Result;
use crate::tx::Tx;

/// An instance whose rules are synchronised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessWork {
    /// The share instance or snapshot instance.
    pub instance_id: Uuid,
    /// Its share or snapshot.
    pub resource_id: Uuid,
    /// The project that owns that.
    pub project_id: String,
    /// The share instance itself, or that of the snapshot instance.
    pub share_instance_id: Uuid,
    /// `host@backend#pool` of that share instance.
    pub host: Option<String>,
    /// The instance is about to go.
    pub is_going: bool,
    /// Clients may mount it. Not so a replica for disasters: its rules wait for its promotion.
    pub is_exported: bool,
    /// The generation of its rules.
    pub generation: i64,
    /// Every rule, in its state in this instance, and with the level it has here.
    pub rules: Vec<AccessRule>,
}

/// Raises the generation of the rules of an instance that is locked, whose rules were changed in
/// this transaction; returns the new one.
///
/// # Errors
/// What the database says.
pub async fn request(tx: &mut Tx, of: Of, instance_id: Uuid, now: Timestamp) -> Result<i64> {
    let instances = instances(of);
    let mut columns = vec!["access_generation"];
    columns.extend((of == Of::Shares).then_some("access_rules_status"));
    let select = Query::select()
        .columns(columns)
        .from(instances)
        .and_where(Expr::col("id").eq(instance_id.to_string()))
        .to_owned();
    let found = tx
        .optional(&select, |row| {
            let status = if of == Of::Shares { row.optional_parsed(1)? } else { None };
            Ok((row.integer(0)?, status))
        })
        .await?;
    let (last, status) = found.unwrap_or((0, None));
    let generation = Ord::max(now.micros(), last + 1);
    let mut update = Query::update();
    update
        .table(instances)
        .value("access_generation", generation)
        .and_where(Expr::col("id").eq(instance_id.to_string()));
    if status == Some(AccessRulesStatus::Active) {
        update.value("access_rules_status", AccessRulesStatus::Syncing.as_str());
    }
    tx.execute(&update).await?;
    Ok(generation)
}

fn instances(of: Of) -> &'static str {
    match of {
        Of::Shares => "share_instances",
        Of::Snapshots => "snapshot_instances",
    }
}

/// Begins a synchronisation: what waits for one is now on its way. `None`: the instance is gone.
///
/// # Errors
/// What the database says.
pub async fn begin(tx: &mut Tx, of: Of, instance_id: Uuid) -> Result<Option<AccessWork>> {
    if !lock(tx, of, instance_id).await? {
        return Ok(None);
    }
    for (from, to) in [
        (AccessState::QueuedToApply, AccessState::Applying),
        (AccessState::QueuedToUpdate, AccessState::Updating),
        (AccessState::QueuedToDeny, AccessState::Denying),
    ] {
        let update = Query::update()
            .table(of.states())
            .value("state", to.as_str())
            .and_where(Expr::col(of.instance()).eq(instance_id.to_string()))
            .and_where(Expr::col("state").eq(from.as_str()))
            .to_owned();
        tx.execute(&update).await?;
    }
    load(tx, of, instance_id).await
}

/// The instance as it is now, with its rules; `None`: it is gone.
///
/// # Errors
/// What the database says.
pub async fn load(tx: &mut Tx, of: Of, instance_id: Uuid) -> Result<Option<AccessWork>> {
    let work = match of {
        Of::Shares => load_share(tx, instance_id).await?,
        Of::Snapshots => load_snapshot(tx, instance_id).await?,
    };
    let Some((mut work, is_read_only)) = work else { return Ok(None) };
    let mut select = select(of);
    select.and_where(Expr::col((of.states(), of.instance())).eq(instance_id.to_string()));
    work.rules = tx.all(&select, rule).await?;
    if is_read_only {
        work.rules.iter_mut().for_each(|rule| rule.access_level = AccessLevel::ReadOnly);
    }
    Ok(Some(work))
}

/// Makes whoever else changes the rules of the instance wait. `false`: it is gone.
async fn lock(tx: &mut Tx, of: Of, instance_id: Uuid) -> Result<bool> {
    let mut select = Query::select();
    select.column("id").from(instances(of)).and_where(Expr::col("id").eq(instance_id.to_string()));
    if tx.dialect().has_row_locks() {
        select.lock(LockType::Update);
    }
    Ok(tx.optional(&select, |_| Ok(())).await?.is_some())
}

/// With whether its rules are all read-only for the moment.
async fn load_share(tx: &mut Tx, id: Uuid) -> Result<Option<(AccessWork, bool)>> {
    let instance = "share_instances";
    let select = Query::select()
        .columns(["share_id", "host", "status", "access_generation"].map(|name| (instance, name)))
        .column(("shares", "project_id"))
        .column((instance, "cast_rules_to_readonly"))
        .column(("shares", "replication_type"))
        .column((instance, "replica_state"))
        .from(instance)
        .inner_join("shares", Expr::col(("shares", "id")).equals((instance, "share_id")))
        .and_where(Expr::col((instance, "id")).eq(id.to_string()))
        .to_owned();
    tx.optional(&select, |row| {
        let work = AccessWork {
            instance_id: id,
            resource_id: row.parsed(0)?,
            share_instance_id: id,
            host: row.optional_string(1)?,
            is_going: row.parsed::<ShareStatus>(2)?.is_being_deleted(),
            generation: row.integer(3)?,
            project_id: row.string(4)?,
            // Nor the active one, while another is about to take its place.
            is_exported: row.optional_text(6)? != Some("dr")
                || (row.optional_text(7)?.is_none_or(|state| state == crate::replicas::ACTIVE)
                    && !row.boolean(5)?),
            rules: Vec::new(),
        };
        Ok((work, row.boolean(5)?))
    })
    .await
}

async fn load_snapshot(tx: &mut Tx, id: Uuid) -> Result<Option<(AccessWork, bool)>> {
    let (instance, place) = ("snapshot_instances", "share_instances");
    let select = Query::select()
        .columns(
            ["snapshot_id", "share_instance_id", "status", "access_generation"]
                .map(|name| (instance, name)),
        )
        .column(("snapshots", "project_id"))
        .column((place, "host"))
        .from(instance)
        .inner_join("snapshots", Expr::col(("snapshots", "id")).equals((instance, "snapshot_id")))
        .inner_join(place, Expr::col((place, "id")).equals((instance, "share_instance_id")))
        .and_where(Expr::col((instance, "id")).eq(id.to_string()))
        .to_owned();
    tx.optional(&select, |row| {
        let work = AccessWork {
            instance_id: id,
            resource_id: row.parsed(0)?,
            share_instance_id: row.parsed(1)?,
            is_going: row.parsed::<SnapshotStatus>(2)?.is_being_deleted(),
            generation: row.integer(3)?,
            project_id: row.string(4)?,
            host: row.optional_string(5)?,
            is_exported: true,
            rules: Vec::new(),
        };
        // A snapshot can't be written to, whatever its rules say.
        Ok((work, true))
    })
    .await
}

/// What a backend made of a rule that it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The rule.
    pub id: AccessRuleId,
    /// It is in force; otherwise the backend refused it.
    pub is_applied: bool,
    /// The secret a client needs.
    pub access_key: Option<String>,
}

/// Records that the backend agrees with `work`, up to the rules it refused: those that were being
/// denied go, and their rows with the last place they were in. `false`: the rules were changed since
/// `work` was read, or the instance is gone, and nothing is recorded.
///
/// # Errors
/// What the database says.
pub async fn finish(
    tx: &mut Tx,
    of: Of,
    work: &AccessWork,
    outcomes: &[Outcome],
    now: Timestamp,
) -> Result<bool> {
    let mut guard = Query::update();
    guard
        .table(instances(of))
        .value("access_generation", work.generation)
        .and_where(Expr::col("id").eq(work.instance_id.to_string()))
        .and_where(Expr::col("access_generation").eq(work.generation));
    if tx.execute(&guard).await? == 0 {
        return Ok(false);
    }
    for rule in work.rules.iter().filter(|rule| rule.state == AccessState::Denying) {
        remove(tx, of, rule.id, work.instance_id).await?;
    }
    for outcome in outcomes {
        let known = work.rules.iter().find(|rule| rule.id == outcome.id);
        let state = if outcome.is_applied { AccessState::Active } else { AccessState::Error };
        let Some(known) = known else { continue };
        if known.state != state {
            set_state(tx, of, outcome.id, work.instance_id, state).await?;
        }
        if known.state != state || known.access_key != outcome.access_key {
            set_key(tx, of, outcome, now).await?;
        }
    }
    settle(tx, of, work.instance_id, now).await?;
    Ok(true)
}

/// What became of rules that a backend can't be made to agree with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// The instance is gone.
    Gone,
    /// All that was on its way is in error.
    AtRest,
    /// So it is, but more was asked for meanwhile.
    Changed,
}

/// Records that the backend could not be made to agree: what was on its way is in error. `tried` is the
/// generation that it was given last; `None`: it was given none.
///
/// # Errors
/// What the database says.
pub async fn give_up(
    tx: &mut Tx,
    of: Of,
    instance_id: Uuid,
    tried: Option<i64>,
    now: Timestamp,
) -> Result<GivenUp> {
    if !lock(tx, of, instance_id).await? {
        return Ok(GivenUp::Gone);
    }
    let on_their_way = [AccessState::Applying, AccessState::Updating, AccessState::Denying];
    let update = Query::update()
        .table(of.states())
        .value("state", AccessState::Error.as_str())
        .and_where(Expr::col(of.instance()).eq(instance_id.to_string()))
        .and_where(Expr::col("state").is_in(on_their_way.map(AccessState::as_str)))
        .to_owned();
    tx.execute(&update).await?;
    // That all rules are to be read-only shows by the generation alone.
    let is_later = match tried {
        Some(tried) => generation(tx, of, instance_id).await? > tried,
        None => false,
    };
    let states = states(tx, of, instance_id).await?;
    if is_later || states.iter().any(|state| state.is_queued()) {
        return Ok(GivenUp::Changed);
    }
    set_rules_status(tx, of, instance_id, AccessRulesStatus::Error, now).await?;
    Ok(GivenUp::AtRest)
}

async fn generation(tx: &mut Tx, of: Of, instance_id: Uuid) -> Result<i64> {
    let select = Query::select()
        .column("access_generation")
        .from(instances(of))
        .and_where(Expr::col("id").eq(instance_id.to_string()))
        .to_owned();
    Ok(tx.optional(&select, |row| row.integer(0)).await?.unwrap_or_default())
}

async fn states(tx: &mut Tx, of: Of, instance_id: Uuid) -> Result<Vec<AccessState>> {
    let states = access_rules::states(tx, of, instance_id).await?;
    Ok(states.into_iter().map(|(_, state)| state).collect())
}

pub(crate) async fn set_state(
    tx: &mut Tx,
    of: Of,
    id: AccessRuleId,
    instance_id: Uuid,
    state: AccessState,
) -> Result<()> {
    let update = Query::update()
        .table(of.states())
        .value("state", state.as_str())
        .and_where(Expr::col("access_rule_id").eq(id.to_string()))
        .and_where(Expr::col(of.instance()).eq(instance_id.to_string()))
        .to_owned();
    tx.execute(&update).await.map(drop)
}

/// The key that the backend gave, and when: clients see by it when the state changed, too.
async fn set_key(tx: &mut Tx, of: Of, outcome: &Outcome, now: Timestamp) -> Result<()> {
    let update = Query::update()
        .table(of.table())
        .value("access_key", outcome.access_key.clone())
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(outcome.id.to_string()))
        .to_owned();
    tx.execute(&update).await.map(drop)
}

/// Takes the rule out of the instance, and removes it when that was its last place.
async fn remove(tx: &mut Tx, of: Of, id: AccessRuleId, instance_id: Uuid) -> Result<()> {
    // Of two places that let it go at the same time, one must see that it is the last.
    access_rules::lock(tx, of, id).await?;
    let delete = Query::delete()
        .from_table(of.states())
        .and_where(Expr::col("access_rule_id").eq(id.to_string()))
        .and_where(Expr::col(of.instance()).eq(instance_id.to_string()))
        .to_owned();
    tx.execute(&delete).await?;
    let others = Query::select()
        .column("state")
        .from(of.states())
        .and_where(Expr::col("access_rule_id").eq(id.to_string()))
        .limit(1)
        .to_owned();
    if tx.optional(&others, |_| Ok(())).await?.is_none() {
        let delete = Query::delete()
            .from_table(of.table())
            .and_where(Expr::col("id").eq(id.to_string()))
            .to_owned();
        tx.execute(&delete).await?;
    }
    Ok(())
}

/// Takes every rule out of an instance that is locked and on its way out: what becomes of it there is
/// nobody's concern any more.
///
/// # Errors
/// What the database says.
pub async fn forget(tx: &mut Tx, of: Of, instance_id: Uuid) -> Result<()> {
    let select = Query::select()
        .column("access_rule_id")
        .from(of.states())
        .and_where(Expr::col(of.instance()).eq(instance_id.to_string()))
        .order_by("access_rule_id", Order::Asc)
        .to_owned();
    for rule in tx.all(&select, |row| row.parsed::<AccessRuleId>(0)).await? {
        remove(tx, of, rule, instance_id).await?;
    }
    Ok(())
}

/// The instance's rules are in error when one of them is.
async fn settle(tx: &mut Tx, of: Of, instance_id: Uuid, now: Timestamp) -> Result<()> {
    let failed = states(tx, of, instance_id).await?.contains(&AccessState::Error);
    let status = if failed { AccessRulesStatus::Error } else { AccessRulesStatus::Active };
    set_rules_status(tx, of, instance_id, status, now).await
}

/// Only of share instances: those of snapshots have none.
async fn set_rules_status(
    tx: &mut Tx,
    of: Of,
    instance_id: Uuid,
    status: AccessRulesStatus,
    now: Timestamp,
) -> Result<()> {
    if of == Of::Snapshots {
        return Ok(());
    }
    let update = Query::update()
        .table(instances(of))
        .value("access_rules_status", status.as_str())
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(instance_id.to_string()))
        .to_owned();
    tx.execute(&update).await.map(drop)
}
