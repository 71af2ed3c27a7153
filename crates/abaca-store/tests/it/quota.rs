//! Quota: limits by subject, and usage summed from the rows.

use std::collections::BTreeMap;

use abaca_model::quota::{Limit, Resource, Scope, Usage};
use abaca_model::{ShareType, ShareTypeId, SnapshotStatus, Timestamp};
use abaca_store::quota::{self, Subject};
use abaca_store::testing::TestDatabase;
use abaca_store::{Error, Tx, retry_conflicts, share_types};
use sea_query::{Expr, ExprTrait, Query, SimpleExpr};

use crate::seed::{self, SeededShare};

crate::on_each_database!(
    usage_is_that_of_the_subject,
    what_a_share_grows_by_is_reserved_meanwhile,
    what_is_given_up_counts_for_nothing,
    limits_are_kept_by_subject,
    a_share_types_limits_go_with_it,
    quota_is_consumed_by_one_request_after_the_other,
);

async fn set(tx: &mut Tx, table: &'static str, id: String, values: &[(&'static str, SimpleExpr)]) {
    let mut update = Query::update();
    update.table(table).values(values.iter().cloned()).and_where(Expr::col("id").eq(id));
    assert_eq!(tx.execute(&update).await.unwrap(), 1);
}

/// A share of so many GiB, of this user, with a snapshot of half that by the user `snapper`.
async fn share(tx: &mut Tx, project: &str, user: &str, size: i64) -> SeededShare {
    let share = seed::share(tx, project, "h@b#p").await;
    let values = [("size", size.into()), ("user_id", user.into())];
    set(tx, "shares", share.id.to_string(), &values).await;
    let mut snapshot = seed::snapshot(share, project, "s", 1);
    (snapshot.size, snapshot.user_id) = (size / 2, "snapper".to_owned());
    seed::insert(tx, &snapshot, share, SnapshotStatus::Available).await;
    share
}

async fn type_of(tx: &mut Tx, share: SeededShare) -> ShareTypeId {
    let mut select = Query::select();
    let id = Expr::col("id").eq(share.id.to_string());
    select.column("share_type_id").from("shares").and_where(id);
    tx.optional(&select, |row| row.parsed(0)).await.unwrap().unwrap()
}

/// Shares, gigabytes, snapshots, snapshot gigabytes, replicas, replica gigabytes: in use.
fn in_use(usage: &Usage) -> [i64; 6] {
    use Resource::{
        Gigabytes, ReplicaGigabytes, ShareReplicas, Shares, SnapshotGigabytes, Snapshots,
    };
    [Shares, Gigabytes, Snapshots, SnapshotGigabytes, ShareReplicas, ReplicaGigabytes]
        .map(|resource| usage[&resource].in_use)
}

async fn usage_is_that_of_the_subject(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let first = share(&mut tx, "p", "ann", 2).await;
    share(&mut tx, "p", "ann", 4).await;
    share(&mut tx, "p", "bea", 8).await;
    share(&mut tx, "other", "ann", 100).await;
    for state in ["active", "in_sync"] {
        seed::share_instance(&mut tx, first.id, "h@b#p", Some(state)).await;
    }
    let share_type = Subject::ShareType(type_of(&mut tx, first).await);
    for (project, subject, expected) in [
        ("p", Subject::Project, [3, 14, 3, 7, 2, 4]),
        ("p", Subject::User("ann"), [2, 6, 0, 0, 2, 4]),
        ("p", Subject::User("bea"), [1, 8, 0, 0, 0, 0]),
        ("p", Subject::User("snapper"), [0, 0, 3, 7, 0, 0]),
        ("p", share_type, [1, 2, 1, 1, 2, 4]),
        ("other", share_type, [0; 6]),
        ("other", Subject::Project, [1, 100, 1, 50, 0, 0]),
        ("nobody", Subject::Project, [0; 6]),
    ] {
        let usage = quota::of_all(&mut tx, project, subject).await.unwrap();
        assert_eq!(in_use(&usage), expected, "{project} {subject:?}");
        assert!(usage.values().all(|used| used.reserved == 0), "{usage:?}");
    }
}

async fn what_a_share_grows_by_is_reserved_meanwhile(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let growing = share(&mut tx, "p", "ann", 2).await;
    share(&mut tx, "p", "ann", 2).await;
    set(&mut tx, "shares", growing.id.to_string(), &[("requested_size", 10_i64.into())]).await;
    for (status, reserved) in
        [("available", 0), ("extending", 8), ("extending_error", 0), ("reverting", 8)]
    {
        let instance = growing.instance_id.to_string();
        set(&mut tx, "share_instances", instance, &[("status", status.into())]).await;
        let usage = quota::of_shares(&mut tx, "p", Subject::Project).await.unwrap();
        let gigabytes = usage[&Resource::Gigabytes];
        assert_eq!((gigabytes.in_use, gigabytes.reserved), (4, reserved), "{status}");
    }
}

async fn what_is_given_up_counts_for_nothing(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let gone = share(&mut tx, "p", "ann", 2).await;
    let copied = share(&mut tx, "p", "ann", 4).await;
    share(&mut tx, "p", "ann", 8).await;
    seed::share_instance(&mut tx, copied.id, "h@b#p", None).await;
    for share in [gone, copied] {
        let status = [("status", "deferred_deleting".into())];
        set(&mut tx, "share_instances", share.instance_id.to_string(), &status).await;
        let mut update = Query::update();
        update
            .table("snapshot_instances")
            .value("status", "error_deferred_deleting")
            .and_where(Expr::col("share_instance_id").eq(share.instance_id.to_string()));
        assert_eq!(tx.execute(&update).await.unwrap(), 1);
    }
    let usage = quota::of_all(&mut tx, "p", Subject::Project).await.unwrap();
    assert_eq!(in_use(&usage), [2, 12, 1, 4, 0, 0], "a share that is left somewhere counts");
}

