//! Backends whose storage can't be opened at the start.

use std::fs;

use super::{Service, simulated};

const BAD: &str = "[[backend]]\nname = \"bad\"\ndriver = \"directory\"\nroot = \"DATA/bad\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storage_that_is_out_of_reach_keeps_nothing_else_from_starting() {
    let backends = [BAD.to_owned(), simulated("good")].concat();
    let in_the_way = |data: &tempfile::TempDir| fs::write(data.path().join("bad"), "").unwrap();
    let service = Service::start("", &backends, in_the_way).await;
    service.reported(&["good"]).await;
    let share = service.share("w@good#p", "default").await;
    service.share_is(&share, "available").await;

    // What is asked of it waits until it is mended.
    fs::remove_file(service.data.path().join("bad")).unwrap();
    service.reported(&["bad", "good"]).await;
    let share = service.share("w@bad#directory", "default").await;
    service.share_is(&share, "available").await;
    service.stop().await;
}

#[tokio::test]
async fn a_worker_without_any_storage_that_is_its_own_does_not_start() {
    let somebody_elses = |data: &tempfile::TempDir| {
        fs::create_dir(data.path().join("bad")).unwrap();
        fs::write(data.path().join("bad/thesis.tex"), "").unwrap();
    };
    let refused = Service::try_start("", BAD, somebody_elses).await;
    let Err(error) = refused else { panic!("it started") };
    assert!(error.to_string().contains("\"bad\" can't be opened"), "{error}");
    // Beside one that can be used, it does.
    let backends = [BAD.to_owned(), simulated("good")].concat();
    let service = Service::start("", &backends, somebody_elses).await;
    service.reported(&["good"]).await;
    service.stop().await;
}
