//! The limits in force, and which limits may be set.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Claim, Limit, Resource, Scope};

/// What there is of a resource, and what operations under way will add to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Used {
    /// What is there.
    pub in_use: i64,
    /// What will be there as well once all that was asked for is done.
    pub reserved: i64,
}

impl Used {
    /// Both together: what counts against a limit.
    #[must_use]
    pub const fn total(self) -> i64 {
        self.in_use.saturating_add(self.reserved)
    }
}

/// What one scope uses; nothing of a resource that is not in it.
pub type Usage = BTreeMap<Resource, Used>;

/// The limits of a project, and of one user or one share type in it if it was asked for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of every project that has none of its own.
    defaults: BTreeMap<Resource, Limit>,
    set: BTreeMap<(Scope, Resource), Limit>,
}

impl Limits {
    /// `set` are those that an administrator set.
    #[must_use]
    pub const fn new(
        defaults: BTreeMap<Resource, Limit>,
        set: BTreeMap<(Scope, Resource), Limit>,
    ) -> Self {
        Self { defaults, set }
    }

    /// The limit set for just this scope.
    #[must_use]
    pub fn own(&self, scope: Scope, resource: Resource) -> Option<Limit> {
        self.set.get(&(scope, resource)).copied()
    }

    /// The limit in force: the scope's own, else the project's, else the default.
    #[must_use]
    pub fn of(&self, scope: Scope, resource: Resource) -> Limit {
        self.own(scope, resource)
            .or_else(|| self.own(Scope::Project, resource))
            .or_else(|| self.defaults.get(&resource).copied())
            .unwrap_or_else(|| resource.default_limit())
    }

    /// Whether this scope bounds any of these resources in a way the project doesn't already.
    #[must_use]
    pub fn bounds(&self, scope: Scope, resources: &[Resource]) -> bool {
        let bounded = |resource: &Resource| match scope {
            Scope::Project => self.of(scope, *resource) != Limit::Unlimited,
            Scope::User | Scope::ShareType => {
                matches!(self.own(scope, *resource), Some(Limit::AtMost(_)))
            }
        };
        resources.iter().any(bounded)
    }

    /// What is asked for, beside the limits of one scope that uses so much.
    #[must_use]
    pub fn claims(&self, scope: Scope, asked: &[(Resource, i64)], usage: &Usage) -> Vec<Claim> {
        let claim = |(resource, requested): &(Resource, i64)| Claim {
            resource: *resource,
            scope,
            requested: *requested,
            used: usage.get(resource).copied().unwrap_or_default().total(),
            limit: self.of(scope, *resource),
        };
        asked.iter().map(claim).collect()
    }
}

/// A limit that is to be set, beside all that it has to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewLimit {
    /// Of what.
    pub resource: Resource,
    /// Whose.
    pub scope: Scope,
    /// The limit.
    pub limit: Limit,
    /// What the scope uses.
    pub used: Used,
    /// The limits set for the project's users, together.
    pub of_users: i64,
    /// The project's limit.
    pub of_project: Limit,
}

/// Why a limit can't be set without force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum RefusedLimit {
    #[error("Quota value {limit} for {resource} is smaller than already used and reserved {used}.")]
    BelowUsage { resource: Resource, limit: i64, used: i64 },
    #[error(
        "Quota value {limit} for {resource} must not be less than {of_users}, which the project's \
         users have together."
    )]
    BelowUsers { resource: Resource, limit: i64, of_users: i64 },
    #[error(
        "Quota value {limit} for {resource} must not be greater than {of_project}, that of the \
         project."
    )]
    AboveProject { resource: Resource, limit: i64, of_project: i64 },
}

impl NewLimit {
    /// # Errors
    /// The first thing that it does not fit.
    pub fn check(&self) -> Result<(), RefusedLimit> {
        let Self { resource, scope, used, of_users, .. } = *self;
        let used = used.total();
        if let Limit::AtMost(limit) = self.limit {
            if limit < used {
                return Err(RefusedLimit::BelowUsage { resource, limit, used });
            }
            if scope == Scope::Project && limit < of_users {
                return Err(RefusedLimit::BelowUsers { resource, limit, of_users });
            }
        }
        match (scope, self.limit, self.of_project) {
            (Scope::Project, ..) | (_, _, Limit::Unlimited) => Ok(()),
            (_, Limit::AtMost(limit), Limit::AtMost(of_project)) if limit <= of_project => Ok(()),
            (_, limit, Limit::AtMost(of_project)) => {
                Err(RefusedLimit::AboveProject { resource, limit: limit.into(), of_project })
            }
        }
    }
}
