//! Against a Keystone that does on demand what a real one does seldom. The real one: tests/keystone.

mod fake;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use abaca_model::Timestamp;
use axum::http::{HeaderName, Request, Response, StatusCode};
use axum::response::IntoResponse;
use futures_util::future::join_all;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use self::fake::{Answer, Fake};
use super::*;
use crate::config::{Config, Overrides};

/// A client of the fake, with these keys of `[identity]` changed.
fn keystone(url: &str, keys: &[(&str, &str)]) -> Keystone {
    let given = [
        ("STRATEGY", "keystone"),
        ("AUTH_URL", url),
        ("PASSWORD", "s3cret"),
        ("TIMEOUT_SECONDS", "5"),
        ("CACHE_SECONDS", "300"),
    ];
    let variables = given.iter().chain(keys);
    let variables =
        variables.map(|(key, value)| (format!("ABACA__IDENTITY__{key}").into(), value.into()));
    let config = Config::load_from(&Overrides::default(), variables).unwrap();
    Keystone::new(&config.identity.keystone.unwrap()).unwrap()
}

fn parts(headers: &[(HeaderName, &str)]) -> Parts {
    let mut request = Request::builder().uri("/v2/shares");
    for (name, value) in headers {
        request = request.header(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request.body(()).unwrap().into_parts().0
}

async fn ask(keystone: &Keystone, token: &str) -> Result<Caller, AuthError> {
    keystone.authenticate(&parts(&[(TOKEN, token)])).await
}

/// The status of the answer; 200 for an accepted token.
async fn status(keystone: &Keystone, token: &str) -> StatusCode {
    ask(keystone, token).await.map_or_else(|error| error.status(), |_| StatusCode::OK)
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_believed_for_the_cache_time_only() {
    let fake = Fake::start().await;
    let cache = Duration::from_millis(400);
    let keystone = keystone(&fake.url, &[("CACHE_SECONDS", "0.4")]);
    let first = Instant::now();
    assert_eq!(ask(&keystone, "alice").await.unwrap().user_id, "alice");
    let latest_end = Instant::now() + cache;
    assert_eq!(ask(&keystone, "alice").await.unwrap().user_id, "alice");
    assert_eq!((fake.issued(), fake.validated()), (1, 1));
    fake.revoke("alice");
    loop {
        let before = Instant::now();
        if status(&keystone, "alice").await != StatusCode::OK {
            break;
        }
        assert!(before < latest_end, "believed for too long");
        tokio::task::yield_now().await;
    }
    assert!(first.elapsed() >= cache, "it was not believed for the cache time");
    assert_eq!(status(&keystone, "alice").await, StatusCode::UNAUTHORIZED);
    assert_eq!(fake.validated(), 2, "a refusal is kept too");
    // 0.4 s here: never longer than the cache's time.
    fake.restore("alice");
    let refused = Instant::now();
    while status(&keystone, "alice").await != StatusCode::OK {
        assert!(refused.elapsed() < Duration::from_secs(2), "refused for too long");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn those_who_come_at_once_with_one_token_ask_once() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[]);
    let gate = fake.hold();
    let callers = join_all((0..50).map(|_| ask(&keystone, "alice")));
    let release = async {
        fake.wait_until_asked(1).await;
        gate.notify_waiters();
    };
    let (callers, ()) = tokio::join!(callers, release);
    assert!(callers.into_iter().all(|caller| caller.unwrap().user_id == "alice"));
    assert_eq!((fake.issued(), fake.validated()), (1, 1));
}

#[tokio::test]
async fn who_asks_for_all_may_leave() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[]);
    let gate = fake.hold();
    let leaving = async {
        tokio::select! {
            _ = ask(&keystone, "alice") => panic!("it was held"),
            () = fake.wait_until_asked(1) => {}
        }
    };
    leaving.await;
    let staying = ask(&keystone, "alice");
    let release = async {
        fake.wait_until_asked(2).await;
        gate.notify_waiters();
    };
    let (caller, ()) = tokio::join!(staying, release);
    assert_eq!(caller.unwrap().user_id, "alice");
}

#[tokio::test]
async fn the_own_token_is_got_anew_once_when_it_was_revoked() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[]);
    assert_eq!(status(&keystone, "alice").await, StatusCode::OK);
    fake.revoke_own();
    let tokens: Vec<String> = (0..20).map(|n| format!("user{n}")).collect();
    let statuses = join_all(tokens.iter().map(|token| status(&keystone, token))).await;
    assert!(statuses.iter().all(|status| *status == StatusCode::OK), "{statuses:?}");
    assert_eq!(fake.issued(), 2);
    fake.refuse_own_always();
    assert_eq!(status(&keystone, "bob").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(fake.issued(), 3, "once, not for ever");
}

