//! Which service a `host@backend#pool` belongs to, in SQL.

use sea_query::{Expr, ExprTrait, LikeExpr, SimpleExpr};

use crate::operations::escape_like;

/// The column is a pool of `service`, which is `host@backend`.
pub(crate) fn on_service(column: Expr, service: &str) -> SimpleExpr {
    column.like(LikeExpr::new(format!("{}#%", escape_like(service))).escape('!'))
}
