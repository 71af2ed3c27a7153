//! Rows and operations: nothing is lost, nothing is done twice, and a share's own work goes on.

use abaca_model::{AccessState, OperationKind, OperationState, Timestamp};
use abaca_store::access_rules::Of;
use abaca_store::{access_work, operations, replicas, share_instances, share_work};
use serde_json::json;

use super::{
    allowed, deny, listed, one_share, operations_of, outcomes, rows, settle, share_status,
};

#[tokio::test]
async fn one_operation_waits_however_much_is_asked_for() {
    let (server, share, place) = one_share().await;
    let first = allowed(&server, &share, "10.0.0.1").await;
    allowed(&server, &share, "10.0.0.2").await;
    deny(&server, &share, &first).await.expect(202);
    let made = operations_of(&server, place.id.uuid()).await;
    let [operation] = &made[..] else { panic!("{made:?}") };
    assert_eq!(operation.kind, OperationKind::UpdateAccessRules);
    assert_eq!(operation.service.as_deref(), Some("seed@seed"));

    // A backend that failed for a while is asked again at once when there is something new.
    let mut tx = server.app.db.write().await.unwrap();
    let services = [Some("seed@seed")];
    let (now, lease) = (Timestamp::now(), std::time::Duration::from_secs(60));
    let claimed = operations::claim(&mut tx, "w/1", &services, now, lease).await.unwrap().unwrap();
    let later = now.after(lease);
    assert!(operations::put_back(&mut tx, &claimed, later, 7, Some("no")).await.unwrap());
    tx.commit().await.unwrap();
    allowed(&server, &share, "10.0.0.3").await;
    let made = operations_of(&server, place.id.uuid()).await;
    let [operation] = &made[..] else { panic!("{made:?}") };
    assert_eq!(operation.attempts, 0);
    assert!(operation.run_at < later);

    // Once it has ended, the next change has one of its own.
    let mut tx = server.app.db.write().await.unwrap();
    let now = Timestamp::now();
    let claimed = operations::claim(&mut tx, "w/1", &services, now, lease).await.unwrap().unwrap();
    let state = OperationState::Succeeded;
    assert!(operations::end(&mut tx, &claimed, state, None, now).await.unwrap());
    tx.commit().await.unwrap();
    allowed(&server, &share, "10.0.0.4").await;
    assert_eq!(operations_of(&server, place.id.uuid()).await.len(), 2);
}

#[tokio::test]
async fn what_is_asked_for_meanwhile_begins_it_anew() {
    let (server, share, place) = one_share().await;
    let instance = place.id.uuid();
    let rule = allowed(&server, &share, "10.0.0.1").await;
    let mut tx = server.app.db.write().await.unwrap();
    let work = access_work::begin(&mut tx, Of::Shares, instance).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert_eq!(listed(&server, &share).await[0]["state"], "applying");

    // The backend is at work: the tenant has second thoughts.
    deny(&server, &share, &rule).await.expect(202);
    let mut tx = server.app.db.write().await.unwrap();
    let late = outcomes(&work.rules, &[]);
    let now = Timestamp::now();
    assert!(!access_work::finish(&mut tx, Of::Shares, &work, &late, now).await.unwrap());
    drop(tx);
    assert_eq!(listed(&server, &share).await[0]["state"], "queued_to_deny");
    assert!(settle(&server, Of::Shares, instance, &[]).await);
    assert!(listed(&server, &share).await.is_empty());
    assert_eq!(share_status(&server, &share).await, "active");
}

#[tokio::test]
async fn a_backend_that_gives_up_leaves_errors_but_not_of_what_came_later() {
    let (server, share, place) = one_share().await;
    let instance = place.id.uuid();
    allowed(&server, &share, "10.0.0.1").await;
    let mut tx = server.app.db.write().await.unwrap();
    access_work::begin(&mut tx, Of::Shares, instance).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    allowed(&server, &share, "10.0.0.2").await;
    let give_up = async || {
        let mut tx = server.app.db.write().await.unwrap();
        let now = Timestamp::now();
        let given_up =
            access_work::give_up(&mut tx, Of::Shares, instance, None, now).await.unwrap();
        tx.commit().await.unwrap();
        given_up
    };
    assert_eq!(give_up().await, access_work::GivenUp::Changed);
    let states = async || -> Vec<AccessState> {
        let rows = rows(&server, Of::Shares, share.id.uuid()).await;
        rows.iter().map(|rule| rule.state).collect()
    };
    assert_eq!(states().await, [AccessState::Error, AccessState::QueuedToApply]);
    let mut tx = server.app.db.write().await.unwrap();
    access_work::begin(&mut tx, Of::Shares, instance).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert_eq!(give_up().await, access_work::GivenUp::AtRest);
    assert_eq!(states().await, [AccessState::Error, AccessState::Error]);
    assert_eq!(share_status(&server, &share).await, "error");
}

