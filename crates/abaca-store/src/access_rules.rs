//! Who may mount shares and snapshots: the rules as tenants see them. [`crate::access_work`] is the
//! engine's side.

use std::collections::BTreeMap;

use abaca_model::{
    AccessLevel, AccessRule, AccessRuleId, AccessState, AccessType, Timestamp,
    aggregate_access_state,
};
use sea_query::{Expr, ExprTrait, LockType, Order, Query, SelectStatement};
use uuid::Uuid;

use crate::error::Result;
use crate::row::Row;
use crate::tx::Tx;
use crate::{access_work, list, metadata};

/// What the rules open: their tables have the same shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Shares.
    Shares,
    /// Snapshots.
    Snapshots,
}

impl Of {
    /// Of the rules.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Shares => "share_access_rules",
            Self::Snapshots => "snapshot_access_rules",
        }
    }

    fn resource(self) -> &'static str {
        match self {
            Self::Shares => "share_id",
            Self::Snapshots => "snapshot_id",
        }
    }

    /// Of their states in each instance.
    pub(crate) fn states(self) -> &'static str {
        match self {
            Self::Shares => "share_instance_access_rules",
            Self::Snapshots => "snapshot_instance_access_rules",
        }
    }

    pub(crate) fn instance(self) -> &'static str {
        match self {
            Self::Shares => "share_instance_id",
            Self::Snapshots => "snapshot_instance_id",
        }
    }
}

/// Behind the resource's id.
const COLUMNS: [&str; 7] =
    ["id", "access_type", "access_to", "access_level", "access_key", "created_at", "updated_at"];

/// Each rule comes in a row for each of its states. One that is in no place any more is none.
pub(crate) fn select(of: Of) -> SelectStatement {
    let (rules, states) = (of.table(), of.states());
    let mut select = Query::select();
    select
        .from(rules)
        .columns(COLUMNS.map(|column| (rules, column)))
        .column((rules, of.resource()))
        .column((states, "state"))
        .inner_join(states, Expr::col((states, "access_rule_id")).equals((rules, "id")))
        .order_by((rules, "created_at"), Order::Asc)
        .order_by((rules, "id"), Order::Asc);
    select
}

pub(crate) fn rule(row: &Row<'_>) -> Result<AccessRule> {
    Ok(AccessRule {
        id: row.parsed(0)?,
        access_type: row.parsed(1)?,
        access_to: row.string(2)?,
        access_level: row.parsed(3)?,
        access_key: row.optional_string(4)?,
        created_at: row.time(5)?,
        updated_at: row.optional_time(6)?,
        resource_id: row.parsed(7)?,
        state: row.parsed(8)?,
        metadata: BTreeMap::new(),
    })
}

/// One rule for each run of rows, in the state of all.
async fn read(tx: &mut Tx, of: Of, select: &SelectStatement) -> Result<Vec<AccessRule>> {
    let mut rules: Vec<AccessRule> = Vec::new();
    for row in tx.all(select, rule).await? {
        match rules.last_mut().filter(|last| last.id == row.id) {
            Some(last) => {
                let both = aggregate_access_state(&[last.state, row.state]);
                last.state = both.unwrap_or(row.state);
            }
            None => rules.push(row),
        }
    }
    if of == Of::Shares {
        let ids: Vec<String> = rules.iter().map(|rule| rule.id.to_string()).collect();
        let mut metadata = metadata::of_many(tx, metadata::OF_ACCESS_RULES, &ids).await?;
        for rule in &mut rules {
            rule.metadata = metadata.remove(&rule.id.to_string()).unwrap_or_default();
        }
    }
    Ok(rules)
}

/// Which rules a list is of. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Columns and the texts that must stand there.
    pub equal: Vec<(&'static str, String)>,
    /// Metadata that a rule must have.
    pub metadata: BTreeMap<String, String>,
}