#[tokio::test]
async fn the_own_token_is_renewed_before_it_ends() {
    let fake = Fake::start().await;
    fake.own_lives_for(Duration::from_millis(500));
    let keystone = keystone(&fake.url, &[]);
    let mut number = 0;
    while fake.issued() < 4 {
        number += 1;
        assert_eq!(status(&keystone, &format!("user{number}")).await, StatusCode::OK);
    }
    assert_eq!(fake.own_refused(), 0, "Keystone never saw one that had ended");
}

#[tokio::test]
async fn the_own_tokens_life_goes_by_keystones_clock() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[]);
    fake.clock_is_behind(Duration::from_secs(2 * 3600));
    for token in ["alice", "bob"] {
        assert_eq!(status(&keystone, token).await, StatusCode::OK);
    }
    assert_eq!(fake.issued(), 1);
}

#[tokio::test]
async fn the_own_token_serves_to_its_end_while_no_login_succeeds() {
    let fake = Fake::start().await;
    let life = Duration::from_millis(1000);
    fake.own_lives_for(life);
    let keystone = keystone(&fake.url, &[]);
    let began = Instant::now();
    assert_eq!(status(&keystone, "alice").await, StatusCode::OK);
    fake.fail_logins([401; 1_000]);
    let mut number = 0;
    while status(&keystone, &format!("user{number}")).await == StatusCode::OK {
        number += 1;
    }
    assert!(began.elapsed() >= life, "the token was good");
    for _ in 0..20 {
        number += 1;
        let status = status(&keystone, &format!("user{number}")).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
    // One each 2 s, beside the one that succeeded: too many lock the account.
    let most = 2 + began.elapsed().as_secs() / 2;
    assert!((2..=most).contains(&(fake.logins() as u64)), "{} logins", fake.logins());
    fake.fail_logins([]);
    let restored = Instant::now();
    while status(&keystone, "bob").await != StatusCode::OK {
        assert!(restored.elapsed() < Duration::from_secs(10), "the failure is kept for too long");
    }
}

#[tokio::test]
async fn a_login_that_fails_for_now_is_tried_again_once_for_all() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[]);
    fake.fail_logins([503, 500]);
    let tokens: Vec<String> = (0..20).map(|n| format!("user{n}")).collect();
    let statuses = join_all(tokens.iter().map(|token| status(&keystone, token))).await;
    assert!(statuses.iter().all(|status| *status == StatusCode::OK), "{statuses:?}");
    assert_eq!((fake.logins(), fake.issued()), (3, 1));
}

#[tokio::test]
async fn only_so_many_questions_are_asked_at_a_time() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[("TIMEOUT_SECONDS", "60")]);
    let gate = fake.hold();
    let tokens: Vec<String> = (0..MAX_QUESTIONS + 36).map(|n| format!("user{n}")).collect();
    let statuses = join_all(tokens.iter().map(|token| status(&keystone, token)));
    let release = async {
        fake.wait_until_asked(MAX_QUESTIONS).await;
        assert_eq!(keystone.questions.available_permits(), 0);
        assert_eq!(fake.validated(), MAX_QUESTIONS);
        gate.notify_waiters();
        fake.wait_until_asked(tokens.len()).await;
        gate.notify_waiters();
    };
    let (statuses, ()) = tokio::join!(statuses, release);
    assert!(statuses.iter().all(|status| *status == StatusCode::OK), "{statuses:?}");
}

#[tokio::test]
async fn who_gets_no_turn_in_time_is_answered_503() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[("TIMEOUT_SECONDS", "0.2")]);
    let all = keystone.questions.acquire_many(MAX_QUESTIONS as u32).await.unwrap();
    let error = ask(&keystone, "alice").await.unwrap_err();
    assert_eq!(error.status(), StatusCode::SERVICE_UNAVAILABLE);
    let AuthError::Unavailable(failure) = &error else { panic!("{error:?}") };
    assert!(matches!(**failure, Failure::Crowded), "{failure:?}");
    assert_eq!(fake.logins() + fake.validated(), 0);
    drop(all);
    assert_eq!(status(&keystone, "alice").await, StatusCode::OK);
}

