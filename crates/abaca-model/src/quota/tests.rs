use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn claim(resource: Resource, requested: i64, used: i64, limit: i64) -> Claim {
    let limit = Limit::try_from(limit).unwrap();
    Claim { resource, scope: Scope::Project, requested, used, limit }
}

#[test]
fn up_to_the_limit_and_not_beyond() {
    let cases = [
        // requested, used, limit, allowed
        (1, 0, 1, true),
        (1, 1, 1, false),
        (1, 49, 50, true),
        (2, 49, 50, false),
        (1, 0, 0, false),
        (0, 60, 50, true),
        (1, 60, 50, false),
        (-5, 60, 50, true),
        (i64::MAX, i64::MAX, -1, true),
        (i64::MAX, 1, i64::MAX, false),
    ];
    for (requested, used, limit, allowed) in cases {
        let claim = claim(Resource::Shares, requested, used, limit);
        assert_eq!(check(&[claim]).is_ok(), allowed, "{claim}");
    }
}

#[test]
fn a_refusal_names_all_that_is_over_sizes_first() {
    let mut of_user = claim(Resource::Shares, 1, 5, 5);
    of_user.scope = Scope::User;
    let claims = [
        of_user,
        claim(Resource::Shares, 1, 50, 50),
        claim(Resource::Snapshots, 1, 0, 50),
        claim(Resource::Gigabytes, 5, 998, 1_000),
        Claim::share_size(5, Limit::AtMost(4)),
    ];
    let over = check(&claims).unwrap_err();
    assert_eq!(
        over.to_string(),
        "quota exceeded for gigabytes (requested 5, used 998, project limit 1000), \
         shares (requested 1, used 50, project limit 50), \
         shares (requested 1, used 5, user limit 5), \
         per_share_gigabytes (requested 5, used 0, project limit 4)"
    );
    assert_eq!(over.of(Resource::Gigabytes), Some(&claims[3]));
    assert_eq!(over.of(Resource::Snapshots), None);
}

#[test]
fn limits_and_names_read_back() {
    assert_eq!(Limit::try_from(-1), Ok(Limit::Unlimited));
    assert_eq!(
        Limit::try_from(-2).unwrap_err().to_string(),
        "quota limit -2 is below -1; expected -1 (no limit), 0 or more"
    );
    for number in [-1, 0, 7, i64::MAX] {
        assert_eq!(i64::from(Limit::try_from(number).unwrap()), number);
        assert_eq!(serde_json::to_string(&Limit::from_signed(number)).unwrap(), number.to_string());
    }
    for resource in Resource::ALL {
        assert_eq!(resource.as_str().parse(), Ok(*resource));
        assert_eq!(serde_json::to_value(resource).unwrap(), resource.as_str());
    }
    assert_eq!("pigs".parse::<Resource>().unwrap_err().to_string(), "\"pigs\" has no quota");
}

fn new_limit(scope: Scope, limit: i64, used: i64, of_users: i64, of_project: i64) -> NewLimit {
    let [limit, of_project] = [limit, of_project].map(|number| Limit::try_from(number).unwrap());
    let used = Used { in_use: used - used / 2, reserved: used / 2 };
    NewLimit { resource: Resource::Shares, scope, limit, used, of_users, of_project }
}

#[test]
fn a_limit_has_to_fit_what_is_there() {
    use Scope::{Project, ShareType, User};
    let cases = [
        (new_limit(Project, 5, 5, 5, -1), None),
        (new_limit(Project, 0, 0, 0, 50), None),
        (new_limit(Project, -1, 9, 9, 5), None),
        (new_limit(Project, 100, 0, 0, 5), None),
        (
            new_limit(Project, 4, 5, 0, -1),
            Some("Quota value 4 for shares is smaller than already used and reserved 5."),
        ),
        (
            new_limit(Project, 4, 1, 5, -1),
            Some(
                "Quota value 4 for shares must not be less than 5, which the project's users have \
                 together.",
            ),
        ),
        (new_limit(User, 5, 5, 9, 5), None),
        (new_limit(User, -1, 5, 9, -1), None),
        (new_limit(ShareType, 7, 5, 9, -1), None),
        (
            new_limit(User, 6, 0, 0, 5),
            Some("Quota value 6 for shares must not be greater than 5, that of the project."),
        ),
        (
            new_limit(ShareType, -1, 0, 0, 5),
            Some("Quota value -1 for shares must not be greater than 5, that of the project."),
        ),
        (
            new_limit(ShareType, 1, 2, 0, 5),
            Some("Quota value 1 for shares is smaller than already used and reserved 2."),
        ),
    ];
    for (new, refused) in cases {
        let said = new.check().err().map(|error| error.to_string());
        assert_eq!(said.as_deref(), refused, "{new:?}");
    }
}

