//! A share whose time in the recycle bin is over is deleted, wherever the process that began it dies.

use std::os::unix::process::ExitStatusExt;

use abaca_model::OperationKind;
use abaca_store::Dialect;
use serde_json::json;

use crate::service::{Storage, World};
use crate::story::{self, MOMENTS};

crate::on_each_database!(emptied_in_spite_of_a_kill);

async fn emptied_in_spite_of_a_kill(dialect: Dialect) {
    for moment in MOMENTS {
        let place = format!("delete_share.delete.{moment}");
        let world = World::new(dialect, Storage::Directory).await;
        let whole = world.start("all", None);
        let scene = story::prepare(&world, &whole, "delete_share", true);
        let action = format!("/shares/{}/action", scene.share);
        whole.post(&action, &json!({ "soft_delete": null }));
        drop(whole);
        // Its time is over at once; the next process finds that when it starts.
        let mut doomed = world.start("all", Some(&place));
        let status = doomed.gone();
        assert_eq!(status.signal(), Some(9), "{place}: {status}\n{}", world.log());
        let again = world.start("all", None);
        let share = format!("/shares/{}", scene.share);
        again.wait("the share gone", |service| {
            service.ask("GET", &share, None).filter(|(status, _)| *status == 404)
        });
        world.settled().await;
        story::assert_done(&world, &again, "delete_share", &scene);
        let operations = world.operations(&scene.share_instance).await;
        let deletions = operations.iter().filter(|one| one.kind == OperationKind::DeleteShare);
        assert_eq!(deletions.count(), 1, "{place}: {operations:?}");
        assert!(again.stop().success(), "{place}: a clean end");
        world.remove().await;
    }
}