/// The rules of a share or snapshot, the oldest first.
///
/// # Errors
/// What the database says.
pub async fn of_resource(
    tx: &mut Tx,
    of: Of,
    resource_id: Uuid,
    filter: &Filter,
) -> Result<Vec<AccessRule>> {
    let mut select = select(of);
    select.and_where(Expr::col((of.table(), of.resource())).eq(resource_id.to_string()));
    for (column, text) in &filter.equal {
        select.and_where(Expr::col((of.table(), *column)).eq(text.as_str()));
    }
    let having = list::all_of(&filter.metadata, |name, value| {
        let having = Query::select()
            .column("access_rule_id")
            .from(metadata::OF_ACCESS_RULES.name)
            .and_where(Expr::col("name").eq(name))
            .and_where(Expr::col("value").eq(value))
            .take();
        Expr::col((of.table(), "id")).in_subquery(having)
    });
    if let Some(having) = having {
        select.cond_where(having);
    }
    read(tx, of, &select).await
}

/// Whom of this type the rules of a share or snapshot let in, as the rules spell them.
///
/// # Errors
/// What the database says.
pub async fn clients(
    tx: &mut Tx,
    of: Of,
    resource_id: Uuid,
    access_type: AccessType,
) -> Result<Vec<String>> {
    let (rules, states) = (of.table(), of.states());
    let placed = Query::select()
        .column((states, "access_rule_id"))
        .from(states)
        .and_where(Expr::col((states, "access_rule_id")).equals((rules, "id")))
        .take();
    let select = Query::select()
        .column((rules, "access_to"))
        .from(rules)
        .and_where(Expr::col((rules, of.resource())).eq(resource_id.to_string()))
        .and_where(Expr::col((rules, "access_type")).eq(access_type.as_str()))
        .and_where(Expr::exists(placed))
        .take();
    tx.all(&select, |row| row.string(0)).await
}

/// The rule with this id.
///
/// # Errors
/// What the database says.
pub async fn get(tx: &mut Tx, of: Of, id: AccessRuleId) -> Result<Option<AccessRule>> {
    let mut select = select(of);
    select.and_where(Expr::col((of.table(), "id")).eq(id.to_string()));
    Ok(read(tx, of, &select).await?.pop())
}

/// Makes whoever else locks this rule wait until this transaction ends. `false`: there is none.
///
/// # Errors
/// What the database says.
pub async fn lock(tx: &mut Tx, of: Of, id: AccessRuleId) -> Result<bool> {
    let mut select = Query::select();
    select.column("id").from(of.table()).and_where(Expr::col("id").eq(id.to_string()));
    if tx.dialect().has_row_locks() {
        select.lock(LockType::Update);
    }
    Ok(tx.optional(&select, |_| Ok(())).await?.is_some())
}

/// Adds a rule that is in its state in each of these instances.
///
/// # Errors
/// What the database says.
pub async fn insert(tx: &mut Tx, of: Of, rule: &AccessRule, instances: &[Uuid]) -> Result<()> {
    let mut insert = Query::insert();
    insert.into_table(of.table()).columns(COLUMNS.into_iter().chain([of.resource()])).values_panic(
        [
            rule.id.to_string().into(),
            rule.access_type.as_str().into(),
            rule.access_to.as_str().into(),
            rule.access_level.as_str().into(),
            rule.access_key.clone().into(),
            rule.created_at.micros().into(),
            rule.updated_at.map(Timestamp::micros).into(),
            rule.resource_id.to_string().into(),
        ],
    );
    tx.execute(&insert).await?;
    for instance in instances {
        insert_state(tx, of, rule.id, *instance, rule.state).await?;
    }
    set_metadata(tx, rule.id, &rule.metadata).await
}

