//! Sorted lists that go on after a given row.
//!
//! A list is sorted by one column and then by id, both in the same direction, so that every row has
//! one place in it. A page is found by the key of the row before it, which an index answers at once
//! however far down the list it is. NULL sorts before everything, as in SQLite and MariaDB.

use sea_query::{
    ColumnRef, Cond, Expr, ExprTrait, IntoColumnRef, NullOrdering, Order, SelectStatement, Value,
};

use crate::db::Dialect;
use crate::error::Result;
use crate::row::Row;

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

    /// The rows behind `position`.
    pub(crate) fn after(&self, position: Position) -> Cond {
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

    /// The place of a row whose id is at `id` and whose sort column at `key` in the select list.
    pub(crate) fn position(&self, row: &Row<'_>, id: usize, key: usize) -> Result<Position> {
        let value = match self.holds {
            SortType::Integer => SortValue::Integer(row.optional_integer(key)?),
            SortType::Text | SortType::Id => SortValue::Text(row.optional_string(key)?),
        };
        Ok(Position { value, id: row.string(id)? })
    }
}
