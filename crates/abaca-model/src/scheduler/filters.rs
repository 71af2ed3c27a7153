//! The filters: each lets a pool pass or says why not.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::{
    Amount, Capacity, FILTER_FUNCTION, Function, FunctionError, Pool, PoolName, Purpose, Reach,
    Request, Variables, specs,
};

/// A filter, in the order they are asked.
///
/// Where a share has to be comes before what is there, so that the last filter reached tells
/// what is wrong with the pools that could have taken it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filter {
    /// The service of the backend is up and not disabled.
    ActiveBackend,
    /// The pool an administrator named, or the one that a growing share is in.
    OnlyHost,
    /// A share made from a snapshot goes where the snapshot's bytes are.
    CreateFromSnapshot,
    /// A replicated share goes where there can be replicas; a replica into its replication domain.
    Replication,
    /// Beside the shares it was asked to be with.
    Affinity,
    /// Away from the shares it was asked to be apart from.
    AntiAffinity,
    /// The zone that the request or the share type asks for.
    AvailabilityZone,
    /// Room for the share.
    Capacity,
    /// What the share type asks for.
    Capabilities,
    /// The backend's own filter function.
    Driver,
}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ActiveBackend => "active backend",
            Self::OnlyHost => "only host",
            Self::CreateFromSnapshot => "create from snapshot",
            Self::Replication => "share replication",
            Self::Affinity => "affinity",
            Self::AntiAffinity => "anti-affinity",
            Self::AvailabilityZone => "availability zone",
            Self::Capacity => "capacity",
            Self::Capabilities => "capabilities",
            Self::Driver => "driver",
        })
    }
}

/// Why a filter refused a pool. [`Refusal::filter`] tells which one it was.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No heartbeat lately.
    #[error("its service is down")]
    ServiceDown,
    /// Taken out of scheduling.
    #[error("its service is disabled")]
    ServiceDisabled,
    /// Not the pool the share is in.
    #[error("the share is in {0}")]
    NotItsPool(PoolName),
    /// Not the pool that was named.
    #[error("asked for was {0:?}")]
    NotAskedFor(String),
    /// Out of reach of the snapshot.
    #[error("the snapshot is in {0}")]
    AwayFromSnapshot(PoolName),
    /// Its backend is in no replication domain.
    #[error("it is in no replication domain")]
    NoReplication,
    /// Out of reach of the active replica.
    #[error("the active replica is in {0}, of another replication domain")]
    OtherDomain(PoolName),
    /// It holds a replica of the share.
    #[error("it holds a replica of the share already")]
    HoldsReplica,
    /// A share it has to be with is elsewhere.
    #[error("the shares to be with are not in it")]
    AwayFromShares,
    /// A share it has to be apart from is there.
    #[error("a share to be apart from is in it")]
    WithShares,
    /// In none of the right zones.
    #[error("in zone {zone:?}, wanted {}", wanted.join(" or "))]
    OtherZone {
        /// The pool's zone.
        zone: String,
        /// The zones it could have been in, quoted.
        wanted: Vec<String>,
    },
    /// Too little free space.
    #[error("needs {size_gb} GiB, {free} free of {total} with {reserved_percentage}% reserved")]
    NoRoom {
        /// What was asked for.
        size_gb: i64,
        /// What is free, shares that are being made taken off, the reserve not.
        free: Amount,
        /// The size of the pool.
        total: Amount,
        /// The part of the total that has to stay free.
        reserved_percentage: u32,
    },
    /// The pool has promised as much as it may.
    #[error("needs {size_gb} GiB, {provisioned_gb} GiB promised of {total} times {ratio}")]
    OverSubscribed {
        /// What was asked for.
        size_gb: i64,
        /// What was promised already.
        provisioned_gb: i64,
        /// The size of the pool.
        total: Amount,
        /// How many times its size it may promise.
        ratio: f64,
    },
    /// The pool is configured wrongly.
    #[error("max_over_subscription_ratio is {0}, expected 1 or more")]
    BadRatio(f64),
    /// An extra spec asks for something the pool does not report.
    #[error("reports no {key}, wanted {wanted:?}")]
    NotOffered {
        /// The extra spec.
        key: String,
        /// Its value.
        wanted: String,
    },
    /// The pool reports something else than an extra spec asks for.
    #[error("{key} is {offered}, wanted {wanted:?}")]
    Mismatch {
        /// The extra spec.
        key: String,
        /// Its value.
        wanted: String,
        /// What the pool reports.
        offered: Value,
    },
    /// The backend's filter function says no.
    #[error("its filter function {0:?} does not hold")]
    FilterFunction(String),
    /// The backend's filter function has no value.
    #[error("its filter function is broken: {0}")]
    BrokenFunction(FunctionError),
}

