//! What a backend reports of a pool.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The name of a pool: `host@backend#pool`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PoolName {
    host: String,
    backend: String,
    pool: String,
}

/// The text is no pool name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} names no pool; expected host@backend#pool")]
pub struct ParsePoolNameError {
    text: String,
}

impl PoolName {
    /// The machine.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The backend on that machine, without the machine.
    #[must_use]
    pub fn backend(&self) -> &str {
        &self.backend
    }

    /// The pool within that backend.
    #[must_use]
    pub fn pool(&self) -> &str {
        &self.pool
    }

    /// `host@backend`, the name of the service that serves the pool.
    #[must_use]
    pub fn service(&self) -> String {
        format!("{}@{}", self.host, self.backend)
    }

    /// Both are pools of one backend.
    #[must_use]
    pub fn shares_backend_with(&self, other: &Self) -> bool {
        (&self.host, &self.backend) == (&other.host, &other.backend)
    }
}

impl fmt::Display for PoolName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}#{}", self.host, self.backend, self.pool)
    }
}

impl FromStr for PoolName {
    type Err = ParsePoolNameError;

    fn from_str(text: &str) -> Result<Self, ParsePoolNameError> {
        let parts = text.split_once('#').and_then(|(service, pool)| {
            let (host, backend) = service.split_once('@')?;
            let parts = [host, backend, pool];
            parts.iter().all(|part| !part.is_empty() && !part.contains(['@', '#'])).then_some(parts)
        });
        match parts {
            Some([host, backend, pool]) => {
                Ok(Self { host: host.into(), backend: backend.into(), pool: pool.into() })
            }
            None => Err(ParsePoolNameError { text: text.chars().take(64).collect() }),
        }
    }
}

impl TryFrom<String> for PoolName {
    type Error = ParsePoolNameError;

    fn try_from(text: String) -> Result<Self, ParsePoolNameError> {
        text.parse()
    }
}

impl From<PoolName> for String {
    fn from(name: PoolName) -> Self {
        name.to_string()
    }
}

/// An amount of space in GiB. In JSON a number, `"unknown"` or `"infinite"`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Amount {
    /// So many GiB.
    Known(f64),
    /// The backend can't tell; requests are let through and may fail there.
    Unknown,
    /// No bound.
    Infinite,
}

/// The value is no amount of space.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{value} is no capacity; expected GiB from 0 up, \"unknown\" or \"infinite\"")]
pub struct AmountError {
    value: Value,
}

impl TryFrom<Value> for Amount {
    type Error = AmountError;

    fn try_from(value: Value) -> Result<Self, AmountError> {
        match (value.as_str(), value.as_f64()) {
            (Some("unknown"), _) => Ok(Self::Unknown),
            (Some("infinite"), _) => Ok(Self::Infinite),
            (_, Some(gib)) if gib >= 0.0 => Ok(Self::Known(gib)),
            _ => Err(AmountError { value }),
        }
    }
}

impl From<Amount> for Value {
    fn from(amount: Amount) -> Self {
        match amount {
            Amount::Known(gib) => gib.into(),
            Amount::Unknown => "unknown".into(),
            Amount::Infinite => "infinite".into(),
        }
    }
}

impl fmt::Display for Amount {
    /// To a hundredth of a GiB.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(gib) => write!(formatter, "{} GiB", (gib * 100.0).round() / 100.0),
            Self::Unknown => formatter.write_str("an unknown amount"),
            Self::Infinite => formatter.write_str("unlimited space"),
        }
    }
}

/// How a pool gives out space. In JSON what backends report as `thin_provisioning`: a bool, or a
/// list of those it offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Value", into = "Value")]
pub enum Provisioning {
    /// A share takes its size at once.
    #[default]
    Thick,
    /// A share takes what is written to it.
    Thin,
    /// As the share type asks; thin if it does not say.
    Either,
}

impl Provisioning {
    /// Thin shares are on offer.
    #[must_use]
    pub const fn offers_thin(self) -> bool {
        !matches!(self, Self::Thick)
    }
}

impl From<Value> for Provisioning {
    fn from(value: Value) -> Self {
        let offers = |thin: bool| match &value {
            Value::Array(offered) => offered.contains(&Value::Bool(thin)),
            single => *single == Value::Bool(thin),
        };
        match (offers(true), offers(false)) {
            (true, true) => Self::Either,
            (true, false) => Self::Thin,
            (false, _) => Self::Thick,
        }
    }
}

impl From<Provisioning> for Value {
    fn from(provisioning: Provisioning) -> Self {
        match provisioning {
            Provisioning::Thick => false.into(),
            Provisioning::Thin => true.into(),
            Provisioning::Either => vec![true, false].into(),
        }
    }
}

