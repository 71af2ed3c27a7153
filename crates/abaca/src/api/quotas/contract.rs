//! What these routes take and show.

use abaca_model::quota::{Limit, Resource};

use super::absolute::NAMES;
use super::view::{has_share_type, since};
use crate::api::V;
use crate::api::openapi::Contract;
use crate::api::openapi::schema::{
    Schema, any_of, anything, fields, integer, lenient_boolean, list_of, null, object, text, under,
};

fn limit() -> Schema {
    integer().from(-1).about("-1: no limit.")
}

/// What is of no share type is not shown for one.
fn set(value: &Schema, id: Schema, of_share_types: bool) -> Schema {
    let keys = Resource::ALL.iter().map(|resource| {
        let value = value.clone().since(since(*resource));
        let may_lack = of_share_types && !has_share_type(*resource);
        (resource.as_str(), if may_lack { value.optional() } else { value })
    });
    object(keys.chain([("id", id)]))
}

fn limits() -> Schema {
    under("quota_set", set(&limit(), text().optional(), true).named("QuotaSet"))
}

fn class_limits() -> Schema {
    under("quota_class_set", set(&limit(), text().optional(), false).named("QuotaClassSet"))
}

/// Whose quota it is about, if not the project's.
fn about(contract: Contract) -> Contract {
    contract.query([("user_id", text().up_to(255)), ("share_type", text().since(V(2, 39)))])
}

pub(in crate::api) fn show() -> Contract {
    about(Contract::new("Show the quota of a project, a user or a share type")).shows(limits())
}

pub(in crate::api) fn defaults() -> Contract {
    Contract::new("Show the quota of a project that has none of its own").shows(limits())
}

pub(in crate::api) fn detail() -> Contract {
    let count = || integer().from(0);
    let used = object([("limit", limit()), ("in_use", count()), ("reserved", count())]);
    let shown = set(&used.named("QuotaUsage"), text(), true).named("DetailedQuotaSet");
    about(Contract::new("Show a quota and what is used of it")).shows(under("quota_set", shown))
}

fn given() -> Schema {
    let number = integer().from(-1).to(Limit::MAX);
    any_of([number, text().like(r"^\s*([+-]?[0-9]+)\s*$")])
}

pub(in crate::api) fn update() -> Contract {
    let keys = Resource::ALL
        .iter()
        .map(|resource| (resource.as_str(), given().or_null().since(since(*resource))));
    let more = [("force", lenient_boolean().or_null()), ("tenant_id", anything())];
    about(Contract::new("Set limits"))
        .takes(fields(&["quota_set"], [("quota_set", fields(&[], keys.chain(more)))]))
        .shows(limits())
}

pub(in crate::api) fn delete() -> Contract {
    about(Contract::new("Set all limits back")).accepted()
}

pub(in crate::api) fn show_class() -> Contract {
    Contract::new("Show the default limits").shows(class_limits())
}

pub(in crate::api) fn update_class() -> Contract {
    // Here every version has every resource.
    let keys = Resource::ALL.iter().map(|resource| (resource.as_str(), given()));
    Contract::new("Set default limits")
        .takes(fields(&["quota_class_set"], [("quota_class_set", fields(&[], keys))]))
        .shows(class_limits())
}

pub(in crate::api) fn absolute() -> Contract {
    let keys = NAMES.iter().flat_map(|(_, since, most, used)| {
        [(*most, limit().since(*since)), (*used, integer().from(0).since(*since))]
    });
    let shown = object([("rate", list_of(null())), ("absolute", object(keys))]);
    Contract::new("Show what the caller's project may have, and has").shows(under("limits", shown))
}
