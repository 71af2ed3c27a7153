//! Sorted lists that go on after a given row.
//!
//! A list is sorted by one column and then by id, both in the same direction, so that every row has
//! one place in it. A page is found by the key of the row before it, which an index answers at once
//! however far down the list it is. NULL sorts before everything, as in SQLite and MariaDB.

use std::collections::BTreeMap;

use sea_query::{
    ColumnRef, Cond, Expr, ExprTrait, Func, IntoColumnRef, NullOrdering, Order, Query,
    SelectStatement, Value,
};

use crate::db::Dialect;
use crate::error::Result;
use crate::groups::Groups;
use crate::row::Row;
use crate::tx::Tx;

/// Which rows of a list, and in which order.
#[derive(Debug, Clone)]
pub struct Page<'a, Filter, Key> {
    /// Which of the resource.
    pub filter: &'a Filter,
    /// What they are sorted by.
    pub sort_key: Key,
    /// Which way.
    pub direction: Direction,
    /// Behind this place; `None`: from the beginning.
    pub after: Option<Position>,
    /// Leave out this many.
    pub offset: u64,
    /// At most this many.
    pub limit: u64,
}

impl<Filter, Key> Page<'_, Filter, Key> {
    /// Bounds `rows` to this page, in the order of `sorting`.
    pub(crate) fn bound(&self, rows: &mut SelectStatement, sorting: &Sorting, dialect: Dialect) {
        sorting.bound(rows, dialect, self.after.clone(), self.limit);
        if self.offset > 0 {
            rows.offset(self.offset);
        }
    }
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The smallest first.
    Ascending,
    /// The greatest first.
    Descending,
}

/// The value a list is sorted by, of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortValue {
    /// Of a number or a time.
    Integer(Option<i64>),
    /// Of a text.
    Text(Option<String>),
}

impl SortValue {
    fn into_value(self) -> Option<Value> {
        match self {
            Self::Integer(value) => value.map(Value::from),
            Self::Text(value) => value.map(Value::from),
        }
    }
}

/// A row's place in a sorted list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// What the list is sorted by.
    pub value: SortValue,
    /// The row's id.
    pub id: String,
}

/// What a column that is sorted by holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortType {
    Integer,
    Text,
    /// The id itself, which needs no second column.
    Id,
}

/// By which column of a table, and which way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sorting {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    pub(crate) holds: SortType,
    pub(crate) nullable: bool,
    pub(crate) direction: Direction,
}

impl Sorting {
    pub(crate) fn key(&self) -> ColumnRef {
        (self.table, self.column).into_column_ref()
    }

    fn id(&self) -> ColumnRef {
        (self.table, "id").into_column_ref()
    }

    /// Sorts `select`.
    pub(crate) fn order(&self, select: &mut SelectStatement, dialect: Dialect) {
        let (order, nulls) = match self.direction {
            Direction::Ascending => (Order::Asc, NullOrdering::First),
            Direction::Descending => (Order::Desc, NullOrdering::Last),
        };
        if self.nullable && dialect == Dialect::Postgres {
            select.order_by_with_nulls(self.key(), order.clone(), nulls);
        } else {
            select.order_by(self.key(), order.clone());
        }
        if self.holds != SortType::Id {
            select.order_by(self.id(), order);
        }
    }

    /// Bounds `rows` to the first ones behind `after`, sorted.
    pub(crate) fn bound(
        &self,
        rows: &mut SelectStatement,
        dialect: Dialect,
        after: Option<Position>,
        limit: u64,
    ) {
        self.order(rows, dialect);
        if let Some(position) = after {
            rows.cond_where(self.after(position));
        }
        // One row more than asked for tells whether there are more.
        rows.limit(limit.saturating_add(1));
    }