#[tokio::test]
async fn a_backend_that_gives_up_is_told_of_what_no_rule_shows() {
    let (server, share, place) = one_share().await;
    let instance = place.id.uuid();
    allowed(&server, &share, "10.0.0.1").await;
    let mut tx = server.app.db.write().await.unwrap();
    let begun = access_work::begin(&mut tx, Of::Shares, instance).await.unwrap().unwrap();
    // A promotion asks for it, before the writers are waited for.
    assert!(replicas::set_read_only(&mut tx, place.id, true).await.unwrap());
    let now = Timestamp::now();
    let asked = access_work::request(&mut tx, Of::Shares, instance, now).await.unwrap();
    tx.commit().await.unwrap();
    for (tried, expected) in
        [(begun.generation, access_work::GivenUp::Changed), (asked, access_work::GivenUp::AtRest)]
    {
        let mut tx = server.app.db.write().await.unwrap();
        let (of, tried) = (Of::Shares, Some(tried));
        let given_up = access_work::give_up(&mut tx, of, instance, tried, now).await.unwrap();
        assert_eq!(given_up, expected);
    }
}

#[tokio::test]
async fn rules_and_the_share_itself_do_not_get_in_each_others_way() {
    let (server, share, place) = one_share().await;
    let instance = place.id.uuid();
    let rule = allowed(&server, &share, "10.0.0.1").await;
    let mut tx = server.app.db.read().await.unwrap();
    let fence = share_instances::get(&mut tx, place.id).await.unwrap().unwrap().fence;
    drop(tx);
    assert_eq!(fence, place.fence, "a rule takes nothing over");
    let action = format!("/v2/shares/{}/action", share.id);
    let reset = json!({ "reset_status": { "status": "error" } });
    server.post(&action, reset).await.expect(202);
    assert!(settle(&server, Of::Shares, instance, &[]).await, "nor does a reset of the share");
    assert_eq!(listed(&server, &share).await[0]["state"], "active");

    // With the share go its rules, also those on their way.
    deny(&server, &share, &rule).await.expect(202);
    let mut tx = server.app.db.write().await.unwrap();
    let work = access_work::begin(&mut tx, Of::Shares, instance).await.unwrap().unwrap();
    let share_work = share_work::load(&mut tx, place.id).await.unwrap().unwrap();
    assert!(share_work::remove(&mut tx, &share_work, share_work.fence).await.unwrap());
    let now = Timestamp::now();
    assert!(!access_work::finish(&mut tx, Of::Shares, &work, &[], now).await.unwrap());
    tx.commit().await.unwrap();
    assert!(rows(&server, Of::Shares, share.id.uuid()).await.is_empty());
}

#[tokio::test]
async fn a_rule_goes_with_its_last_place() {
    let (server, share, place) = one_share().await;
    let mut second = place.clone();
    second.id = abaca_model::ShareInstanceId::random();
    let mut tx = server.app.db.write().await.unwrap();
    share_instances::insert(&mut tx, &second).await.unwrap();
    tx.commit().await.unwrap();
    let rule = allowed(&server, &share, "10.0.0.1").await;
    let state = async || listed(&server, &share).await.first().map(|rule| rule["state"].clone());
    settle(&server, Of::Shares, place.id.uuid(), &[]).await;
    assert_eq!(state().await, Some(json!("queued_to_apply")), "it is not yet everywhere");
    settle(&server, Of::Shares, second.id.uuid(), &[]).await;
    assert_eq!(state().await, Some(json!("active")));
    deny(&server, &share, &rule).await.expect(202);
    settle(&server, Of::Shares, place.id.uuid(), &[]).await;
    assert_eq!(state().await, Some(json!("queued_to_deny")));
    settle(&server, Of::Shares, second.id.uuid(), &[]).await;
    assert_eq!(state().await, None);
}
