//! Texts by a part of them, in SQL.

use sea_query::{Expr, ExprTrait, Func, LikeExpr};

use crate::db::Dialect;

/// The column begins with `start`.
pub(crate) fn begins(column: Expr, start: &str) -> Expr {
    column.like(LikeExpr::new(format!("{}%", escape(start))).escape('!'))
}

/// The column has `part` in it. Case does not matter, on SQLite that of ASCII letters.
pub(crate) fn contains(dialect: Dialect, column: Expr, part: &str) -> Expr {
    let part = match dialect {
        Dialect::Sqlite => part.to_ascii_lowercase(),
        Dialect::Postgres | Dialect::Mysql => part.to_lowercase(),
    };
    let pattern = format!("%{}%", escape(&part));
    Expr::expr(Func::lower(column)).like(LikeExpr::new(pattern).escape('!'))
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
