//! The name a tenant wants a share to be mounted by.
//!
//! It becomes part of a path, and is unique in the whole service: no share is ever reached by the
//! name of another. The prefix keeps projects out of each other's way.

use abaca_model::{Share, ShareType};
use abaca_store::Error;

use super::is_true;
use crate::api::{ApiError, Call};

/// What a database column and a path component can take.
const LONGEST: usize = 255;

/// The whole name that was asked for, its prefix included; `None`: none was.
///
/// # Errors
/// 400 when the type does not offer it, or it can't be part of a path.
pub(in crate::api::shares) fn name(
    call: &Call,
    asked: Option<&str>,
    share_type: &ShareType,
) -> Result<Option<String>, ApiError> {
    let Some(asked) = asked else { return Ok(None) };
    let spec = |key| share_type.extra_specs.get(key).map(String::as_str);
    if !spec("mount_point_name_support").is_some_and(is_true) {
        return Err(ApiError::bad_request(format!(
            "Invalid input received: Setting a mount point name is not supported by the share \
             type used: {}.",
            share_type.id
        )));
    }
    let prefix = spec("provisioning:mount_point_prefix");
    let prefix = prefix.unwrap_or(&call.app.settings.default_mount_point_prefix);
    let prefix =
        prefix.replace("{project_id}", call.project()?).replace("{user_id}", &call.caller.user_id);
    checked(format!("{prefix}{asked}")).map(Some)
}

fn checked(name: String) -> Result<String, ApiError> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.len() <= LONGEST && name.bytes().all(is_fine) {
        return Ok(name);
    }
    Err(ApiError::bad_request(format!(
        "Invalid input received: Invalid mount_point_name: {name}. Expecting at most {LONGEST} \
         letters, digits, '_' and '-', the share type's prefix included."
    )))
}

/// What the tenant is told when the share could not be recorded: of all that is unique in it, only
/// this name is not made by the service.
pub(in crate::api::shares) fn taken(share: &Share, error: Error) -> ApiError {
    match (error, &share.mount_point_name) {
        (Error::Unique(_), Some(name)) => {
            ApiError::conflict(format!("The mount point name {name} is that of another share."))
        }
        (error, _) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_in_a_path() {
        let long = "x".repeat(LONGEST);
        for name in ["a", "Project_1-share", "-", &long] {
            assert_eq!(checked(name.to_owned()).unwrap(), name);
        }
        let longer = "x".repeat(LONGEST + 1);
        for name in
            ["..", "a/b", "a.b", "a b", "a\n", "käse", "{project}", "a\\b", "a%2fb", "\"", &longer]
        {
            assert!(checked(name.to_owned()).is_err(), "{name}");
        }
    }
}