#[test]
fn a_scope_that_says_nothing_of_its_own_has_what_the_project_has() {
    let limits = |set: &[(Scope, i64)], default: Option<i64>| {
        let limit = |number| Limit::try_from(number).unwrap();
        Limits::new(
            default.map(|number| (Resource::Shares, limit(number))).into_iter().collect(),
            set.iter()
                .map(|(scope, number)| ((*scope, Resource::Shares), limit(*number)))
                .collect(),
        )
    };
    use Scope::{Project, ShareType, User};
    let cases = [
        (limits(&[], None), [50, 50, 50], [true, false, false]),
        (limits(&[], Some(7)), [7, 7, 7], [true, false, false]),
        (limits(&[(Project, 5)], Some(7)), [5, 5, 5], [true, false, false]),
        (limits(&[(User, 2)], Some(7)), [7, 2, 7], [true, true, false]),
        (limits(&[(ShareType, 0), (Project, -1)], Some(7)), [-1, -1, 0], [false, false, true]),
        (limits(&[(User, -1)], Some(-1)), [-1, -1, -1], [false, false, false]),
    ];
    for (limits, expected, bounds) in cases {
        let scopes = [Project, User, ShareType];
        let found = scopes.map(|scope| i64::from(limits.of(scope, Resource::Shares)));
        assert_eq!(found, expected, "{limits:?}");
        assert_eq!(scopes.map(|scope| limits.bounds(scope, &[Resource::Shares])), bounds);
    }
}

proptest! {
    /// However many users ask for however much of whichever type: what is let through keeps every
    /// limit, and what is refused would have broken one.
    #[test]
    fn no_scope_passes_its_limit(
        numbers in prop::collection::vec(-1i64..60, 5),
        requests in prop::collection::vec((0usize..2, 0usize..2, 1i64..20), 0..40),
    ) {
        let limit = |index: usize| Limit::try_from(numbers[index]).unwrap();
        let key = |scope| (scope, Resource::Gigabytes);
        let used = |in_use| Usage::from([(Resource::Gigabytes, Used { in_use, reserved: 0 })]);
        let (mut all, mut of_user, mut of_type) = (0, [0; 2], [0; 2]);
        for (user, share_type, size) in requests {
            let limits = Limits::new(BTreeMap::new(), BTreeMap::from([
                (key(Scope::Project), limit(0)),
                (key(Scope::User), limit(1 + user)),
                (key(Scope::ShareType), limit(3 + share_type)),
            ]));
            let asked = [(Resource::Gigabytes, size)];
            let mut claims = limits.claims(Scope::Project, &asked, &used(all));
            claims.extend(limits.claims(Scope::User, &asked, &used(of_user[user])));
            claims.extend(limits.claims(Scope::ShareType, &asked, &used(of_type[share_type])));
            let fits = |used: i64, index: usize| numbers[index] < 0 || used + size <= numbers[index];
            let fit = fits(all, 0) && fits(of_user[user], 1 + user) && fits(of_type[share_type], 3 + share_type);
            prop_assert_eq!(check(&claims).is_ok(), fit);
            if fit {
                all += size;
                of_user[user] += size;
                of_type[share_type] += size;
            }
        }
    }

    /// A limit that may be set leaves no scope over it.
    #[test]
    fn a_limit_that_may_be_set_holds(
        scope in prop::sample::select(vec![Scope::Project, Scope::User, Scope::ShareType]),
        limit in -1i64..20, used in 0i64..20, of_users in 0i64..20, of_project in -1i64..20,
    ) {
        let new = new_limit(scope, limit, used, of_users, of_project);
        let holds = limit < 0 || used <= limit && (scope != Scope::Project || of_users <= limit);
        let within = scope == Scope::Project || of_project < 0 || (0..=of_project).contains(&limit);
        prop_assert_eq!(new.check().is_ok(), holds && within);
    }

    /// Requests that are let through one after the other never go over the limit, and one
    /// that is refused would have.
    #[test]
    fn usage_never_passes_the_limit(limit in 0i64..200, requests in prop::collection::vec(1i64..50, 0..40)) {
        let mut used = 0;
        for requested in requests {
            let limit_of_claim = Limit::AtMost(limit);
            if limit_of_claim.allows(used, requested) {
                used += requested;
                prop_assert!(used <= limit);
            } else {
                prop_assert!(used + requested > limit);
            }
        }
    }

    /// A request passes only when each of its claims would pass alone, in any order.
    #[test]
    fn all_claims_have_to_fit(
        numbers in prop::collection::vec((-3i64..9, 0i64..9, -1i64..9), 0..6),
    ) {
        let claims: Vec<Claim> = numbers
            .iter()
            .zip(Resource::ALL.iter().cycle())
            .map(|((requested, used, limit), resource)| claim(*resource, *requested, *used, *limit))
            .collect();
        let misfits = claims.iter().filter(|claim| check(&[**claim]).is_err()).count();
        let reversed: Vec<Claim> = claims.iter().rev().copied().collect();
        match (check(&claims), check(&reversed)) {
            (Ok(()), Ok(())) => prop_assert_eq!(misfits, 0),
            (Err(over), Err(_)) => prop_assert_eq!(over.claims.len(), misfits),
            (one, other) => prop_assert!(false, "{one:?} and {other:?}"),
        }
    }
}
