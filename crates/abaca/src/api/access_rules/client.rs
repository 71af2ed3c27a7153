//! Whom a request lets in.

use abaca_model::{AccessType, check_access_to};

use crate::api::{ApiError, Call, Fields, V};

/// A client that a rule can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) access_type: AccessType,
    pub(super) access_to: String,
}

/// Reads `access_type` and `access_to`. `cephx`: Ceph ids are taken.
///
/// # Errors
/// 400 that says what is wrong.
pub(super) fn read(call: &Call, fields: &Fields<'_>, cephx: bool) -> Result<Client, ApiError> {
    let required = |key: &str| {
        let text = fields.text(key)?;
        text.ok_or_else(|| ApiError::bad_request(format!("Required parameter {key} not found.")))
    };
    let access_type = access_type(required("access_type")?, cephx)?;
    let access_to = required("access_to")?;
    check(access_type, access_to, call.since(V(2, 38)))?;
    Ok(Client { access_type, access_to: access_to.to_owned() })
}

/// # Errors
/// 400 that names those there are.
fn access_type(text: &str, cephx: bool) -> Result<AccessType, ApiError> {
    let known = text.parse().ok().filter(|known| cephx || *known != AccessType::Cephx);
    known.ok_or_else(|| {
        ApiError::bad_request(if cephx {
            "Only 'ip', 'user', 'cert' or 'cephx' access types are supported."
        } else {
            "Only 'ip', 'user' or 'cert' access types are supported."
        })
    })
}

/// # Errors
/// 400 that says why no client of that type is called so.
pub(super) fn check(access_type: AccessType, text: &str, ipv6: bool) -> Result<(), ApiError> {
    check_access_to(access_type, text, ipv6)
        .map_err(|error| ApiError::bad_request(error.to_string()))
}
