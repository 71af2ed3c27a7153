//! Texts by a part of them, in SQL.

use sea_query::{Expr, ExprTrait, Func, LikeExpr};

use crate::db::Dialect;

/// Characters of the longest column that is looked into. A longer part is in none of them, and may be
/// more than a database takes for a pattern.
const LONGEST: usize = 1023;

/// The column begins with `start`.
pub(crate) fn begins(column: Expr, start: &str) -> Expr {
    if is_too_long(start) {
        return never();
    }
    column.like(LikeExpr::new(format!("{}%", escape(start))).escape('!'))
}

/// The column has `part` in it. Case does not matter, on SQLite that of ASCII letters.
pub(crate) fn contains(dialect: Dialect, column: Expr, part: &str) -> Expr {
    if is_too_long(part) {
        return never();
    }
    let part = match dialect {
        Dialect::Sqlite => part.to_ascii_lowercase(),
        Dialect::Postgres | Dialect::Mysql => part.to_lowercase(),
    };
    let pattern = format!("%{}%", escape(&part));
    Expr::expr(Func::lower(column)).like(LikeExpr::new(pattern).escape('!'))
}

fn is_too_long(part: &str) -> bool {
    part.chars().nth(LONGEST).is_some()
}

fn never() -> Expr {
    Expr::cust("1 = 0")
}

/// `text` with `!` before what LIKE would take as a wildcard.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '!') {
            escaped.push('!');
        }
        escaped.push(character);
    }
    escaped
}