#[tokio::test]
async fn what_keystone_was_asked_is_counted() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let _recording = ::metrics::set_default_local_recorder(&recorder);
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[]);
    fake.revoke("mallory");
    for (token, expected) in [("alice", 200), ("alice", 200), ("mallory", 401), ("mallory", 401)] {
        assert_eq!(status(&keystone, token).await, expected);
    }
    fake.then([Answer::Status(418)]);
    assert_eq!(status(&keystone, "bob").await, StatusCode::SERVICE_UNAVAILABLE);
    let text = recorder.handle().render();
    for line in [
        "abaca_keystone_validations_total{outcome=\"accepted\"} 1",
        "abaca_keystone_validations_total{outcome=\"refused\"} 1",
        "abaca_keystone_validations_total{outcome=\"failed\"} 1",
        "abaca_keystone_validation_duration_seconds_count{outcome=\"accepted\"} 1",
        "abaca_keystone_cache_hits_total 2",
    ] {
        assert!(text.lines().any(|own| own == line), "{line} is not in:\n{text}");
    }
}

#[tokio::test]
async fn passing_failures_are_tried_again() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[]);
    fake.then([Answer::Status(500), Answer::Status(503), Answer::Broken]);
    assert_eq!(status(&keystone, "alice").await, StatusCode::OK);
    assert_eq!(fake.validated(), 4);
    fake.then([Answer::Status(502); 4]);
    assert_eq!(status(&keystone, "bob").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(status(&keystone, "bob").await, StatusCode::OK, "a failure is not kept");
}

#[tokio::test]
async fn a_deaf_keystone_is_503_within_the_time_limit() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[("TIMEOUT_SECONDS", "0.6")]);
    fake.then([Answer::Never; 10]);
    let began = Instant::now();
    let error = ask(&keystone, "alice").await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let answer: Response<_> = error.into_response();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "5");
    assert!(!answer.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn no_answer_that_is_wrong_lets_anyone_in() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[]);
    for body in ["", "{}", "[]", "<html>ok</html>", "{\"token\": {\"user\": {\"id\": \"root\"}}}"] {
        fake.then([Answer::Body(body)]);
        assert_eq!(status(&keystone, "x").await, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    }
    fake.then([Answer::Endless]);
    assert_eq!(status(&keystone, "x").await, StatusCode::SERVICE_UNAVAILABLE);
    for code in [201, 204, 302, 402, 418, 300] {
        fake.then([Answer::Status(code)]);
        assert_eq!(status(&keystone, "x").await, StatusCode::SERVICE_UNAVAILABLE, "{code}");
    }
    for code in [400, 404] {
        fake.then([Answer::Page(code)]);
        assert_eq!(status(&keystone, "x").await, StatusCode::SERVICE_UNAVAILABLE, "{code}");
        fake.then([Answer::Page(code)]);
        assert_eq!(status(&keystone, "x").await, StatusCode::SERVICE_UNAVAILABLE, "not kept");
    }
    for code in [400, 404, 431] {
        fake.then([Answer::Status(code)]);
        let token = format!("bad{code}");
        assert_eq!(status(&keystone, &token).await, StatusCode::UNAUTHORIZED, "{code}");
    }
    // Refused as an operator's mistake, not as the caller's.
    fake.then([Answer::Status(403)]);
    let error = ask(&keystone, "y").await.unwrap_err();
    assert_eq!(error.status(), StatusCode::SERVICE_UNAVAILABLE);
    let AuthError::Unavailable(failure) = &error else { panic!("{error:?}") };
    assert!(failure.chain().contains("the role \"service\""), "{}", failure.chain());
    assert!(!error.to_string().contains("role"), "the caller is told nothing of it");
}

#[tokio::test]
async fn a_wrong_password_is_the_operators_business() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[("PASSWORD", "wrong")]);
    let error = ask(&keystone, "alice").await.unwrap_err();
    let AuthError::Unavailable(failure) = &error else { panic!("{error:?}") };
    assert!(failure.chain().contains("identity.username"), "{}", failure.chain());
    assert_eq!(fake.validated(), 0);
}

