//! Taking quota, by the transaction that makes what takes it.

use abaca_model::quota::{Claim, Limits, OverQuota, Resource, Scope, check};
use abaca_model::{Share, ShareTypeId, Snapshot};
use abaca_store::Tx;
use abaca_store::quota::{self, Subject};

use super::of_project;
use crate::api::{ApiError, Call};

/// Whose limits a request has to keep: the project's, its user's, and those of the share type.
#[derive(Clone, Copy)]
pub(in crate::api) struct Payer<'a> {
    project_id: &'a str,
    user_id: &'a str,
    share_type_id: ShareTypeId,
}

impl<'a> Payer<'a> {
    /// Who owns the share pays for it, whoever asks.
    pub(in crate::api) fn of_share(share: &'a Share) -> Self {
        let Share { project_id, user_id, share_type_id, .. } = share;
        Self { project_id, user_id, share_type_id: *share_type_id }
    }

    /// As of a share of another type.
    pub(in crate::api) fn in_type(self, share_type_id: ShareTypeId) -> Self {
        Self { share_type_id, ..self }
    }

    /// Who takes a snapshot pays for it, whosever the share is.
    pub(in crate::api) fn of_snapshot(snapshot: &'a Snapshot, share: &Share) -> Self {
        let Snapshot { project_id, user_id, .. } = snapshot;
        Self { project_id, user_id, share_type_id: share.share_type_id }
    }

    const fn subjects(&self) -> [Subject<'a>; 3] {
        let share_type = Subject::ShareType(self.share_type_id);
        [Subject::Project, Subject::User(self.user_id), share_type]
    }
}

/// A payer's limits, behind the lock of its project.
pub(in crate::api) struct Quota<'a> {
    payer: Payer<'a>,
    limits: Limits,
}

impl<'a> Quota<'a> {
    /// Makes every other request that takes quota of this project wait until the transaction ends.
    /// To be called before any other row is locked.
    ///
    /// # Errors
    /// What the database says.
    pub(in crate::api) async fn lock(
        call: &Call,
        tx: &mut Tx,
        payer: Payer<'a>,
    ) -> Result<Self, ApiError> {
        quota::lock_project(tx, payer.project_id).await?;
        let limits = of_project(call, tx, payer.project_id, &payer.subjects()).await?;
        Ok(Self { payer, limits })
    }

    /// # Errors
    /// 413 for a share larger than one share may be.
    pub(in crate::api) fn one_share(&self, size: i64) -> Result<(), ApiError> {
        for scope in [Scope::Project, Scope::User, Scope::ShareType] {
            let limit = self.limits.of(scope, Resource::PerShareGigabytes);
            check(&[Claim::share_size(size, limit)]).map_err(|_| {
                ApiError::OverLimit(format!(
                    "ShareSizeExceedsLimit: Requested share size {size} is larger than maximum \
                     allowed limit {limit}."
                ))
            })?;
        }
        Ok(())
    }

    /// Whether so many more shares fit, and so many more GiB of shares; else what does not.
    ///
    /// # Errors
    /// What the database says.
    pub(in crate::api) async fn shares(
        &self,
        tx: &mut Tx,
        shares: i64,
        gigabytes: i64,
    ) -> Result<Result<(), OverQuota>, ApiError> {
        let asked = [(Resource::Shares, shares), (Resource::Gigabytes, gigabytes)];
        let mut claims = Vec::new();
        for subject in self.bounding(&asked) {
            let usage = quota::of_shares(tx, self.payer.project_id, subject).await?;
            claims.extend(self.limits.claims(subject.scope(), &asked, &usage));
        }
        Ok(check(&claims))
    }

    /// Whether one more snapshot of so many GiB fits; else what does not.
    ///
    /// # Errors
    /// What the database says.
    pub(in crate::api) async fn snapshot(
        &self,
        tx: &mut Tx,
        gigabytes: i64,
    ) -> Result<Result<(), OverQuota>, ApiError> {
        let asked = [(Resource::Snapshots, 1), (Resource::SnapshotGigabytes, gigabytes)];
        let mut claims = Vec::new();
        for subject in self.bounding(&asked) {
            let usage = quota::of_snapshots(tx, self.payer.project_id, subject).await?;
            claims.extend(self.limits.claims(subject.scope(), &asked, &usage));
        }
        Ok(check(&claims))
    }

    /// Whether so many more replicas fit, and so many more GiB of replicas; else what does not.
    ///
    /// # Errors
    /// What the database says.
    pub(in crate::api) async fn replicas(
        &self,
        tx: &mut Tx,
        replicas: i64,
        gigabytes: i64,
    ) -> Result<Result<(), OverQuota>, ApiError> {
        let asked = [(Resource::ShareReplicas, replicas), (Resource::ReplicaGigabytes, gigabytes)];
        let mut claims = Vec::new();
        for subject in self.bounding(&asked) {
            let usage = quota::of_replicas(tx, self.payer.project_id, subject).await?;
            claims.extend(self.limits.claims(subject.scope(), &asked, &usage));
        }
        Ok(check(&claims))
    }

    /// Those whose usage has to be summed.
    fn bounding(&self, asked: &[(Resource, i64)]) -> impl Iterator<Item = Subject<'a>> {
        let resources: Vec<Resource> = asked.iter().map(|(resource, _)| *resource).collect();
        let subjects = self.payer.subjects().into_iter();
        subjects.filter(move |subject| self.limits.bounds(subject.scope(), &resources))
    }
}
