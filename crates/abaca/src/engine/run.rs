//! One operation at work: what its steps see of it, and the guarded transactions they end with.

use std::time::Duration;

use abaca_drivers::DriverResult;
use abaca_model::{Operation, OperationKind, OperationState, ShareInstance, Timestamp};
use abaca_store::operations::{self, NewOperation, Next};
use abaca_store::{Db, Tx, share_instances};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::backend::Backend;
use super::failure::Failure;
use super::places::Place;
use super::{Engine, arguments, kill_point};

/// How often it is looked whether a copy is still wanted, and written down how far it is.
pub(super) const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// An operation that this runner holds the lease of.
pub(super) struct Run<'a> {
    pub(super) engine: &'a Engine,
    pub(super) operation: &'a Operation,
    /// Where it is counted.
    pub(super) place: &'a Place,
    /// The name of the present step.
    pub(super) step: &'static str,
}

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The next step follows here, for this service.
    Advanced { service: String },
    /// The next step is for a worker of another backend.
    HandedOver,
    /// There is no next step.
    Ended(OperationState),
}

impl Run<'_> {
    pub(super) fn db(&self) -> &Db {
        &self.engine.db
    }

    /// The fence that the resource must still have.
    pub(super) fn resource_fence(&self) -> i64 {
        self.operation.resource_fence
    }

    /// What the request told the operation.
    pub(super) fn arguments<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.operation.arguments).map_err(|error| {
            Failure::permanent("The service's record of this request is damaged.", error)
        })
    }

    /// The backend of this worker that holds `host`, which is `host@backend#pool`.
    pub(super) fn backend(&self, host: &str) -> Result<&Backend, Failure> {
        self.reach("call");
        let service = operations::service_of(host);
        self.engine
            .backends
            .get(service)
            .map(AsRef::as_ref)
            .ok_or_else(|| Failure::Passing(format!("this worker does not serve {service}").into()))
    }

    /// Whether `fence`, just read, says that the resource is still this operation's.
    pub(super) fn check(&self, fence: i64) -> Result<(), Failure> {
        if fence == self.resource_fence() { Ok(()) } else { Err(Failure::Superseded) }
    }

    /// Leaves its place to others, for one of those for copies: what follows may take hours.
    pub(super) fn go_on_to_copy(&self) -> Result<(), Failure> {
        if self.place.go_on_to_copy() {
            return Ok(());
        }
        Err(Failure::Waiting("the backend copies as much as it may at a time"))
    }

    /// A driver call that may copy for hours. It takes none of the places in which its service does
    /// everything else, and is dropped when the share instance is this operation's no more: what
    /// took that over does not wait for the copy.
    pub(super) async fn copy<T>(
        &self,
        call: impl Future<Output = DriverResult<T>>,
    ) -> Result<DriverResult<T>, Failure> {
        self.go_on_to_copy()?;
        self.while_mine(call).await
    }

    /// A driver call that is dropped when the share instance is this operation's no more.
    pub(super) async fn while_mine<T>(
        &self,
        call: impl Future<Output = DriverResult<T>>,
    ) -> Result<DriverResult<T>, Failure> {
        tokio::select! {
            result = call => Ok(result),
            () = self.taken_over() => Err(Failure::Superseded),
        }
    }

    /// Returns when the share instance is this operation's no more.
    async fn taken_over(&self) {
        loop {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            // What can't be read now is read the next time.
            let Ok(mut tx) = self.db().read().await else { continue };
            let found = share_instances::get(&mut tx, self.operation.resource_id.into()).await;
            let is_ours = |found: Option<_>| {
                found.is_some_and(|own: ShareInstance| self.check(own.fence).is_ok())
            };
            if found.is_ok_and(|found| !is_ours(found)) {
                return;
            }
        }
    }

    /// Puts further work into the queue of the service at `host`, for the request that this operation
    /// came from: what, to which instance, and that instance's fence after this transaction.
    pub(super) async fn enqueue(
        &self,
        tx: &mut Tx,
        (kind, resource_id, resource_fence): (OperationKind, Uuid, i64),
        host: Option<&str>,
        arguments: &impl Serialize,
    ) -> Result<(), Failure> {
        let new = NewOperation {
            kind,
            resource_id,
            resource_fence,
            service: host.map(operations::service_of),
            arguments: arguments::to_json(arguments),
            project_id: &self.operation.project_id,
            user_id: &self.operation.user_id,
            request_id: &self.operation.request_id,
            now: Timestamp::now(),
        };
        operations::enqueue(tx, &new).await?;
        Ok(())
    }

    /// Begins the transaction that records what the step did.
    pub(super) async fn record(&self) -> Result<Tx, Failure> {
        self.reach("effect");
        Ok(self.db().write().await?)
    }

    /// Commits the transaction and goes on to the next step, which `service` must run.
    pub(super) async fn advance(&self, mut tx: Tx, service: &str) -> Result<Outcome, Failure> {
        let backend = self.engine.backends.get(service);
        let stays = backend.is_some_and(|own| own.is_up()) && self.place.go_on_to(service);
        let next = if stays { Next::Keep(Some(service)) } else { Next::HandOver(service) };
        if !operations::advance(&mut tx, self.operation, next).await? {
            return Err(Failure::LeaseLost);
        }
        self.commit(tx).await?;
        Ok(match stays {
            true => Outcome::Advanced { service: service.to_owned() },
            false => Outcome::HandedOver,
        })
    }

    /// Has the present step run by a worker of `service`.
    pub(super) async fn hand_over(&self, service: &str) -> Result<Outcome, Failure> {
        let mut tx = self.db().write().await?;
        if !operations::hand_over(&mut tx, self.operation, service).await? {
            return Err(Failure::LeaseLost);
        }
        self.commit(tx).await?;
        Ok(Outcome::HandedOver)
    }

    /// Commits the transaction and ends the operation.
    pub(super) async fn end(
        &self,
        mut tx: Tx,
        state: OperationState,
        error: Option<&str>,
    ) -> Result<Outcome, Failure> {
        if !operations::end(&mut tx, self.operation, state, error, Timestamp::now()).await? {
            return Err(Failure::LeaseLost);
        }
        self.commit(tx).await?;
        Ok(Outcome::Ended(state))
    }

    /// Commits the transaction and puts the operation back into the queue, not to be run before
    /// `run_at`.
    pub(super) async fn put_back(
        &self,
        mut tx: Tx,
        run_at: Timestamp,
        attempts: i64,
        error: &str,
    ) -> Result<Outcome, Failure> {
        let operation = self.operation;
        if !operations::put_back(&mut tx, operation, run_at, attempts, Some(error)).await? {
            return Err(Failure::LeaseLost);
        }
        self.commit(tx).await?;
        Ok(Outcome::HandedOver)
    }

    /// Commits the transaction, unless the lease is lost, and goes on with the step.
    pub(super) async fn commit_as_owner(&self, mut tx: Tx) -> Result<(), Failure> {
        let (now, lease) = (Timestamp::now(), self.engine.settings.lease);
        if !operations::renew(&mut tx, self.operation, now, lease).await? {
            return Err(Failure::LeaseLost);
        }
        Ok(tx.commit().await?)
    }

    async fn commit(&self, tx: Tx) -> Result<(), Failure> {
        self.reach("commit");
        tx.commit().await?;
        self.reach("recorded");
        // It may have asked for more, or be what another operation waits for.
        self.engine.queue.notify_one();
        Ok(())
    }

    /// A place at which a test can have the process killed.
    pub(super) fn reach(&self, moment: &str) {
        kill_point::reach(self.operation.kind.as_str(), self.step, moment);
    }
}

/// A guarded write: the resource must still have been this operation's.
pub(super) fn mine(written: bool) -> Result<(), Failure> {
    if written { Ok(()) } else { Err(Failure::Superseded) }
}
