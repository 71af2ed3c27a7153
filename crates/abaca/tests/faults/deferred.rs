//! A deferred deletion that fails is tried again until it succeeds, whatever is restarted meanwhile.

use abaca_model::OperationState;
use abaca_store::Dialect;

use crate::service::{Storage, World, id};

crate::on_each_database!(goes_on_until_the_backend_has_deleted_it);

async fn goes_on_until_the_backend_has_deleted_it(dialect: Dialect) {
    let world = World::new(dialect, Storage::Simulated).await;
    world.configure("[api]", "deferred_deletion = true");
    let service = world.start("all", None);
    let share = service.create_share();
    service.share_is(&share, "available");
    let snapshot = service.create_snapshot(&share);
    service.snapshot_is(&snapshot, "available");
    let place = service.share_instance(&share);
    let copy = id(&service.snapshot_instance(&snapshot));

    world.set_faults("[[fault]]\nmethod = \"*\"\nfail = \"failed\"\n");
    service.expect("DELETE", &format!("/snapshots/{snapshot}"), None);
    service.snapshot_is(&snapshot, "error_deferred_deleting");
    service.expect("DELETE", &format!("/shares/{share}"), None);
    // It fails for good, again and again, and is told of once.
    world.tried(&copy, 3).await;
    let messages = service.get(&format!("/messages?resource_id={snapshot}"));
    let messages = messages["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1, "{messages:?}");
    let text = messages[0]["user_message"].as_str().unwrap();
    assert!(text.starts_with("delete: The storage backend failed. It is tried again"), "{text}");

    assert!(service.stop().success());
    world.set_faults("");
    let again = world.start("all", None);
    world.settled().await;
    for resource in [&copy, &place] {
        world.reaches(resource, OperationState::Succeeded).await;
    }
    assert_eq!(again.ask("GET", &format!("/shares/{share}"), None).unwrap().0, 404);
    assert!(again.stop().success());
    world.remove().await;
}