#[tokio::test]
async fn a_token_that_has_ended_is_refused_also_when_keystone_is_wrong_about_it() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[]);
    fake.lives_for(Duration::ZERO);
    assert_eq!(status(&keystone, "late").await, StatusCode::UNAUTHORIZED);
    fake.lives_for(Duration::from_millis(300));
    assert_eq!(status(&keystone, "short").await, StatusCode::OK);
    let end = fake.end_of("short");
    loop {
        let before = Timestamp::now();
        if status(&keystone, "short").await != StatusCode::OK {
            break;
        }
        assert!(before < end, "believed beyond its end");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_service_may_bring_a_token_that_has_ended() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[]);
    fake.end("alice");
    assert_eq!(status(&keystone, "alice").await, StatusCode::UNAUTHORIZED);
    let both = |service| parts(&[(TOKEN, "alice"), (SERVICE_TOKEN, service)]);
    let caller = keystone.authenticate(&both("glue:service")).await.unwrap();
    assert_eq!(
        (caller.user_id.as_str(), caller.roles.as_slice()),
        ("alice", &["member".to_owned()][..])
    );
    assert_eq!(caller.service_roles, ["service"]);
    assert_eq!(caller.service_user_id.as_deref(), Some("glue"));
    // Neither a user's token nor a bad one makes a service.
    for service in ["mallory", "mallory:admin", "revoked"] {
        fake.revoke("revoked");
        let refused = keystone.authenticate(&both(service)).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{service}");
    }
    assert_eq!(status(&keystone, "alice").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn headers_that_hold_no_token_are_refused_without_a_question() {
    let fake = Fake::start().await;
    let keystone = keystone(&fake.url, &[("WWW_AUTHENTICATE_URI", "https://k.example:5000/v3/")]);
    let long = "x".repeat(MAX_TOKEN + 1);
    let table: [&[(HeaderName, &str)]; 7] = [
        &[],
        &[(TOKEN, "")],
        &[(TOKEN, "alice"), (TOKEN, "bob")],
        &[(TOKEN, "töken")],
        &[(TOKEN, &long)],
        &[(SERVICE_TOKEN, "glue:service")],
        &[(TOKEN, "alice"), (SERVICE_TOKEN, "a"), (SERVICE_TOKEN, "b")],
    ];
    for headers in table {
        let refused = keystone.authenticate(&parts(headers)).await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(
            refused.headers()["www-authenticate"],
            "Keystone uri=\"https://k.example:5000/v3\""
        );
    }
    assert_eq!(fake.validated(), 1, "only the service's own");
}

proptest! {
    /// Whatever the headers hold, the answer is yes or no while Keystone is there.
    #[test]
    fn any_bytes_in_the_headers_are_a_token_or_none(
        headers in prop::collection::vec((any::<bool>(), header_value()), 0..4),
    ) {
        static FAKE: OnceLock<(Runtime, Fake, Keystone)> = OnceLock::new();
        let (runtime, _, keystone) = FAKE.get_or_init(|| {
            let runtime = Runtime::new().unwrap();
            let fake = runtime.block_on(Fake::start());
            let keystone = keystone(&fake.url, &[]);
            (runtime, fake, keystone)
        });
        let mut request = parts(&[]);
        for (is_service, value) in headers {
            request.headers.append(if is_service { SERVICE_TOKEN } else { TOKEN }, value);
        }
        let answer = runtime.block_on(keystone.authenticate(&request));
        let status = answer.map_or_else(|error| error.status(), |_| StatusCode::OK);
        prop_assert!(matches!(status.as_u16(), 200 | 401), "{status} {request:?}");
    }
}

/// Any that the HTTP server lets through.
fn header_value() -> impl Strategy<Value = HeaderValue> {
    let bytes = prop_oneof![
        prop::collection::vec(prop_oneof![Just(b'\t'), b' '..=b'~', 0x80..=0xff_u8], 0..300),
        prop::collection::vec(b' '..=b'~', 0..300),
        prop::collection::vec(b'a'..=b'z', MAX_TOKEN - 2..MAX_TOKEN + 2),
        "[a-z]{1,8}(:(service|member|admin))?".prop_map(String::into_bytes),
    ];
    bytes.prop_filter_map("no header", |bytes| HeaderValue::from_bytes(&bytes).ok())
}

#[test]
fn nothing_prints_a_secret() {
    let keystone = keystone("http://127.0.0.1:1", &[]);
    assert!(!format!("{keystone:?}").contains("s3cret"));
    let issued = HeaderValue::from_static("gAAAsecret");
    let issued = own_token::Issued::new(issued, Instant::now(), Duration::ZERO);
    assert!(!format!("{issued:?}").contains("gAAA"), "{issued:?}");
}

#[test]
fn a_file_without_certificates_is_told_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    for text in [None, Some("no certificate")] {
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let variables = [
            ("STRATEGY", "keystone"),
            ("AUTH_URL", "https://k.example"),
            ("PASSWORD", "p"),
            ("CAFILE", path.to_str().unwrap()),
        ];
        let variables =
            variables.map(|(key, value)| (format!("ABACA__IDENTITY__{key}").into(), value.into()));
        let config = Config::load_from(&Overrides::default(), variables).unwrap();
        let error = Keystone::new(&config.identity.keystone.unwrap()).unwrap_err();
        assert!(error.to_string().contains("ca.pem can't be used"), "{error}");
    }
}
