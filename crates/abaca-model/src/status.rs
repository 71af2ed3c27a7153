//! The statuses of share instances, snapshot instances and access rules, as the API spells them.

use crate::word::words;

words! {
    /// The status of a share instance, and of the share that is shown for it.
    ShareStatus ("share status") {
        Creating => "creating",
        CreatingFromSnapshot => "creating_from_snapshot",
        Available => "available",
        Deleting => "deleting",
        Error => "error",
        ErrorDeleting => "error_deleting",
        DeferredDeleting => "deferred_deleting",
        ErrorDeferredDeleting => "error_deferred_deleting",
        Inactive => "inactive",
        Extending => "extending",
        ExtendingError => "extending_error",
        Shrinking => "shrinking",
        ShrinkingError => "shrinking_error",
        ShrinkingPossibleDataLossError => "shrinking_possible_data_loss_error",
        Migrating => "migrating",
        MigratingTo => "migrating_to",
        ManageStarting => "manage_starting",
        ManageError => "manage_error",
        UnmanageStarting => "unmanage_starting",
        UnmanageError => "unmanage_error",
        Unmanaged => "unmanaged",
        Reverting => "reverting",
        RevertingError => "reverting_error",
        ReplicationChange => "replication_change",
        ServerMigrating => "server_migrating",
        ServerMigratingTo => "server_migrating_to",
        AwaitingTransfer => "awaiting_transfer",
        Ensuring => "ensuring",
    }

    /// The status of a snapshot instance, and the aggregate shown for a snapshot.
    SnapshotStatus ("snapshot status") {
        Creating => "creating",
        Available => "available",
        Deleting => "deleting",
        Error => "error",
        ErrorDeleting => "error_deleting",
        DeferredDeleting => "deferred_deleting",
        ErrorDeferredDeleting => "error_deferred_deleting",
        Migrating => "migrating",
        MigratingTo => "migrating_to",
        ServerMigrating => "server_migrating",
        Restoring => "restoring",
        ManageStarting => "manage_starting",
        ManageError => "manage_error",
        UnmanageStarting => "unmanage_starting",
        UnmanageError => "unmanage_error",
    }

    /// The state in which a share instance's access rules are.
    AccessRulesStatus ("access rules status") {
        Active => "active",
        Syncing => "syncing",
        Error => "error",
    }

    /// How far an access rule is, in one place its share or snapshot lives in.
    AccessState ("access rule state") {
        QueuedToApply => "queued_to_apply",
        QueuedToUpdate => "queued_to_update",
        QueuedToDeny => "queued_to_deny",
        Applying => "applying",
        Updating => "updating",
        Denying => "denying",
        Active => "active",
        Error => "error",
    }

    /// By what an access rule knows its client.
    AccessType ("access type") {
        Ip => "ip",
        User => "user",
        Cert => "cert",
        Cephx => "cephx",
    }

    /// What an access rule lets its client do.
    AccessLevel ("access level") {
        ReadWrite => "rw",
        ReadOnly => "ro",
    }

    /// What a resource lock keeps anyone from doing.
    LockAction ("lock action") {
        Delete => "delete",
        Show => "show",
    }

    /// As what a resource lock was placed.
    LockContext ("lock context") {
        User => "user",
        Service => "service",
        Admin => "admin",
    }

    /// What a resource lock is on.
    LockedType ("kind of locked resource") {
        Share => "share",
        AccessRule => "access_rule",
    }

    /// What an administrator asked of a migration that runs.
    MigrationWish ("wish") {
        Complete => "complete",
        Cancel => "cancel",
    }

    /// Where a migration of a share stands.
    TaskState ("task state") {
        MigrationStarting => "migration_starting",
        MigrationInProgress => "migration_in_progress",
        MigrationCompleting => "migration_completing",
        MigrationSuccess => "migration_success",
        MigrationError => "migration_error",
        MigrationCancelled => "migration_cancelled",
        MigrationDriverInProgress => "migration_driver_in_progress",
        MigrationDriverPhase1Done => "migration_driver_phase1_done",
        DataCopyingStarting => "data_copying_starting",
        DataCopyingInProgress => "data_copying_in_progress",
        DataCopyingCompleting => "data_copying_completing",
        DataCopyingCompleted => "data_copying_completed",
        DataCopyingCancelled => "data_copying_cancelled",
        DataCopyingError => "data_copying_error",
    }
}