/// The space of a pool, all in GiB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// All there is.
    pub total_capacity_gb: Amount,
    /// What was free when the backend last reported.
    pub free_capacity_gb: Amount,
    /// What the backend says it gave out.
    pub allocated_capacity_gb: f64,
    /// Sizes of all share instances in the pool, summed from the rows.
    pub provisioned_capacity_gb: i64,
    /// Of these, the sizes of share instances placed since the backend last reported: thick ones
    /// will take their space, though it still counts as free.
    pub pending_capacity_gb: i64,
    /// Per cent of the total that new shares leave alone.
    pub reserved_percentage: u32,
    /// The same for shares made from a snapshot.
    pub reserved_snapshot_percentage: u32,
    /// The same for shares that grow.
    pub reserved_share_extend_percentage: u32,
    /// How many times its total a thin pool may promise; at least 1.
    pub max_over_subscription_ratio: f64,
    /// How the pool gives out space.
    pub thin_provisioning: Provisioning,
}

/// A backend reported something of a pool that makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} is {value}, expected {expected}")]
pub struct ReportError {
    field: &'static str,
    value: Value,
    expected: &'static str,
}

impl Capacity {
    /// The space of a pool out of what its backend reports, with what only the rows know:
    /// [`Self::provisioned_capacity_gb`] and [`Self::pending_capacity_gb`].
    ///
    /// Total and free capacity must be there. What else is missing is 0, and for
    /// `max_over_subscription_ratio` 1.
    ///
    /// # Errors
    ///
    /// [`ReportError`] names the first field whose value makes no sense.
    pub fn from_report(
        report: &Map<String, Value>,
        provisioned_capacity_gb: i64,
        pending_capacity_gb: i64,
    ) -> Result<Self, ReportError> {
        let value = |field| report.get(field).cloned().unwrap_or_default();
        let amount = |field| {
            let expected = "GiB from 0 up, \"unknown\" or \"infinite\"";
            Amount::try_from(value(field)).map_err(|AmountError { value }| ReportError {
                field,
                value,
                expected,
            })
        };
        let number = |field, default: f64| match value(field) {
            Value::Null => Ok(default),
            value => value.as_f64().ok_or(ReportError { field, value, expected: "a number" }),
        };
        let percentage = |field| match value(field) {
            Value::Null => Ok(0),
            value => {
                let percentage = value.as_u64().and_then(|number| u32::try_from(number).ok());
                let expected = "a whole per cent from 0 to 100";
                percentage.filter(|number| *number <= 100).ok_or(ReportError {
                    field,
                    value,
                    expected,
                })
            }
        };
        Ok(Self {
            total_capacity_gb: amount("total_capacity_gb")?,
            free_capacity_gb: amount("free_capacity_gb")?,
            allocated_capacity_gb: number("allocated_capacity_gb", 0.0)?,
            provisioned_capacity_gb,
            pending_capacity_gb,
            reserved_percentage: percentage("reserved_percentage")?,
            reserved_snapshot_percentage: percentage("reserved_snapshot_percentage")?,
            reserved_share_extend_percentage: percentage("reserved_share_extend_percentage")?,
            max_over_subscription_ratio: number("max_over_subscription_ratio", 1.0)?,
            thin_provisioning: value("thin_provisioning").into(),
        })
    }
}

/// A pool that shares may be put in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// Its name.
    pub name: PoolName,
    /// The zone of its backend.
    pub availability_zone: String,
    /// Its service has sent a heartbeat lately.
    pub service_up: bool,
    /// No administrator took its service out of scheduling.
    pub service_enabled: bool,
    /// Its space.
    pub capacity: Capacity,
    /// All else that the backend reports of it: `storage_protocol`, `snapshot_support`, ...
    pub capabilities: Map<String, Value>,
}

impl Pool {
    /// Everything that is known of the pool by the names backends and clients use: its
    /// capabilities and its space. Share types are held against this, and pool lists show it.
    #[must_use]
    pub fn report(&self) -> Map<String, Value> {
        let Capacity {
            total_capacity_gb,
            free_capacity_gb,
            allocated_capacity_gb,
            provisioned_capacity_gb,
            pending_capacity_gb: _,
            reserved_percentage,
            reserved_snapshot_percentage,
            reserved_share_extend_percentage,
            max_over_subscription_ratio,
            thin_provisioning,
        } = self.capacity.clone();
        let mut report = self.capabilities.clone();
        let capacity: [(&str, Value); 10] = [
            ("pool_name", self.name.pool().into()),
            ("total_capacity_gb", total_capacity_gb.into()),
            ("free_capacity_gb", free_capacity_gb.into()),
            ("allocated_capacity_gb", allocated_capacity_gb.into()),
            ("provisioned_capacity_gb", provisioned_capacity_gb.into()),
            ("reserved_percentage", reserved_percentage.into()),
            ("reserved_snapshot_percentage", reserved_snapshot_percentage.into()),
            ("reserved_share_extend_percentage", reserved_share_extend_percentage.into()),
            ("max_over_subscription_ratio", max_over_subscription_ratio.into()),
            ("thin_provisioning", thin_provisioning.into()),
        ];
        report.extend(capacity.map(|(name, value)| (name.to_owned(), value)));
        report
    }

    /// The replication domain it reports; pools of one domain can carry shares over.
    #[must_use]
    pub fn replication_domain(&self) -> Option<&str> {
        self.capabilities.get("replication_domain")?.as_str().filter(|domain| !domain.is_empty())
    }
}