async fn limits_are_kept_by_subject(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let typed = share(&mut tx, "other", "ann", 1).await;
    let typed = type_of(&mut tx, typed).await;
    let limit = |number| Limit::try_from(number).unwrap();
    let limits = |numbers: &[(Resource, i64)]| -> BTreeMap<_, _> {
        numbers.iter().map(|(resource, number)| (*resource, limit(*number))).collect()
    };
    let share_type = Subject::ShareType(typed);
    use Resource::{Gigabytes, Shares, Snapshots};
    for (project, subject, set) in [
        ("p", Subject::Project, limits(&[(Shares, 9), (Gigabytes, 90)])),
        ("p", Subject::User("ann"), limits(&[(Shares, 5), (Gigabytes, -1)])),
        ("p", Subject::User("bea"), limits(&[(Shares, 3), (Snapshots, 0)])),
        ("p", share_type, limits(&[(Shares, 2)])),
        ("other", Subject::Project, limits(&[(Shares, 77)])),
        ("other", share_type, limits(&[(Shares, 7)])),
        ("p", Subject::Project, limits(&[(Shares, 10)])),
    ] {
        quota::set(&mut tx, project, subject, &set).await.unwrap();
    }
    let read = async |tx: &mut Tx, subjects: &[Subject<'_>]| {
        let found = quota::limits(tx, "p", subjects).await.unwrap();
        found.into_iter().map(|(key, limit)| (key, i64::from(limit))).collect::<Vec<_>>()
    };
    let of_project = [((Scope::Project, Gigabytes), 90), ((Scope::Project, Shares), 10)];
    let of_ann = [((Scope::User, Gigabytes), -1), ((Scope::User, Shares), 5)];
    let of_type = [((Scope::ShareType, Shares), 2)];
    let all = [Subject::Project, Subject::User("ann"), share_type];
    let everything = [of_project.as_slice(), &of_ann, &of_type].concat();
    assert_eq!(read(&mut tx, &all).await, everything);
    assert_eq!(read(&mut tx, &[Subject::User("cleo")]).await, []);
    let of_users = quota::limits_of_users(&mut tx, "p").await.unwrap();
    assert_eq!(of_users, BTreeMap::from([(Shares, 8)]));

    quota::clear(&mut tx, "p", Subject::User("ann")).await.unwrap();
    assert_eq!(read(&mut tx, &all).await, [of_project.as_slice(), &of_type].concat());
    quota::clear(&mut tx, "p", Subject::Project).await.unwrap();
    assert_eq!(read(&mut tx, &all).await, of_type, "a project's go with its users'");
    assert_eq!(quota::limits_of_users(&mut tx, "p").await.unwrap(), BTreeMap::new());
    quota::clear(&mut tx, "p", share_type).await.unwrap();
    assert_eq!(read(&mut tx, &all).await, []);

    assert_eq!(quota::class(&mut tx, "gold").await.unwrap(), BTreeMap::new());
    quota::set_class(&mut tx, "gold", &limits(&[(Shares, 1), (Gigabytes, 2)])).await.unwrap();
    quota::set_class(&mut tx, "gold", &limits(&[(Shares, -1)])).await.unwrap();
    let gold = quota::class(&mut tx, "gold").await.unwrap();
    assert_eq!(gold, limits(&[(Shares, -1), (Gigabytes, 2)]));
}

async fn a_share_types_limits_go_with_it(database: &TestDatabase) {
    let mut tx = database.db.write().await.unwrap();
    let share_type = ShareType {
        id: ShareTypeId::random(),
        name: "gold".to_owned(),
        description: None,
        is_public: true,
        extra_specs: BTreeMap::new(),
        created_at: Timestamp::from_micros(1),
        updated_at: None,
    };
    share_types::insert(&mut tx, &share_type).await.unwrap();
    let subject = Subject::ShareType(share_type.id);
    let one = BTreeMap::from([(Resource::Shares, Limit::AtMost(1))]);
    quota::set(&mut tx, "p", subject, &one).await.unwrap();
    assert!(share_types::delete(&mut tx, share_type.id).await.unwrap());
    assert_eq!(quota::limits(&mut tx, "p", &[subject]).await.unwrap(), BTreeMap::new());
    let lost = quota::set(&mut tx, "p", subject, &one).await.unwrap_err();
    assert!(matches!(lost, Error::ForeignKey(_)), "{lost:?}");
}

async fn quota_is_consumed_by_one_request_after_the_other(database: &TestDatabase) {
    let requests = (0..12).map(|_| {
        let db = database.db.clone();
        tokio::spawn(async move {
            retry_conflicts(|| async {
                let mut tx = db.write().await?;
                quota::lock_project(&mut tx, "p").await?;
                let usage = quota::of_shares(&mut tx, "p", Subject::Project).await?;
                if usage[&Resource::Shares].in_use >= 5 {
                    return Ok(false);
                }
                seed::share(&mut tx, "p", "h@b#p").await;
                tx.commit().await?;
                Ok::<_, Error>(true)
            })
            .await
        })
    });
    let mut taken = 0;
    for request in requests.collect::<Vec<_>>() {
        taken += u32::from(request.await.unwrap().unwrap());
    }
    assert_eq!(taken, 5);
}