    /// Folds the things that `select`, bounded to `limit`, finds into `state`, and says where the
    /// list goes on, if it does. A thing's id stands first in its rows, what it is sorted by at `key`;
    /// rows of one thing come together.
    pub(crate) async fn fold<S, F>(
        self,
        tx: &mut Tx,
        select: &SelectStatement,
        limit: u64,
        key: usize,
        state: S,
        mut step: F,
    ) -> Result<(S, Option<Position>)>
    where
        S: Send + 'static,
        F: FnMut(&mut S, &Row<'_>) -> Result<()> + Send + 'static,
    {
        let start = Groups::new(state, limit);
        let end = tx
            .fold(select, start, move |groups: &mut Groups<S>, row| {
                if groups.enter(row, |row| self.position(row, key))? {
                    step(&mut groups.state, row)?;
                }
                Ok(())
            })
            .await?;
        Ok(end.finish())
    }

    /// Selects the place of the row of `table` with this id.
    pub(crate) fn select_place(&self, table: &'static str, id: &str) -> SelectStatement {
        let mut select = Query::select();
        select
            .from(table)
            .column((table, "id"))
            .column(self.key())
            .and_where(Expr::col((table, "id")).eq(id));
        select
    }

    /// The place of the row with this id of the table that is sorted, if it is of `project_id`, or none
    /// is given.
    pub(crate) async fn place_of_project(
        &self,
        tx: &mut Tx,
        id: &str,
        project_id: Option<&str>,
    ) -> Result<Option<Position>> {
        let of_project = project_id.map(|id| Expr::col((self.table, "project_id")).eq(id));
        let mut select = self.select_place(self.table, id);
        self.place(tx, select.and_where_option(of_project)).await
    }

    /// The place that [`Self::select_place`] finds, if it does.
    pub(crate) async fn place(
        &self,
        tx: &mut Tx,
        select: &SelectStatement,
    ) -> Result<Option<Position>> {
        tx.optional(select, |row| self.position(row, 1)).await
    }

    /// The rows behind `position`.
    fn after(&self, position: Position) -> Cond {
        let id = position.id;
        let key = || Expr::col(self.key());
        let id_is_behind = match self.direction {
            Direction::Ascending => Expr::col(self.id()).gt(id),
            Direction::Descending => Expr::col(self.id()).lt(id),
        };
        if self.holds == SortType::Id {
            return Cond::all().add(id_is_behind);
        }
        match (position.value.into_value(), self.direction) {
            // Written so that the first half bounds the index, the second half refines it.
            (Some(value), Direction::Ascending) => Cond::all()
                .add(key().gte(value.clone()))
                .add(Cond::any().add(key().gt(value)).add(id_is_behind)),
            (Some(value), Direction::Descending) => {
                let behind = Cond::all()
                    .add(key().lte(value.clone()))
                    .add(Cond::any().add(key().lt(value)).add(id_is_behind));
                if self.nullable { Cond::any().add(behind).add(key().is_null()) } else { behind }
            }
            (None, Direction::Ascending) => Cond::any()
                .add(key().is_not_null())
                .add(Cond::all().add(key().is_null()).add(id_is_behind)),
            (None, Direction::Descending) => Cond::all().add(key().is_null()).add(id_is_behind),
        }
    }

    /// The place of a row whose id stands first and whose sort column at `key`.
    fn position(&self, row: &Row<'_>, key: usize) -> Result<Position> {
        let value = match self.holds {
            SortType::Integer => SortValue::Integer(row.optional_integer(key)?),
            SortType::Text | SortType::Id => SortValue::Text(row.optional_string(key)?),
        };
        Ok(Position { value, id: row.string(0)? })
    }
}

/// What `condition` makes of each pair, all of which must hold; `None`: there is no pair. A tree, not
/// a chain: what writes SQL, and what reads it in SQLite, go as deep into it as it is nested.
pub(crate) fn all_of(
    pairs: &BTreeMap<String, String>,
    condition: impl Fn(&str, &str) -> Expr,
) -> Option<Expr> {
    let mut level: Vec<Expr> = pairs.iter().map(|(name, value)| condition(name, value)).collect();
    while level.len() > 1 {
        let mut next = Vec::with_capacity(level.len().div_ceil(2));
        let mut conditions = level.into_iter();
        while let Some(first) = conditions.next() {
            next.push(match conditions.next() {
                Some(second) => first.and(second),
                None => first,
            });
        }
        level = next;
    }
    level.pop()
}

/// How many rows of `table` there are, of those that `select`, which names no columns, is of.
pub(crate) async fn count(
    tx: &mut Tx,
    table: &'static str,
    mut select: SelectStatement,
) -> Result<i64> {
    select.from(table).expr(Func::count(Expr::col((table, "id"))));
    // Not a point read: it may have to look at every row.
    Ok(tx.all(&select, |row| row.integer(0)).await?.first().copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use sea_query::SqliteQueryBuilder;

    use super::*;

    #[test]
    fn no_number_of_pairs_overflows_the_stack() {
        let pairs = (0..100_000).map(|number: u32| (number.to_string(), "x".to_owned())).collect();
        let has = |name: &str, value: &str| Expr::col(name.to_owned()).eq(value);
        let all = all_of(&pairs, has).unwrap();
        let sql =
            Query::select().column("id").from("t").and_where(all).to_string(SqliteQueryBuilder);
        assert_eq!(sql.matches(" = 'x'").count(), pairs.len());
        assert_eq!(all_of(&BTreeMap::new(), has), None);
    }
}
