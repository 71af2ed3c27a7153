use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn answer() -> Value {
    json!({"token": {
        "methods": ["password"],
        "user": {"id": "u1", "name": "alice", "domain": {"id": "d1", "name": "Default"}},
        "project": {"id": "p1", "name": "proj", "domain": {"id": "d2", "name": "Other"}},
        "roles": [{"id": "1", "name": "member"}, {"id": "2", "name": "reader"}],
        "is_domain": false,
        "audit_ids": ["x"],
        "issued_at": "2026-11-23T16:00:00.000000Z",
        "expires_at": "2026-11-23T17:00:00.000000Z",
    }})
}

fn parse(answer: &Value) -> Result<Token, TokenError> {
    Token::parse(answer.to_string().as_bytes())
}

/// The good answer with one part of the token replaced, or taken out if it is null.
fn with(part: &str, value: Value) -> Result<Token, TokenError> {
    let mut answer = answer();
    let token = answer["token"].as_object_mut().unwrap();
    match value {
        Value::Null => drop(token.remove(part)),
        value => drop(token.insert(part.to_owned(), value)),
    }
    parse(&answer)
}

#[test]
fn a_project_token_becomes_a_caller() {
    let token = parse(&answer()).unwrap();
    assert_eq!(token.expires_at, "2026-11-23T17:00:00".parse().unwrap());
    let expected = Caller {
        user_id: "u1".to_owned(),
        user_domain_id: Some("d1".to_owned()),
        project_id: Some("p1".to_owned()),
        project_domain_id: Some("d2".to_owned()),
        roles: vec!["member".to_owned(), "reader".to_owned()],
        ..Caller::default()
    };
    assert_eq!(token.caller(None), expected);
}

#[test]
fn a_service_beside_the_user_keeps_to_its_own_fields() {
    let user = parse(&answer()).unwrap();
    let service = with("roles", json!([{"name": "service"}])).unwrap();
    let caller = user.caller(Some(&service));
    assert_eq!(caller.roles, ["member", "reader"]);
    assert_eq!(caller.service_roles, ["service"]);
    assert_eq!(caller.service_user_id.as_deref(), Some("u1"));
    assert_eq!(caller.service_project_id.as_deref(), Some("p1"));
    assert_eq!(caller.service_project_domain_id.as_deref(), Some("d2"));
}

#[test]
fn scopes() {
    let scoped = |scope: Value| {
        let mut answer = answer();
        let token = answer["token"].as_object_mut().unwrap();
        token.remove("project");
        token.extend(scope.as_object().unwrap().clone());
        parse(&answer)
    };
    let system = scoped(json!({"system": {"all": true}})).unwrap().caller(None);
    assert_eq!((system.system_scope.as_deref(), &system.project_id), (Some("all"), &None));
    let domain = scoped(json!({"domain": {"id": "d9", "name": "n"}})).unwrap().caller(None);
    assert_eq!((domain.domain_id.as_deref(), &domain.project_id), (Some("d9"), &None));
    let none = scoped(json!({})).unwrap().caller(None);
    assert_eq!((none.project_id, none.domain_id, none.system_scope), (None, None, None));
    for bad in [
        json!({"system": {}}),
        json!({"system": {"all": false}}),
        json!({"system": {"all": true}, "project": {"id": "p"}}),
        json!({"domain": {"id": "d"}, "project": {"id": "p"}}),
    ] {
        assert_eq!(scoped(bad.clone()), Err(TokenError::BadScope), "{bad}");
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let table = [
        ("user", Value::Null),
        ("user", json!({"name": "alice"})),
        ("user", json!({"id": 7})),
        ("user", json!({"id": ""})),
        ("user", json!({"id": "a\u{0}b"})),
        ("user", json!({"id": "a\nb"})),
        ("user", json!({"id": "x".repeat(256)})),
        ("user", json!({"id": "u", "domain": {"id": ""}})),
        ("project", json!({"id": "p\u{7f}"})),
        ("roles", json!("admin")),
        ("roles", json!([{"name": 1}])),
        ("roles", json!([{"name": ""}])),
        ("expires_at", Value::Null),
        ("expires_at", json!(1)),
        ("expires_at", json!("tomorrow")),
    ];
    for (part, value) in table {
        let shown = format!("{part}: {value}");
        assert!(with(part, value).is_err(), "{shown}");
    }
    for body in ["", "null", "[]", "{}", "{\"token\": []}", "<html>", "\u{0}"] {
        assert!(Token::parse(body.as_bytes()).is_err(), "{body:?}");
    }
    let deep = format!("{{\"token\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Token::parse(deep.as_bytes()).is_err());
}

#[test]
fn the_admin_project_and_access_rules_are_read() {
    assert_eq!(parse(&answer()).unwrap().caller(None).is_admin_project, None);
    let outside = with("is_admin_project", json!(false)).unwrap();
    assert_eq!(outside.caller(None).is_admin_project, Some(false));
    let rules = json!([{"id": "x", "service": "sharev2", "method": "GET", "path": "/v2/shares"}]);
    let credential = json!({"id": "c", "name": "n", "restricted": true, "access_rules": rules});
    let token = with("application_credential", credential).unwrap();
    assert!(token.access_rules.allow(&axum::http::Method::GET, "/v2/shares"));
    assert!(!token.access_rules.allow(&axum::http::Method::GET, "/v2/snapshots"));
    let free = with("application_credential", json!({"id": "c", "name": "n"})).unwrap();
    assert!(free.access_rules.allow(&axum::http::Method::GET, "/v2/snapshots"));
}

/// Any JSON, with names that the parser looks for in it.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!("2026-11-23T17:00:00.000000Z")),
    ];
    let name = prop::sample::select(vec![
        "token",
        "user",
        "project",
        "domain",
        "system",
        "all",
        "roles",
        "name",
        "id",
        "expires_at",
        "application_credential",
        "access_rules",
        "service",
        "method",
        "path",
        "is_admin_project",
    ]);
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|pairs| {
                pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    })
}

proptest! {
    /// Whatever stands in place of one part, a token that is taken has ids that can be written down,
    /// and no role that was not named.
    #[test]
    fn a_changed_answer_gives_no_more_than_it_says(
        part in prop::sample::select(vec![
            "user", "project", "domain", "system", "roles", "expires_at", "is_admin_project",
            "application_credential",
        ]),
        value in any_json(),
    ) {
        let shown = value.to_string();
        if let Ok(token) = with(part, value) {
            let caller = token.caller(None);
            let domains = [caller.user_domain_id, caller.project_domain_id, caller.domain_id];
            let ids = [Some(caller.user_id), caller.project_id].into_iter().chain(domains).flatten();
            for id in ids.chain(caller.roles) {
                prop_assert!(!id.is_empty() && !id.contains('\0'), "{shown}");
                prop_assert!(["u1", "p1", "d1", "d2", "member", "reader"].contains(&id.as_str())
                    || shown.contains(serde_json::to_string(&id).unwrap().trim_matches('"')), "{id}: {shown}");
            }
        }
    }

    #[test]
    fn bytes_are_no_panic(body in prop::collection::vec(any::<u8>(), 0..300), json in any_json()) {
        _ = Token::parse(&body);
        _ = Token::parse(json.to_string().as_bytes());
        _ = Token::parse(json!({"token": json}).to_string().as_bytes());
    }

    #[test]
    fn an_answer_cut_short_is_none(length in 0_usize..1_000) {
        let whole = answer().to_string();
        let cut = &whole.as_bytes()[..length.min(whole.len() - 1)];
        prop_assert!(Token::parse(cut).is_err());
    }
}