impl Refusal {
    /// The filter that refused.
    #[must_use]
    pub const fn filter(&self) -> Filter {
        match self {
            Self::ServiceDown | Self::ServiceDisabled => Filter::ActiveBackend,
            Self::NotItsPool(_) | Self::NotAskedFor(_) => Filter::OnlyHost,
            Self::AwayFromSnapshot(_) => Filter::CreateFromSnapshot,
            Self::NoReplication | Self::OtherDomain(_) | Self::HoldsReplica => Filter::Replication,
            Self::AwayFromShares => Filter::Affinity,
            Self::WithShares => Filter::AntiAffinity,
            Self::OtherZone { .. } => Filter::AvailabilityZone,
            Self::NoRoom { .. } | Self::OverSubscribed { .. } | Self::BadRatio(_) => {
                Filter::Capacity
            }
            Self::NotOffered { .. } | Self::Mismatch { .. } => Filter::Capabilities,
            Self::FilterFunction(_) | Self::BrokenFunction(_) => Filter::Driver,
        }
    }
}

/// A request with all that can be worked out before looking at a pool.
pub(super) struct Examination<'a> {
    pub(super) request: &'a Request,
    pub(super) specs: BTreeMap<String, String>,
    /// The pool of the snapshot, while its service is there to carry bytes over; or that of the
    /// active replica.
    pub(super) source: Option<&'a Pool>,
    pub(super) allow_thin: bool,
}

impl<'a> Examination<'a> {
    pub(super) fn new(request: &'a Request, pools: &'a [Pool]) -> Self {
        let specs = specs::of_request(request);
        let source = match &request.purpose {
            Purpose::CreateFromSnapshot { source, .. } => {
                pools.iter().find(|pool| pool.name == *source && pool.service_up)
            }
            Purpose::Replicate { active, .. } => pools.iter().find(|pool| pool.name == *active),
            Purpose::Create | Purpose::Extend { .. } => None,
        };
        let allow_thin = specs::allow_thin(&specs);
        Self { request, specs, source, allow_thin }
    }

    /// Asks every filter that applies, in order, until one refuses.
    pub(super) fn examine(&self, pool: &Pool) -> Result<(), Refusal> {
        self.active_backend(pool)?;
        self.only_host(pool)?;
        self.create_from_snapshot(pool)?;
        self.replication(pool)?;
        self.affinity(pool)?;
        if !self.request.purpose.is_fixed() {
            self.availability_zone(pool)?;
        }
        self.capacity(&pool.capacity)?;
        if !self.request.purpose.is_fixed() {
            specs::satisfies(&pool.report(), &self.specs)?;
        }
        self.driver(pool)
    }

    /// Thin rules apply to this pool for this request.
    pub(super) fn is_thin(&self, capacity: &Capacity) -> bool {
        self.allow_thin && capacity.thin_provisioning.offers_thin()
    }

    /// The per cent of the total this request has to leave alone.
    pub(super) const fn reserved_percentage(&self, capacity: &Capacity) -> u32 {
        match self.request.purpose {
            Purpose::Create | Purpose::Replicate { .. } => capacity.reserved_percentage,
            Purpose::CreateFromSnapshot { .. } => capacity.reserved_snapshot_percentage,
            Purpose::Extend { .. } => capacity.reserved_share_extend_percentage,
        }
    }

    /// An administrator who names a pool may name one of a disabled service.
    fn active_backend(&self, pool: &Pool) -> Result<(), Refusal> {
        let may_be_disabled = self.request.hints.only_host.is_some();
        match (pool.service_up, pool.service_enabled || may_be_disabled) {
            (false, _) => Err(Refusal::ServiceDown),
            (true, false) => Err(Refusal::ServiceDisabled),
            (true, true) => Ok(()),
        }
    }

    fn only_host(&self, pool: &Pool) -> Result<(), Refusal> {
        if let Purpose::Extend { pool: home } = &self.request.purpose
            && pool.name != *home
        {
            return Err(Refusal::NotItsPool(home.clone()));
        }
        match &self.request.hints.only_host {
            Some(asked) if *asked != pool.name.to_string() => {
                Err(Refusal::NotAskedFor(asked.clone()))
            }
            _ => Ok(()),
        }
    }

    fn affinity(&self, pool: &Pool) -> Result<(), Refusal> {
        let hints = &self.request.hints;
        if hints.same_host.as_ref().is_some_and(|pools| !pools.contains(&pool.name)) {
            return Err(Refusal::AwayFromShares);
        }
        if hints.different_host.contains(&pool.name) {
            return Err(Refusal::WithShares);
        }
        Ok(())
    }

    fn driver(&self, pool: &Pool) -> Result<(), Refusal> {
        match self.function(pool, FILTER_FUNCTION, Function::passes) {
            None | Some(Ok(true)) => Ok(()),
            Some(Ok(false)) => {
                let text = pool.capabilities.get(FILTER_FUNCTION).and_then(Value::as_str);
                Err(Refusal::FilterFunction(text.unwrap_or_default().to_owned()))
            }
            Some(Err(error)) => Err(Refusal::BrokenFunction(error)),
        }
    }

