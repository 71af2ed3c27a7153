//! Quota classes. The limits of the class `default` are those of every project that has none of its
//! own; other classes are kept, but no project is in one.

use std::collections::BTreeMap;

use abaca_model::quota::{Limit, Resource};
use abaca_store::{quota, retry_conflicts};
use serde_json::{Value, json};

use super::{of_class, read, view};
use crate::api::{ApiError, Call, Reply};
use crate::app::Target;

const KEY: &str = "quota_class_set";

/// `GET /quota-class-sets/{class_name}`
pub(crate) async fn show(call: Call) -> Result<Reply, ApiError> {
    authorise(&call, "quota_class_set:show").await?;
    let name = call.path("class_name");
    let mut tx = call.app.db.read().await?;
    let limits = of_class(&call, &mut tx, name).await?;
    Reply::ok(&body(&call, Some(name), &limits))
}

/// `PUT /quota-class-sets/{class_name}`. Keys that are no quota are passed over, as in the reference.
pub(crate) async fn update(call: Call) -> Result<Reply, ApiError> {
    authorise(&call, "quota_class_set:update").await?;
    let name = read::name("class name", call.path("class_name"))?;
    let fields = call.wrapped(KEY).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Invalid input for field/attribute {KEY}. Expecting an object."
        ))
    })?;
    let mut wanted = BTreeMap::new();
    for (key, value) in fields {
        if let Ok(resource) = key.parse::<Resource>() {
            wanted.insert(resource, read::limit(resource, value)?);
        }
    }
    let limits = retry_conflicts(|| async {
        let mut tx = call.app.db.write().await?;
        quota::set_class(&mut tx, &name, &wanted).await?;
        let limits = of_class(&call, &mut tx, &name).await?;
        tx.commit().await?;
        Ok::<_, ApiError>(limits)
    })
    .await?;
    Reply::ok(&body(&call, None, &limits))
}

/// A class is of no project: who may see those of his own project may not see it.
async fn authorise(call: &Call, rule: &str) -> Result<(), ApiError> {
    let target = Target::from_iter([("class_name".to_owned(), json!(call.path("class_name")))]);
    call.authorise(rule, &target).await
}

fn body(call: &Call, id: Option<&str>, limits: &BTreeMap<Resource, Limit>) -> Value {
    view::set(KEY, call.version, id, |_| true, |resource| json!(limits.get(&resource)))
}