/// Gives an instance that is locked every rule that `active`, another instance of the same share or
/// snapshot, has or shall have, to be applied. `with_failed`: also those that failed there, as they are;
/// and what failed in the instance itself is tried again, as `active` has it: a rule that is not there
/// any more was being denied. Whether its backend has anything to do now.
///
/// # Errors
/// What the database says.
pub async fn follow(
    tx: &mut Tx,
    of: Of,
    active: Uuid,
    instance: Uuid,
    with_failed: bool,
) -> Result<bool> {
    let (theirs, own) = (states(tx, of, active).await?, states(tx, of, instance).await?);
    let find = |states: &[(AccessRuleId, AccessState)], id| {
        states.iter().find(|(other, _)| *other == id).map(|(_, state)| *state)
    };
    let mut is_changed = false;
    for (id, state) in theirs.iter().filter(|(id, _)| find(&own, *id).is_none()) {
        let state = match state {
            AccessState::QueuedToDeny | AccessState::Denying => continue,
            AccessState::Error if with_failed => AccessState::Error,
            AccessState::Error => continue,
            _ => AccessState::QueuedToApply,
        };
        insert_state(tx, of, *id, instance, state).await?;
        is_changed |= state != AccessState::Error;
    }
    for (id, _) in own.iter().filter(|(_, state)| with_failed && *state == AccessState::Error) {
        let state = match find(&theirs, *id) {
            Some(AccessState::Error) => continue,
            None | Some(AccessState::QueuedToDeny | AccessState::Denying) => {
                AccessState::QueuedToDeny
            }
            Some(_) => AccessState::QueuedToApply,
        };
        access_work::set_state(tx, of, *id, instance, state).await?;
        is_changed = true;
    }
    Ok(is_changed)
}

/// The rules of an instance in their states there, ordered by id.
pub(crate) async fn states(
    tx: &mut Tx,
    of: Of,
    instance: Uuid,
) -> Result<Vec<(AccessRuleId, AccessState)>> {
    let select = Query::select()
        .columns(["access_rule_id", "state"])
        .from(of.states())
        .and_where(Expr::col(of.instance()).eq(instance.to_string()))
        .order_by("access_rule_id", Order::Asc)
        .to_owned();
    tx.all(&select, |row| Ok((row.parsed(0)?, row.parsed(1)?))).await
}

async fn insert_state(
    tx: &mut Tx,
    of: Of,
    id: AccessRuleId,
    instance: Uuid,
    state: AccessState,
) -> Result<()> {
    let mut insert = Query::insert();
    insert
        .into_table(of.states())
        .columns(["access_rule_id", of.instance(), "state"])
        .values_panic([id.to_string().into(), instance.to_string().into(), state.as_str().into()]);
    tx.execute(&insert).await.map(drop)
}

/// Sets the state of a rule in every place it is in.
///
/// # Errors
/// What the database says.
pub async fn set_state(tx: &mut Tx, of: Of, id: AccessRuleId, state: AccessState) -> Result<()> {
    let update = Query::update()
        .table(of.states())
        .value("state", state.as_str())
        .and_where(Expr::col("access_rule_id").eq(id.to_string()))
        .to_owned();
    tx.execute(&update).await.map(drop)
}

/// Changes what a share's rule lets its client do.
///
/// # Errors
/// What the database says.
pub async fn set_level(
    tx: &mut Tx,
    id: AccessRuleId,
    level: AccessLevel,
    now: Timestamp,
) -> Result<()> {
    let update = Query::update()
        .table(Of::Shares.table())
        .value("access_level", level.as_str())
        .value("updated_at", now.micros())
        .and_where(Expr::col("id").eq(id.to_string()))
        .to_owned();
    tx.execute(&update).await.map(drop)
}

/// Adds metadata to a share's rule that is locked or new, or changes it; what is not given stays.
///
/// # Errors
/// What the database says; [`crate::Error::ForeignKey`] when the rule is gone.
pub async fn set_metadata(tx: &mut Tx, id: AccessRuleId, pairs: &metadata::Pairs) -> Result<()> {
    metadata::put_text(tx, metadata::OF_ACCESS_RULES, &id.to_string(), pairs).await
}

/// Removes a key from the metadata of a share's rule. `false`: it has none such.
///
/// # Errors
/// What the database says.
pub async fn delete_metadata(tx: &mut Tx, id: AccessRuleId, name: &str) -> Result<bool> {
    let delete = Query::delete()
        .from_table(metadata::OF_ACCESS_RULES.name)
        .and_where(Expr::col("access_rule_id").eq(id.to_string()))
        .and_where(Expr::col("name").eq(name))
        .to_owned();
    Ok(tx.execute(&delete).await? == 1)
}
