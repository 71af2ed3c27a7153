//! What keeps anyone from deleting or reading a resource.

use uuid::Uuid;

use crate::{
    AccessRuleId, LockAction, LockContext, LockedType, ResourceLockId, ShareId, Timestamp,
};

/// What is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockedResource {
    /// A share.
    Share(ShareId),
    /// An access rule of a share.
    AccessRule(AccessRuleId),
}

impl LockedResource {
    /// What kind of resource it is.
    #[must_use]
    pub fn kind(self) -> LockedType {
        match self {
            Self::Share(_) => LockedType::Share,
            Self::AccessRule(_) => LockedType::AccessRule,
        }
    }

    /// Its id.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        match self {
            Self::Share(id) => id.uuid(),
            Self::AccessRule(id) => id.uuid(),
        }
    }
}

/// A lock on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceLock {
    /// Its id.
    pub id: ResourceLockId,
    /// The project of who placed it.
    pub project_id: String,
    /// Who placed it.
    pub user_id: String,
    /// As what.
    pub context: LockContext,
    /// What it is on.
    pub resource: LockedResource,
    /// What it forbids.
    pub action: LockAction,
    /// Why, in the words of who placed it.
    pub reason: Option<String>,
    /// The lock it came with, and goes with.
    pub cause: Option<ResourceLockId>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use LockContext::{Admin, Service, User};

    use super::*;

    #[test]
    fn who_is_as_high_as_who_placed_a_lock_may_change_it() {
        let table = [
            (User, User, true),
            (User, Service, false),
            (User, Admin, false),
            (Service, User, true),
            (Service, Service, true),
            (Service, Admin, false),
            (Admin, User, true),
            (Admin, Service, true),
            (Admin, Admin, true),
        ];
        for (who, placed, may) in table {
            assert_eq!(who.may_change(placed), may, "{who} {placed}");
        }
    }
}
