//! What a request asks for, held against the limits.

use std::fmt;

use super::{Limit, Resource, Scope};

/// What a request asks for of one resource, beside one limit. One request makes several: one for
/// each resource and for each scope that limits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// What is asked for.
    pub resource: Resource,
    /// Whose limit is looked at.
    pub scope: Scope,
    /// How much more is wanted; 0 or less always passes.
    pub requested: i64,
    /// How much there is in that scope.
    pub used: i64,
    /// How much there may be.
    pub limit: Limit,
}

impl Claim {
    /// The claim of a share of this size on the limit for a single share.
    #[must_use]
    pub const fn share_size(size_gb: i64, limit: Limit) -> Self {
        let (resource, scope) = (Resource::PerShareGigabytes, Scope::Project);
        Self { resource, scope, requested: size_gb, used: 0, limit }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, scope, requested, used, limit } = self;
        write!(formatter, "{resource} (requested {requested}, used {used}, {scope} limit {limit})")
    }
}

/// Some claims of a request do not fit. The API answers 413; the text may be shown to the caller,
/// since all its numbers are the caller's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("quota exceeded for {}", list(claims))]
pub struct OverQuota {
    /// Those that do not fit, never empty, ordered by resource and scope: sizes come before
    /// counts, as clients are used to be told of them first.
    pub claims: Vec<Claim>,
}

impl OverQuota {
    /// The claim on this resource that does not fit, if it is among them.
    #[must_use]
    pub fn of(&self, resource: Resource) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.resource == resource)
    }
}

fn list(claims: &[Claim]) -> String {
    claims.iter().map(Claim::to_string).collect::<Vec<_>>().join(", ")
}

/// Checks all claims of one request.
///
/// # Errors
///
/// [`OverQuota`] with every claim that does not fit.
pub fn check(claims: &[Claim]) -> Result<(), OverQuota> {
    let over = claims.iter().filter(|claim| !claim.limit.allows(claim.used, claim.requested));
    let mut claims: Vec<Claim> = over.copied().collect();
    claims.sort_by_key(|claim| (claim.resource, claim.scope));
    if claims.is_empty() { Ok(()) } else { Err(OverQuota { claims }) }
}
