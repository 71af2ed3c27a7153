use proptest::prelude::*;

use super::{pool, request};
use crate::scheduler::*;

fn any_amount() -> impl Strategy<Value = Amount> {
    prop_oneof![
        6 => (0.0..200.0f64).prop_map(Amount::Known),
        1 => Just(Amount::Unknown),
        1 => Just(Amount::Infinite),
    ]
}

prop_compose! {
    fn any_capacity()(
        total_capacity_gb in any_amount(),
        free_capacity_gb in any_amount(),
        provisioned_capacity_gb in 0i64..300,
        pending_capacity_gb in 0i64..20,
        reserved_percentage in 0u32..30,
        reserved_snapshot_percentage in 0u32..30,
        max_over_subscription_ratio in 0.8..5.0f64,
        thin_provisioning in prop::sample::select(
            vec![Provisioning::Thick, Provisioning::Thin, Provisioning::Either]),
    ) -> Capacity {
        Capacity {
            total_capacity_gb,
            free_capacity_gb,
            allocated_capacity_gb: 0.0,
            provisioned_capacity_gb,
            pending_capacity_gb,
            reserved_percentage,
            reserved_snapshot_percentage,
            reserved_share_extend_percentage: 0,
            max_over_subscription_ratio,
            thin_provisioning,
        }
    }
}

prop_compose! {
    fn any_pool()(
        capacity in any_capacity(),
        zone in prop::sample::select(vec!["east", "west"]),
        service_up in prop::bool::weighted(0.9),
        service_enabled in prop::bool::weighted(0.9),
        dedupe in prop::option::of(any::<bool>()),
    ) -> Pool {
        let mut pool = pool("h@b#p");
        pool.capacity = capacity;
        pool.availability_zone = zone.into();
        pool.service_up = service_up;
        pool.service_enabled = service_enabled;
        pool.capabilities.extend(dedupe.map(|dedupe| ("dedupe".into(), dedupe.into())));
        pool
    }
}

prop_compose! {
    fn any_request()(
        size_gb in 1i64..150,
        zone in prop::option::of(prop::sample::select(vec!["east", "west"])),
        dedupe in prop::option::of(prop::sample::select(vec!["<is> True", "False"])),
        thin in prop::option::of(prop::sample::select(vec!["<is> True", "False"])),
        source in prop::option::weighted(0.2, 0usize..3),
        reach in prop::sample::select(vec![Reach::SamePool, Reach::ReplicationDomain]),
    ) -> Request {
        let mut request = request(size_gb);
        request.availability_zone = zone.map(Into::into);
        let specs = [("dedupe", dedupe), ("thin_provisioning", thin)];
        for (key, value) in specs {
            request.extra_specs.extend(value.map(|value| (key.to_owned(), value.to_owned())));
        }
        if let Some(source) = source {
            let source = format!("h@b{source}#p").parse().unwrap();
            request.purpose = Purpose::CreateFromSnapshot { source, reach };
        }
        request
    }
}

fn any_pools() -> impl Strategy<Value = Vec<Pool>> {
    prop::collection::vec(any_pool(), 0..6).prop_map(|mut pools| {
        for (number, pool) in pools.iter_mut().enumerate() {
            pool.name = format!("h@b{number}#p").parse().unwrap();
        }
        pools
    })
}

proptest! {
    /// A pool that alone would be refused is never chosen, and one that would do is always found.
    #[test]
    fn only_a_pool_that_passes_is_chosen(request in any_request(), pools in any_pools(), seed: u64) {
        let examination = Examination::new(&request, &pools);
        let passing: Vec<&PoolName> = pools
            .iter()
            .filter(|pool| examination.examine(pool).is_ok())
            .map(|pool| &pool.name)
            .collect();
        match schedule(&request, &pools, Weights::default(), seed) {
            Ok(placement) => {
                prop_assert!(passing.contains(&&placement.pool));
                prop_assert!(placement.weight.is_finite());
            }
            Err(error) => {
                prop_assert!(passing.is_empty());
                prop_assert_eq!(error.refusals.len(), pools.len());
            }
        }
    }

    /// The order in which pools come decides nothing, not even the text of a refusal.
    #[test]
    fn order_of_pools_does_not_matter(
        request in any_request(),
        (pools, shuffled) in any_pools().prop_flat_map(|pools| (Just(pools.clone()), Just(pools).prop_shuffle())),
        multiplier in -2.0..2.0f64,
        seed: u64,
    ) {
        let weights = Weights { capacity: multiplier, ..Weights::default() };
        prop_assert_eq!(
            schedule(&request, &pools, weights, seed),
            schedule(&request, &shuffled, weights, seed)
        );
    }

    /// Filling pools until nothing fits: a thick pool never promises more than was free beyond its
    /// reserve, a thin one never more than its ratio allows.
    #[test]
    fn no_pool_is_promised_more_than_it_may(
        sizes in prop::collection::vec(1i64..60, 1..60),
        mut pools in any_pools(),
        seed: u64,
    ) {
        pools.retain(|pool| {
            let Capacity { total_capacity_gb, free_capacity_gb, .. } = pool.capacity;
            matches!((total_capacity_gb, free_capacity_gb), (Amount::Known(_), Amount::Known(_)))
        });
        let before = pools.clone();
        for size in sizes {
            if let Ok(placement) = schedule(&request(size), &pools, Weights::default(), seed) {
                let pool = pools.iter_mut().find(|pool| pool.name == placement.pool).unwrap();
                pool.capacity.provisioned_capacity_gb += size;
                pool.capacity.pending_capacity_gb += size;
            }
        }
        for (before, after) in before.iter().zip(&pools) {
            if before == after {
                continue;
            }
            let (Amount::Known(total), Amount::Known(free)) =
                (before.capacity.total_capacity_gb, before.capacity.free_capacity_gb)
            else {
                continue;
            };
            let capacity = &after.capacity;
            let reserved = total * f64::from(capacity.reserved_percentage) / 100.0;
            if capacity.thin_provisioning.offers_thin() {
                let most = total * capacity.max_over_subscription_ratio;
                prop_assert!(capacity.provisioned_capacity_gb as f64 <= most + 1e-9);
            } else {
                prop_assert!(capacity.pending_capacity_gb as f64 <= free - reserved + 1e-9);
            }
        }
    }
}
