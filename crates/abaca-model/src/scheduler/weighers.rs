//! The weighers: which of the pools that passed is best.
//!
//! Each gives every pool a value; the values are stretched to 0 ..= 1 over the pools at hand,
//! multiplied, and added up. The highest sum wins.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::filters::{Examination, after_pending, unreserved};
use super::{
    Amount, BrokenFunction, Function, GOODNESS_FUNCTION, Placement, Pool, PoolName, Purpose,
};

/// How much each weigher counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Free capacity. Above 0 spreads shares over pools, below 0 stacks them.
    pub capacity: f64,
    /// What the backends' own goodness functions say.
    pub goodness: f64,
    /// Nearness to the snapshot a share is made from.
    pub affinity: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { capacity: 1.0, goodness: 1.0, affinity: 1.0 }
    }
}

/// The best of the pools; `None` of none.
pub(super) fn best(
    pools: &[&Pool],
    examination: &Examination<'_>,
    weights: Weights,
    seed: u64,
) -> Option<Placement> {
    let capacity = stretch(capacities(pools, examination, weights.capacity));
    let (goodness, broken) = goodnesses(pools, examination);
    let goodness = stretch(goodness);
    let affinity = stretch(affinities(pools, examination));
    let values = capacity.into_iter().zip(goodness).zip(affinity);
    let weighed = pools.iter().zip(values).map(|(pool, ((capacity, goodness), affinity))| {
        let weight =
            weights.capacity * capacity + weights.goodness * goodness + weights.affinity * affinity;
        (&pool.name, weight)
    });
    let order = |name: &PoolName| (lot(seed, name), name.clone());
    weighed
        .max_by(|(one, one_weight), (other, other_weight)| {
            one_weight.total_cmp(other_weight).then_with(|| order(one).cmp(&order(other)))
        })
        .map(|(name, weight)| Placement { pool: name.clone(), weight, broken })
}

/// What decides between pools of equal weight.
fn lot(seed: u64, name: &PoolName) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, name).hash(&mut hasher);
    hasher.finish()
}

/// Whole GiB each pool could still take: real ones, or those a thin pool may still promise.
///
/// A pool that can't tell comes last, whether shares are spread or stacked; an infinite one
/// counts as larger than any other.
fn capacities(pools: &[&Pool], examination: &Examination<'_>, multiplier: f64) -> Vec<f64> {
    let rooms: Vec<Amount> = pools.iter().map(|pool| room(pool, examination)).collect();
    let known = || {
        rooms.iter().filter_map(|room| match room {
            Amount::Known(gib) => Some(*gib),
            Amount::Unknown | Amount::Infinite => None,
        })
    };
    let least = known().reduce(f64::min).unwrap_or(0.0);
    let most = known().reduce(f64::max).unwrap_or(0.0);
    let has_infinite = rooms.contains(&Amount::Infinite);
    let infinite = most + 1.0;
    let unknown = if multiplier > 0.0 {
        least - 1.0
    } else if has_infinite {
        infinite + 1.0
    } else {
        most + 1.0
    };
    let value = |room: &Amount| match room {
        Amount::Known(gib) => *gib,
        Amount::Infinite => infinite,
        Amount::Unknown => unknown,
    };
    rooms.iter().map(value).collect()
}

fn room(pool: &Pool, examination: &Examination<'_>) -> Amount {
    let capacity = &pool.capacity;
    let thin = examination.is_thin(capacity);
    let total = match capacity.total_capacity_gb {
        Amount::Unknown => return Amount::Unknown,
        Amount::Infinite => f64::INFINITY,
        Amount::Known(total) => total,
    };
    let free = match after_pending(capacity, thin) {
        Amount::Unknown => return Amount::Unknown,
        Amount::Infinite => f64::INFINITY,
        Amount::Known(free) => free,
    };
    let promisable =
        total * capacity.max_over_subscription_ratio - capacity.provisioned_capacity_gb as f64;
    let available = if thin { promisable } else { free };
    let room = unreserved(available, total, examination.reserved_percentage(capacity));
    if room.is_finite() { Amount::Known(room) } else { Amount::Infinite }
}

/// What each backend thinks of itself, 0 where it says nothing, and what is wrong with those that
/// could not tell.
fn goodnesses(pools: &[&Pool], examination: &Examination<'_>) -> (Vec<f64>, Vec<BrokenFunction>) {
    let mut broken = Vec::new();
    let goodness =
        |pool: &&Pool| match examination.function(pool, GOODNESS_FUNCTION, Function::goodness) {
            None => 0.0,
            Some(Ok(goodness)) => goodness,
            Some(Err(error)) => {
                let (pool, function) = (pool.name.clone(), GOODNESS_FUNCTION);
                broken.push(BrokenFunction { pool, function, error });
                0.0
            }
        };
    let values = pools.iter().map(goodness).collect();
    (values, broken)
}

/// How near each pool is to the snapshot: its pool, its backend, its zone, elsewhere.
fn affinities(pools: &[&Pool], examination: &Examination<'_>) -> Vec<f64> {
    let Purpose::CreateFromSnapshot { source, .. } = &examination.request.purpose else {
        return vec![0.0; pools.len()];
    };
    let zone = examination.source.map(|pool| &pool.availability_zone);
    let nearness = |pool: &&Pool| {
        if pool.name == *source {
            100.0
        } else if pool.name.shares_backend_with(source) {
            75.0
        } else if zone == Some(&pool.availability_zone) {
            50.0
        } else {
            25.0
        }
    };
    pools.iter().map(nearness).collect()
}

/// Stretches values to 0 ..= 1; equal ones all become 0.
fn stretch(values: Vec<f64>) -> Vec<f64> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = most - least;
    let stretched = |value| if range > 0.0 { (value - least) / range } else { 0.0 };
    values.into_iter().map(stretched).collect()
}
