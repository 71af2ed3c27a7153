//! Where a `host@backend#pool` lies, in SQL.

use sea_query::{Cond, Expr, ExprTrait, Func};

use crate::like;

/// The column is a pool of `service`, which is `host@backend`.
pub(crate) fn on_service(column: Expr, service: &str) -> Expr {
    like::begins(column, &format!("{service}#"))
}

/// The column is `host`, or goes on behind it with `separator`: `@` before a backend, `#` before a
/// pool.
pub(crate) fn at_or_in(column: Expr, host: &str, separator: char) -> Cond {
    let inside = format!("{host}{separator}");
    // Not LIKE, which would be blind to case on SQLite. The numbers are no parameters, since they
    // are the only ones that PostgreSQL does not take as BIGINT.
    let length = Expr::cust(inside.chars().count().to_string());
    let start = Func::cust("SUBSTR").args([column.clone(), Expr::cust("1"), length]);
    Cond::any().add(column.eq(host)).add(Expr::expr(start).eq(inside))
}
