//! Share types: who sees which, their extra specs and grants.

use std::collections::BTreeMap;

use abaca_model::{ShareType, ShareTypeId, Timestamp};
use abaca_store::share_types::{self, Listed, Visible};
use abaca_store::testing::TestDatabase;
use abaca_store::{Error, Tx};

crate::on_each_database!(
    a_type_reads_back_as_it_was_written,
    a_name_is_taken_once_and_by_its_case,
    private_types_are_seen_by_those_they_were_granted_to,
    extra_specs_are_set_one_by_one,
    a_deleted_type_takes_specs_and_grants_along,
);

fn share_type(name: &str, is_public: bool) -> ShareType {
    ShareType {
        id: ShareTypeId::random(),
        name: name.to_owned(),
        description: Some("what for".to_owned()),
        is_public,
        extra_specs: BTreeMap::from([
            ("driver_handles_share_servers".to_owned(), "False".to_owned()),
            ("snapshot_support".to_owned(), "True".to_owned()),
        ]),
        created_at: Timestamp::from_micros(1_000_001),
        updated_at: None,
    }
}

async fn insert(database: &TestDatabase, share_type: &ShareType) -> Result<(), Error> {
    let mut tx = database.db.write().await?;
    share_types::insert(&mut tx, share_type).await?;
    tx.commit().await
}

async fn names(tx: &mut Tx, visible: Visible<'_>, listed: Listed<'_>) -> Vec<String> {
    let found = share_types::list(tx, visible, listed).await.unwrap();
    found.into_iter().map(|share_type| share_type.name).collect()
}

async fn a_type_reads_back_as_it_was_written(database: &TestDatabase) {
    let mut gold = share_type("gold", true);
    let bare = ShareType { extra_specs: BTreeMap::new(), ..share_type("bare", true) };
    insert(database, &gold).await.unwrap();
    insert(database, &bare).await.unwrap();

    let mut tx = database.db.write().await.unwrap();
    let by_id = share_types::by_id(&mut tx, Visible::All, gold.id).await.unwrap();
    assert_eq!(by_id.as_ref(), Some(&gold));
    let by_name = share_types::by_name_or_id(&mut tx, Visible::All, "bare").await.unwrap();
    assert_eq!(by_name, Some(bare));

    gold.description = None;
    gold.updated_at = Some(Timestamp::from_micros(5));
    assert!(share_types::update(&mut tx, &gold).await.unwrap());
    let id = gold.id.to_string();
    let updated = share_types::by_name_or_id(&mut tx, Visible::All, &id).await.unwrap();
    assert_eq!(updated, Some(gold));
    let unknown = share_type("none", true);
    assert!(!share_types::update(&mut tx, &unknown).await.unwrap());
    assert!(share_types::by_id(&mut tx, Visible::All, unknown.id).await.unwrap().is_none());
}

async fn a_name_is_taken_once_and_by_its_case(database: &TestDatabase) {
    insert(database, &share_type("gold", true)).await.unwrap();
    insert(database, &share_type("Gold", true)).await.unwrap();
    let taken = insert(database, &share_type("gold", false)).await;
    assert!(matches!(taken, Err(Error::Unique(_))), "{taken:?}");

    let mut other = share_type("other", true);
    insert(database, &other).await.unwrap();
    other.name = "gold".to_owned();
    let mut tx = database.db.write().await.unwrap();
    let taken = share_types::update(&mut tx, &other).await;
    assert!(matches!(taken, Err(Error::Unique(_))), "{taken:?}");
}

async fn private_types_are_seen_by_those_they_were_granted_to(database: &TestDatabase) {
    let secret = share_type("secret", false);
    for share_type in [&share_type("b", true), &secret, &share_type("a", true)] {
        insert(database, share_type).await.unwrap();
    }
    let mut tx = database.db.write().await.unwrap();
    share_types::grant(&mut tx, secret.id, "mine").await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = database.db.read().await.unwrap();
    let (mine, other) = (Visible::To("mine"), Visible::To("other"));
    assert_eq!(names(&mut tx, Visible::All, Listed::All).await, ["a", "b", "secret"]);
    assert_eq!(names(&mut tx, Visible::All, Listed::Private).await, ["secret"]);
    assert_eq!(names(&mut tx, Visible::All, Listed::UsableBy("other")).await, ["a", "b"]);
    assert_eq!(names(&mut tx, mine, Listed::All).await, ["a", "b", "secret"]);
    assert_eq!(names(&mut tx, other, Listed::All).await, ["a", "b"]);
    assert!(names(&mut tx, other, Listed::Private).await.is_empty());
    assert!(share_types::by_id(&mut tx, mine, secret.id).await.unwrap().is_some());
    assert!(share_types::by_id(&mut tx, other, secret.id).await.unwrap().is_none());
    assert!(share_types::by_name(&mut tx, other, "secret").await.unwrap().is_none());
}

async fn extra_specs_are_set_one_by_one(database: &TestDatabase) {
    let gold = share_type("gold", true);
    insert(database, &gold).await.unwrap();
    let mut tx = database.db.write().await.unwrap();
    let set = BTreeMap::from([
        ("snapshot_support".to_owned(), "False".to_owned()),
        ("new".to_owned(), "1".to_owned()),
    ]);
    share_types::set_extra_specs(&mut tx, gold.id, &set).await.unwrap();
    share_types::set_extra_specs(&mut tx, gold.id, &BTreeMap::new()).await.unwrap();
    let specs = share_types::by_id(&mut tx, Visible::All, gold.id).await.unwrap().unwrap();
    let specs: Vec<_> =
        specs.extra_specs.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(specs, ["driver_handles_share_servers=False", "new=1", "snapshot_support=False"]);
    assert!(share_types::delete_extra_spec(&mut tx, gold.id, "new").await.unwrap());
    assert!(!share_types::delete_extra_spec(&mut tx, gold.id, "new").await.unwrap());
    let gone = share_types::set_extra_specs(&mut tx, ShareTypeId::random(), &set).await;
    assert!(matches!(gone, Err(Error::ForeignKey(_))), "{gone:?}");
}

async fn a_deleted_type_takes_specs_and_grants_along(database: &TestDatabase) {
    let gold = share_type("gold", false);
    insert(database, &gold).await.unwrap();
    let mut tx = database.db.write().await.unwrap();
    share_types::grant(&mut tx, gold.id, "two").await.unwrap();
    share_types::grant(&mut tx, gold.id, "one").await.unwrap();
    assert_eq!(share_types::projects(&mut tx, gold.id).await.unwrap(), ["one", "two"]);
    assert!(share_types::revoke(&mut tx, gold.id, "one").await.unwrap());
    assert!(!share_types::revoke(&mut tx, gold.id, "one").await.unwrap());
    tx.commit().await.unwrap();

    let mut tx = database.db.write().await.unwrap();
    let twice = share_types::grant(&mut tx, gold.id, "two").await;
    assert!(matches!(twice, Err(Error::Unique(_))), "{twice:?}");
    drop(tx);

    let mut tx = database.db.write().await.unwrap();
    assert!(share_types::delete(&mut tx, gold.id).await.unwrap());
    assert!(!share_types::delete(&mut tx, gold.id).await.unwrap());
    assert!(share_types::projects(&mut tx, gold.id).await.unwrap().is_empty());
}
