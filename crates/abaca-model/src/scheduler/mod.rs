//! Which pool a share goes to: filters refuse pools and say why, weighers rank what is left.
//!
//! Pure and synchronous: the pools, the request and the seed of the tie-break are passed in, and
//! the same arguments give the same answer on every machine, in whatever order the pools come.
//! The rules are those of the reference's default filters and weighers. Absent on purpose:
//! pluggable filters, retry bookkeeping, any knowledge of where the pools come from.

mod filters;
mod function;
mod operators;
mod pool;
mod specs;
mod weighers;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use filters::{Filter, Refusal};
pub use function::{Function, FunctionError, Variables};
pub use operators::matches;
pub use pool::{
    Amount, AmountError, Capacity, ParsePoolNameError, Pool, PoolName, Provisioning, ReportError,
};
pub use specs::satisfies;
pub use weighers::Weights;

use filters::Examination;

/// Under this name a backend reports the function that tells what it takes.
pub const FILTER_FUNCTION: &str = "filter_function";
/// Under this name a backend reports the function that tells how good a place it is.
pub const GOODNESS_FUNCTION: &str = "goodness_function";

/// What is to be placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// GiB the share needs: its size, or for [`Purpose::Extend`] what it grows by.
    pub size_gb: i64,
    /// `NFS`, `CIFS`, ...: the pool must serve it, unless the share type has a `storage_protocol`
    /// of its own to ask for.
    pub share_proto: Option<String>,
    /// The extra specs of the share type, as stored.
    pub extra_specs: BTreeMap<String, String>,
    /// Name of the zone asked for; `None`: any the share type allows.
    pub availability_zone: Option<String>,
    /// Where it was wished to be.
    pub hints: Hints,
    /// What the backends' functions can look at as `share.x`.
    pub share: Map<String, Value>,
    /// Why a place is looked for.
    pub purpose: Purpose,
}

/// Where a share was wished to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hints {
    /// The one pool an administrator allows, even if its service is disabled.
    pub only_host: Option<String>,
    /// The pools that hold all shares it has to be near; `None`: there are no such shares.
    pub same_host: Option<BTreeSet<PoolName>>,
    /// The pools that hold any share it has to be away from.
    pub different_host: BTreeSet<PoolName>,
}

/// Why a place is looked for; decides which filters apply and which reserve is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A new, empty share.
    Create,
    /// A new share with the bytes of a snapshot.
    CreateFromSnapshot {
        /// Where the snapshot's share lives.
        source: PoolName,
        /// How far from there the new share may be put.
        reach: Reach,
    },
    /// A replica of a share.
    Replicate {
        /// Where the active replica lives.
        active: PoolName,
        /// Where the share's other replicas live.
        others: BTreeSet<PoolName>,
    },
    /// More room for a share where it is.
    Extend {
        /// Where the share lives.
        pool: PoolName,
    },
}

impl Purpose {
    /// There is but one pool to ask. Only whether the share fits is asked then: its type may have
    /// changed since, and the pool holds such shares all the same.
    const fn is_fixed(&self) -> bool {
        matches!(
            self,
            Self::Extend { .. } | Self::CreateFromSnapshot { reach: Reach::SamePool, .. }
        )
    }
}

/// How far from a snapshot a share made from it may be put.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Into the snapshot's own pool only; every backend can do that.
    #[default]
    SamePool,
    /// Into any pool of the snapshot's backend or of its replication domain; the backends then
    /// have to carry the bytes over.
    ReplicationDomain,
}

/// The pool that was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Where the share goes.
    pub pool: PoolName,
    /// Its weight among the pools that passed, for the log.
    pub weight: f64,
    /// Functions that had no value, for the log too: their operator has to mend them.
    pub broken: Vec<BrokenFunction>,
}

/// A backend's function has no value for a request.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{function} of pool {pool}: {error}")]
pub struct BrokenFunction {
    /// The pool that reports it.
    pub pool: PoolName,
    /// `filter_function` or `goodness_function`.
    pub function: &'static str,
    /// What is wrong.
    pub error: FunctionError,
}

/// A pool that was refused, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The pool.
    pub pool: PoolName,
    /// What the first filter that refused it had to say.
    pub refusal: Refusal,
}

impl Refused {
    fn broken_function(&self) -> Option<BrokenFunction> {
        let Refusal::BrokenFunction(error) = &self.refusal else { return None };
        let (pool, function) = (self.pool.clone(), FILTER_FUNCTION);
        Some(BrokenFunction { pool, function, error: error.clone() })
    }
}

/// Every pool was refused, or there is none.
///
/// Its text names backends: it is for logs and administrators, not for tenants.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct NoValidHost {
    /// One for every pool, ordered by name.
    pub refusals: Vec<Refused>,
}

impl NoValidHost {
    /// The filter that refused the last pools standing, which a user message may name; `None`
    /// when there was no pool at all.
    #[must_use]
    pub fn last_filter(&self) -> Option<Filter> {
        self.refusals.iter().map(|refused| refused.refusal.filter()).max()
    }
}

impl fmt::Display for NoValidHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.refusals.is_empty() {
            return formatter.write_str("no valid host: no backend has reported a pool");
        }
        formatter.write_str("no valid host")?;
        for (index, Refused { pool, refusal }) in self.refusals.iter().enumerate() {
            let separator = if index == 0 { ": " } else { "; " };
            write!(formatter, "{separator}pool {pool}: {}: {refusal}", refusal.filter())?;
        }
        Ok(())
    }
}

/// Chooses the best pool for a request.
///
/// Pools of equal weight are put in an order drawn from `seed`: pass something of the request
/// (the bits of the share's id) and equal pools fill evenly.
///
/// # Errors
///
/// [`NoValidHost`] when no pool passes every filter.
pub fn schedule(
    request: &Request,
    pools: &[Pool],
    weights: Weights,
    seed: u64,
) -> Result<Placement, NoValidHost> {
    let examination = Examination::new(request, pools);
    let mut passed = Vec::new();
    let mut refusals = Vec::new();
    for pool in pools {
        match examination.examine(pool) {
            Ok(()) => passed.push(pool),
            Err(refusal) => refusals.push(Refused { pool: pool.name.clone(), refusal }),
        }
    }
    let placement = weighers::best(&passed, &examination, weights, seed);
    let placement = placement.map(|mut placement| {
        placement.broken.extend(refusals.iter().filter_map(Refused::broken_function));
        placement.broken.sort_by(|one, other| one.pool.cmp(&other.pool));
        placement
    });
    placement.ok_or_else(|| {
        refusals.sort_by(|one, other| one.pool.cmp(&other.pool));
        NoValidHost { refusals }
    })
}
