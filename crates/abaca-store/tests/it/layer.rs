//! `Db`, `Tx` and `Row`: commit, rollback, affected rows, NULLs, retries.

use std::sync::atomic::{AtomicU32, Ordering};

use abaca_store::testing::TestDatabase;
use abaca_store::{Db, Dialect, Error, Tx, retry_conflicts};
use sea_query::{Expr, ExprTrait, Func, Query};

crate::on_each_database!(
    a_committed_row_reads_back,
    a_dropped_transaction_leaves_nothing,
    an_update_counts_the_rows_it_found,
    a_duplicate_key_is_told_apart,
    a_conflict_runs_again_and_the_rest_does_not,
    concurrent_writers_all_get_through,
    a_wrong_column_is_named,
    a_transaction_sees_what_others_committed,
    a_transaction_that_is_left_alone_ends,
);

async fn insert(tx: &mut Tx, id: &str, name: &str) -> Result<(), Error> {
    let insert = Query::insert()
        .into_table("availability_zones")
        .columns(["id", "name", "created_at", "updated_at"])
        .values_panic([id.into(), name.into(), 7_i64.into(), None::<i64>.into()])
        .to_owned();
    tx.execute(&insert).await.map(drop)
}

async fn count(database: &TestDatabase) -> i64 {
    let select =
        Query::select().expr(Func::count(Expr::col("id"))).from("availability_zones").to_owned();
    let mut tx = database.db.read().await.unwrap();
    tx.optional(&select, |row| row.integer(0)).await.unwrap().unwrap()
}

async fn a_committed_row_reads_back(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    insert(&mut tx, "a", "Zürich \u{1f9f6} '; --").await.unwrap();
    tx.commit().await.unwrap();
    let select = Query::select()
        .columns(["id", "name", "created_at", "updated_at"])
        .from("availability_zones")
        .to_owned();
    let mut tx = database.db.read().await.unwrap();
    let rows = tx
        .all(&select, |row| {
            Ok((row.string(0)?, row.string(1)?, row.integer(2)?, row.optional_integer(3)?))
        })
        .await
        .unwrap();
    assert_eq!(rows, [("a".to_owned(), "Zürich \u{1f9f6} '; --".to_owned(), 7, None)]);
}

async fn a_dropped_transaction_leaves_nothing(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    insert(&mut tx, "a", "a").await.unwrap();
    drop(tx);
    assert_eq!(count(database).await, 0);
    let mut tx = database.db.write().await.unwrap();
    insert(&mut tx, "a", "a").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(database).await, 1);
}

async fn an_update_counts_the_rows_it_found(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    insert(&mut tx, "a", "a").await.unwrap();
    let update = |id: &str| {
        Query::update()
            .table("availability_zones")
            .value("name", "a")
            .and_where(Expr::col("id").eq(id))
            .to_owned()
    };
    assert_eq!(tx.execute(&update("a")).await.unwrap(), 1, "also when it changes nothing");
    assert_eq!(tx.execute(&update("b")).await.unwrap(), 0);
}

async fn a_duplicate_key_is_told_apart(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    insert(&mut tx, "a", "a").await.unwrap();
    let error = insert(&mut tx, "b", "a").await.unwrap_err();
    assert!(matches!(error, Error::Unique(_)), "{error:?}");
}

async fn a_conflict_runs_again_and_the_rest_does_not(database: &TestDatabase) {
    let runs = AtomicU32::new(0);
    let result = retry_conflicts(|| async {
        let mut tx = database.db.write().await?;
        insert(&mut tx, "a", "a").await?;
        if runs.fetch_add(1, Ordering::Relaxed) == 0 {
            return Err(Error::Conflict("the first attempt loses".into()));
        }
        tx.commit().await
    })
    .await;
    assert!(result.is_ok(), "{result:?}");
    assert_eq!((runs.load(Ordering::Relaxed), count(database).await), (2, 1));

    let runs = AtomicU32::new(0);
    let result = retry_conflicts(|| async {
        runs.fetch_add(1, Ordering::Relaxed);
        let mut tx = database.db.write().await?;
        insert(&mut tx, "b", "a").await
    })
    .await;
    assert!(matches!(result, Err(Error::Unique(_))), "{result:?}");
    assert_eq!((runs.load(Ordering::Relaxed), count(database).await), (1, 1));
}

async fn concurrent_writers_all_get_through(database: &TestDatabase) {
    let writers = (0..16).map(|number| {
        let db = database.db.clone();
        tokio::spawn(async move {
            let id = number.to_string();
            retry_conflicts(|| async {
                let mut tx = db.write().await?;
                insert(&mut tx, &id, &id).await?;
                tx.commit().await
            })
            .await
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(count(database).await, 16);
}

async fn a_wrong_column_is_named(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    insert(&mut tx, "a", "a").await.unwrap();
    let select =
        Query::select().columns(["id", "updated_at"]).from("availability_zones").to_owned();
    let error = tx.optional(&select, |row| row.integer(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "column updated_at: is NULL");
    let error = tx.optional(&select, |row| row.integer(0)).await.unwrap_err();
    assert!(error.to_string().starts_with("column id: "), "{error}");
}

/// Whoever waited for a row must see what was committed meanwhile, whatever level the server takes
/// by default. SQLite has one writer, who is alone.
async fn a_transaction_sees_what_others_committed(database: &TestDatabase) {
    if database.db.dialect() == Dialect::Sqlite {
        return;
    }
    let mut url = database.url.clone();
    if database.db.dialect() == Dialect::Postgres {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str("options=-c%20default_transaction_isolation%3Dserializable");
    }
    let select = Query::select().column("id").from("availability_zones").to_owned();
    let mut first = Db::open(&url, 1).unwrap().write().await.unwrap();
    assert_eq!(first.all(&select, |row| row.string(0)).await.unwrap(), [""; 0]);
    let mut second = database.db.write().await.unwrap();
    insert(&mut second, "a", "a").await.unwrap();
    second.commit().await.unwrap();
    assert_eq!(first.all(&select, |row| row.string(0)).await.unwrap(), ["a"]);
}

/// By the server, which needs half a minute for it: here it is only asked whether it would.
async fn a_transaction_that_is_left_alone_ends(database: &TestDatabase) {
    let setting = match database.db.dialect() {
        Dialect::Sqlite => return,
        Dialect::Postgres => "current_setting('idle_in_transaction_session_timeout')",
        Dialect::Mysql => "concat(@@SESSION.idle_transaction_timeout, 's')",
    };
    let select = Query::select().expr(Expr::cust(setting)).to_owned();
    let mut tx = database.db.write().await.unwrap();
    assert_eq!(tx.optional(&select, |row| row.string(0)).await.unwrap().unwrap(), "30s");
}