    /// What the function that the pool reports under `name` says; `None` when it reports none.
    pub(super) fn function<T>(
        &self,
        pool: &Pool,
        name: &str,
        evaluate: impl FnOnce(&Function, Variables<'_>) -> Result<T, FunctionError>,
    ) -> Option<Result<T, FunctionError>> {
        let text = match pool.capabilities.get(name)? {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut stats: Map<String, Value> = pool.report();
        stats.insert("host".to_owned(), pool.name.to_string().into());
        let variables = Variables {
            extra: &self.specs,
            stats: &stats,
            capabilities: &pool.capabilities,
            share: &self.request.share,
        };
        Some(text.parse().and_then(|function| evaluate(&function, variables)))
    }

    fn create_from_snapshot(&self, pool: &Pool) -> Result<(), Refusal> {
        let Purpose::CreateFromSnapshot { source, reach } = &self.request.purpose else {
            return Ok(());
        };
        let domain = self.source.and_then(Pool::replication_domain);
        let in_reach = match reach {
            Reach::SamePool => pool.name == *source,
            Reach::ReplicationDomain => {
                pool.name.shares_backend_with(source)
                    || (domain.is_some() && domain == pool.replication_domain())
            }
        };
        if in_reach { Ok(()) } else { Err(Refusal::AwayFromSnapshot(source.clone())) }
    }

    /// A replica needs a pool of its own, in the replication domain of the active one.
    fn replication(&self, pool: &Pool) -> Result<(), Refusal> {
        let wants_replicas = self.request.extra_specs.contains_key("replication_type");
        match &self.request.purpose {
            Purpose::Replicate { active, others } => {
                let domain = self.source.and_then(Pool::replication_domain);
                if domain.is_none() || domain != pool.replication_domain() {
                    return Err(Refusal::OtherDomain(active.clone()));
                }
                if pool.name == *active || others.contains(&pool.name) {
                    return Err(Refusal::HoldsReplica);
                }
                Ok(())
            }
            Purpose::Create if wants_replicas && pool.replication_domain().is_none() => {
                Err(Refusal::NoReplication)
            }
            _ => Ok(()),
        }
    }

    fn availability_zone(&self, pool: &Pool) -> Result<(), Refusal> {
        let asked = self.request.availability_zone.as_deref().map(|zone| vec![zone]);
        for wanted in [asked, specs::zones(&self.specs)].into_iter().flatten() {
            if !wanted.contains(&pool.availability_zone.as_str()) {
                let wanted = wanted.iter().map(|zone| format!("{zone:?}")).collect();
                return Err(Refusal::OtherZone { zone: pool.availability_zone.clone(), wanted });
            }
        }
        Ok(())
    }

    /// All comparisons say what must hold for a pool to pass: a NaN refuses.
    fn capacity(&self, capacity: &Capacity) -> Result<(), Refusal> {
        let size = self.request.size_gb as f64;
        let reserved_percentage = self.reserved_percentage(capacity);
        let thin = self.is_thin(capacity);
        let no_room = |free| Refusal::NoRoom {
            size_gb: self.request.size_gb,
            free,
            total: capacity.total_capacity_gb,
            reserved_percentage,
        };
        let passes_if = |passes, refusal| if passes { Ok(()) } else { Err(refusal) };
        let free = match after_pending(capacity, thin) {
            // The backend will tell: the operation fails there if it must.
            Amount::Unknown => return Ok(()),
            Amount::Infinite => f64::INFINITY,
            Amount::Known(free) => free,
        };
        let refused = no_room(Amount::Known(free));
        let total = match capacity.total_capacity_gb {
            // What is reserved of the unknown is unknown too.
            Amount::Unknown => return passes_if(reserved_percentage == 0 && size <= free, refused),
            Amount::Infinite => f64::INFINITY,
            Amount::Known(total) if total > 0.0 => total,
            Amount::Known(_) => return Err(refused),
        };
        let usable = unreserved(free, total, reserved_percentage);
        if !thin {
            return passes_if(usable >= size, refused);
        }
        let ratio = capacity.max_over_subscription_ratio;
        passes_if(ratio >= 1.0, Refusal::BadRatio(ratio))?;
        let promised = capacity.provisioned_capacity_gb as f64 + size;
        let over_subscribed = Refusal::OverSubscribed {
            size_gb: self.request.size_gb,
            provisioned_gb: capacity.provisioned_capacity_gb,
            total: capacity.total_capacity_gb,
            ratio,
        };
        passes_if(promised / total <= ratio, over_subscribed)?;
        passes_if(usable * ratio >= size, refused)
    }
}

/// What is free once the thick shares on their way have taken their space.
pub(super) fn after_pending(capacity: &Capacity, thin: bool) -> Amount {
    match capacity.free_capacity_gb {
        Amount::Known(free) if !thin => Amount::Known(free - capacity.pending_capacity_gb as f64),
        free => free,
    }
}

/// Whole GiB that are left once the reserve is set aside. Nothing is reserved of the infinite.
pub(super) fn unreserved(free: f64, total: f64, reserved_percentage: u32) -> f64 {
    let reserved =
        if total.is_finite() { total * (f64::from(reserved_percentage) / 100.0) } else { 0.0 };
    (free - reserved).floor()
}
