//! The Shared File Systems API v2, microversions 2.0 to 2.99.
//!
//! `router.rs` is the whole route table. `request.rs` is the way of every request: request id,
//! authentication, microversion, route, policy, handler. A handler is an
//! `async fn(Call) -> Result<Reply, ApiError>` in the folder of its resource.

mod access_rules;
mod availability_zones;
mod body;
mod by_hand;
mod call;
mod dict_literal;
mod error;
mod export_locations;
mod extensions;
mod health;
mod links;
mod list;
mod messages;
mod metadata;
mod microversion;
pub mod openapi;
mod operation;
mod page;
mod query;
mod quotas;
mod reply;
mod request;
mod request_id;
mod resource_locks;
pub mod route;
pub mod router;
mod scheduler_stats;
mod services;
mod share_group_types;
mod share_instances;
mod share_replicas;
mod share_types;
mod shares;
mod snapshot_instances;
mod snapshots;
mod versions;

pub use body::{Fields, strict_bool};
pub use call::Call;
pub use error::ApiError;
pub use links::Links;
pub use microversion::{Microversion, ParseVersionError, V, Versions};
pub use page::{Page, Sort};
pub use query::Query;
pub use reply::Reply;
pub use request::{service, service_with};
pub use request_id::RequestId;
pub use route::Route;