impl TaskState {
    /// Whether the task still works on the share, so that nothing else may.
    #[must_use]
    pub const fn is_busy(self) -> bool {
        match self {
            Self::MigrationStarting
            | Self::MigrationInProgress
            | Self::MigrationCompleting
            | Self::MigrationDriverInProgress
            | Self::MigrationDriverPhase1Done
            | Self::DataCopyingStarting
            | Self::DataCopyingInProgress
            | Self::DataCopyingCompleting
            | Self::DataCopyingCompleted => true,
            Self::MigrationSuccess
            | Self::MigrationError
            | Self::MigrationCancelled
            | Self::DataCopyingCancelled
            | Self::DataCopyingError => false,
        }
    }
}

impl AccessState {
    /// Whether a change of the rule waits for the operation that tells the backend.
    #[must_use]
    pub const fn is_queued(self) -> bool {
        matches!(self, Self::QueuedToApply | Self::QueuedToUpdate | Self::QueuedToDeny)
    }
}

impl ShareStatus {
    /// Of what its tenant has deleted and its backend may still hold.
    pub const DEFERRED: [Self; 2] = [Self::DeferredDeleting, Self::ErrorDeferredDeleting];

    /// Whether its tenant has deleted it, while its backend may still hold it.
    #[must_use]
    pub fn is_deferred(self) -> bool {
        Self::DEFERRED.contains(&self)
    }

    /// Whether it is on its way out, seen or unseen by its tenant.
    #[must_use]
    pub fn is_being_deleted(self) -> bool {
        self == Self::Deleting || self.is_deferred()
    }

    /// Whether what was last done to it failed, and stays so until somebody does something about it.
    /// Not so a deletion: what is left of that is not to be used any more.
    #[must_use]
    pub const fn is_failed(self) -> bool {
        matches!(
            self,
            Self::Error
                | Self::ExtendingError
                | Self::ShrinkingError
                | Self::ShrinkingPossibleDataLossError
                | Self::RevertingError
        )
    }

    /// Whether something works on it and will set another status.
    #[must_use]
    pub fn is_passing(self) -> bool {
        match self {
            Self::Creating
            | Self::CreatingFromSnapshot
            | Self::Deleting
            | Self::DeferredDeleting
            | Self::ErrorDeferredDeleting
            | Self::Extending
            | Self::Shrinking
            | Self::Migrating
            | Self::MigratingTo
            | Self::ManageStarting
            | Self::UnmanageStarting
            | Self::Reverting
            | Self::ReplicationChange
            | Self::ServerMigrating
            | Self::ServerMigratingTo
            | Self::AwaitingTransfer
            | Self::Ensuring => true,
            Self::Available
            | Self::Error
            | Self::ErrorDeleting
            | Self::Inactive
            | Self::ExtendingError
            | Self::ShrinkingError
            | Self::ShrinkingPossibleDataLossError
            | Self::ManageError
            | Self::UnmanageError
            | Self::Unmanaged
            | Self::RevertingError => false,
        }
    }
}

impl SnapshotStatus {
    /// Of what its tenant has deleted and its backend may still hold.
    pub const DEFERRED: [Self; 2] = [Self::DeferredDeleting, Self::ErrorDeferredDeleting];

    /// Whether its tenant has deleted it, while its backend may still hold it.
    #[must_use]
    pub fn is_deferred(self) -> bool {
        Self::DEFERRED.contains(&self)
    }

    /// Whether it is on its way out, seen or unseen by its tenant.
    #[must_use]
    pub fn is_being_deleted(self) -> bool {
        self == Self::Deleting || self.is_deferred()
    }

    /// Whether something works on it and will set another status.
    #[must_use]
    pub fn is_passing(self) -> bool {
        match self {
            Self::Creating
            | Self::Deleting
            | Self::DeferredDeleting
            | Self::ErrorDeferredDeleting
            | Self::Migrating
            | Self::MigratingTo
            | Self::ServerMigrating
            | Self::Restoring
            | Self::ManageStarting
            | Self::UnmanageStarting => true,
            Self::Available
            | Self::Error
            | Self::ErrorDeleting
            | Self::ManageError
            | Self::UnmanageError => false,
        }
    }
}

impl LockContext {
    /// Whether who acts as this may change or remove a lock that was placed as `placed`.
    #[must_use]
    pub fn may_change(self, placed: Self) -> bool {
        match placed {
            Self::User => true,
            Self::Service => self != Self::User,
            Self::Admin => self == Self::Admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back() {
        for status in ShareStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
        for status in SnapshotStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
        }
    }

    #[test]
    fn a_wrong_status_names_the_right_ones() {
        let error = "stuck".parse::<AccessRulesStatus>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"stuck\" is no access rules status; it takes one of: active, syncing, error"
        );
    }
}
