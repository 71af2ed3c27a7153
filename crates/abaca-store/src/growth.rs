//! What shares are growing by. Quota and the scheduler count it alike: a share whose instance is
//! `extending` or `reverting` takes the size that was asked for, if that is the larger one.

use abaca_model::ShareStatus;
use sea_query::{CaseStatement, Expr, ExprTrait, Func, Query, SimpleExpr};

use crate::db::Dialect;
use crate::share_instances;

const SHARES: &str = "shares";

/// The instances in which a share is growing, to be joined with or looked for in a subquery.
pub(crate) fn is_growing() -> SimpleExpr {
    let growing = [ShareStatus::Extending, ShareStatus::Reverting];
    Expr::col((share_instances::TABLE, "status")).is_in(growing.map(ShareStatus::as_str))
}

/// By how many GiB a share grows where `is_growing` holds; 0 elsewhere.
pub(crate) fn growth(is_growing: SimpleExpr) -> SimpleExpr {
    let (requested, size) = (Expr::col((SHARES, "requested_size")), Expr::col((SHARES, "size")));
    let grows = is_growing.and(requested.clone().gt(size.clone()));
    CaseStatement::new().case(grows, requested.sub(size)).finally(0_i64).into()
}

/// As [`growth`], of a share as a whole: whichever of its instances it is growing in.
pub(crate) fn of_share() -> SimpleExpr {
    let instances = share_instances::TABLE;
    let mut growing = Query::select();
    growing
        .column((instances, "id"))
        .from(instances)
        .and_where(Expr::col((instances, "share_id")).equals((SHARES, "id")))
        .and_where(is_growing());
    growth(Expr::exists(growing))
}

/// A sum. That of BIGINTs is a NUMERIC to PostgreSQL; the cast that it wants, MariaDB can't read.
pub(crate) fn sum(dialect: Dialect, of: impl Into<SimpleExpr>) -> SimpleExpr {
    let sum = Func::sum(of);
    match dialect {
        Dialect::Postgres => Func::cast_as(sum, "BIGINT").into(),
        Dialect::Sqlite | Dialect::Mysql => sum.into(),
    }
}
