//! `noauth`: no token is an administrator, a token `user:project[:role,role]` is just that caller.

use axum::http::header::{HeaderMap, HeaderName, HeaderValue};

use super::{AuthError, Caller};

const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const CHALLENGE: HeaderValue = HeaderValue::from_static("NoAuth realm=\"abaca\"");
/// Who calls without a token.
const ADMINISTRATOR: (&str, &str, &str) = ("admin", "admin", "admin");
/// What the OpenStack clients put in the header when their `none` plugin has no token.
const PLACEHOLDER: &str = "notused";
const DEFAULT_ROLE: &str = "member";
/// The longest id that the API's schemas take.
const MAX_ID: usize = 255;

/// Reads the caller out of the token.
pub(super) fn authenticate(headers: &HeaderMap) -> Result<Caller, AuthError> {
    let mut tokens = headers.get_all(TOKEN).iter();
    let Some(token) = tokens.next().filter(|token| *token != PLACEHOLDER) else {
        let (user, project, role) = ADMINISTRATOR;
        return Ok(caller(user, project, &[role]));
    };
    if tokens.next().is_some() {
        return Err(malformed("X-Auth-Token was sent more than once"));
    }
    let token = token.to_str().map_err(|_| malformed("it has characters beyond ASCII"))?;
    parse(token)
}

fn parse(token: &str) -> Result<Caller, AuthError> {
    let parts: Vec<&str> = token.split(':').collect();
    let (user, project, roles) = match parts[..] {
        [user, project] => (user, project, DEFAULT_ROLE),
        [user, project, roles] => (user, project, roles),
        _ => return Err(malformed("it has not two or three parts")),
    };
    if !is_id(user) {
        return Err(malformed("the user is not an id"));
    }
    if !is_id(project) {
        return Err(malformed("the project is not an id"));
    }
    let roles: Vec<&str> = roles.split(',').collect();
    if !roles.iter().all(|role| is_id(role)) {
        return Err(malformed("a role is not a name"));
    }
    Ok(caller(user, project, &roles))
}

/// Letters, digits and `-_.@`: what can stand in a URL's path and a log line as it is.
fn is_id(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(good)
}

fn malformed(what: &str) -> AuthError {
    let reason =
        format!("{what}; X-Auth-Token must be user:project or user:project:role,role, or absent");
    AuthError::Unauthenticated { reason, challenge: CHALLENGE }
}

fn caller(user: &str, project: &str, roles: &[&str]) -> Caller {
    let mut caller = Caller {
        user_id: user.to_owned(),
        project_id: Some(project.to_owned()),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Caller::default()
    };
    caller.add_implied_roles();
    caller.is_admin = caller.has_role("admin");
    caller
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_token(token: &str) -> Result<Caller, AuthError> {
        let mut headers = HeaderMap::new();
        headers.insert(TOKEN, HeaderValue::from_bytes(token.as_bytes()).unwrap());
        authenticate(&headers)
    }

    #[test]
    fn no_token_is_an_administrator_of_project_admin() {
        let caller = authenticate(&HeaderMap::new()).unwrap();
        assert_eq!((caller.user_id.as_str(), caller.is_admin), ("admin", true));
        assert_eq!(caller.project_id.as_deref(), Some("admin"));
        assert_eq!(caller.roles, ["admin", "manager", "member", "reader"]);
        // What python-manilaclient sends for OS_AUTH_TYPE=none.
        assert_eq!(with_token("notused").unwrap().roles, caller.roles);
    }

    #[test]
    fn tokens_name_user_project_and_roles() {
        let table: [(&str, &str, &str, &[&str], bool); 6] = [
            ("alice:proj", "alice", "proj", &["member", "reader"], false),
            ("a:p:reader", "a", "p", &["reader"], false),
            ("a:p:admin", "a", "p", &["admin", "manager", "member", "reader"], true),
            ("a:p:Admin", "a", "p", &["Admin", "manager", "member", "reader"], true),
            ("a:p:auditor,reader", "a", "p", &["auditor", "reader"], false),
            ("a:p:reader,member", "a", "p", &["reader", "member"], false),
        ];
        for (token, user, project, roles, is_admin) in table {
            let caller = with_token(token).unwrap();
            assert_eq!(caller.user_id, user, "{token}");
            assert_eq!(caller.project_id.as_deref(), Some(project), "{token}");
            assert_eq!(caller.roles, roles, "{token}");
            assert_eq!(caller.is_admin, is_admin, "{token}");
        }
    }

    #[test]
    fn malformed_tokens_are_refused_with_the_reason() {
        let long = format!("a:{}", "p".repeat(256));
        let table = [
            ("", "two or three parts"),
            ("alice", "two or three parts"),
            ("a:p:r:x", "two or three parts"),
            (":p", "the user"),
            ("a:", "the project"),
            ("a:p:", "a role"),
            ("a:p:r,,s", "a role"),
            ("a:p q", "the project"),
            ("a:../p", "the project"),
            ("a:pröj", "beyond ASCII"),
            (long.as_str(), "the project"),
        ];
        for (token, reason) in table {
            let refused = with_token(token).unwrap_err();
            assert_eq!(refused.status(), 401, "{token}");
            assert!(refused.to_string().contains(reason), "{token}: {refused}");
        }
    }

    #[test]
    fn two_tokens_are_refused() {
        let mut headers = HeaderMap::new();
        headers.append(TOKEN, HeaderValue::from_static("a:p"));
        headers.append(TOKEN, HeaderValue::from_static("a:p:admin"));
        assert_eq!(authenticate(&headers).unwrap_err().status(), 401);
    }
}
