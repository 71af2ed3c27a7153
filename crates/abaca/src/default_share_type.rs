//! The share type that a new installation starts with.

use abaca_model::{ShareType, ShareTypeId, Timestamp};
use abaca_store::share_types::{self, Listed, Visible};
use abaca_store::{Db, Error, retry_conflicts};

/// What backends such as `directory` can do.
const EXTRA_SPECS: [(&str, &str); 5] = [
    ("driver_handles_share_servers", "False"),
    ("snapshot_support", "True"),
    ("create_share_from_snapshot_support", "True"),
    ("revert_to_snapshot_support", "True"),
    ("mount_snapshot_support", "True"),
];

/// Makes a public share type `name` in a database that has no share type at all. An administrator
/// who deletes it later has made others, so that it does not come back.
///
/// # Errors
/// What the database says.
pub(crate) async fn ensure(db: &Db, name: &str) -> Result<(), Error> {
    if !share_types::list(&mut db.read().await?, Visible::All, Listed::All).await?.is_empty() {
        return Ok(());
    }
    let share_type = ShareType {
        id: ShareTypeId::random(),
        name: name.to_owned(),
        description: None,
        is_public: true,
        extra_specs: EXTRA_SPECS.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        created_at: Timestamp::now(),
        updated_at: None,
    };
    let inserted = retry_conflicts(|| async {
        let mut tx = db.write().await?;
        share_types::insert(&mut tx, &share_type).await?;
        tx.commit().await
    });
    match inserted.await {
        Ok(()) => tracing::info!(share_type = name, "made the first share type"),
        // Another process that starts at the same time was first.
        Err(Error::Unique(_)) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}
