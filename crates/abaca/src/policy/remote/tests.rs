use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, http::StatusCode, response::IntoResponse as _, routing};
use serde_json::{Value, json};

use crate::policy::{Failure, Policy};

/// A service on a free loopback port that gives one answer and keeps what it was asked.
struct Service {
    address: std::net::SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    async fn start(status: StatusCode, answer: &'static str) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = asked.clone();
        let handler = move |body: Bytes| async move {
            kept.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
            (status, [("location", "/elsewhere")], answer).into_response()
        };
        let elsewhere = routing::any(|| async { "True" });
        let router = Router::new()
            .route("/check/{id}", routing::post(handler))
            .route("/elsewhere", elsewhere);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, asked }
    }

    async fn decide(&self, rule: &str) -> Result<bool, Failure> {
        decide(&rule.replace("SERVICE", &self.address.to_string())).await
    }
}

async fn decide(rule: &str) -> Result<bool, Failure> {
    let policy = Policy::from_rules(&json!({"share:get": rule})).unwrap();
    let target = json!({"id": "s 1", "project_id": "p"});
    policy
        .decide("share:get", credentials().as_object().unwrap(), target.as_object().unwrap())
        .await
}

fn credentials() -> Value {
    json!({"user_id": "u", "roles": ["reader"]})
}

const CHECK: &str = "http://SERVICE/check/%(id)s";

#[tokio::test]
async fn only_true_with_success_allows() {
    for (status, answer, expected) in [
        (StatusCode::OK, "True", Ok(true)),
        (StatusCode::OK, "\"True\"", Ok(true)),
        (StatusCode::OK, "true", Ok(false)),
        (StatusCode::OK, "False", Ok(false)),
        (StatusCode::OK, "", Ok(false)),
        (
            StatusCode::OK,
            "True True True True True True True True True True True True True True True True",
            Ok(false),
        ),
        (StatusCode::INTERNAL_SERVER_ERROR, "True", Err(())),
        (StatusCode::FOUND, "True", Err(())),
        (StatusCode::TEMPORARY_REDIRECT, "True", Err(())),
    ] {
        let service = Service::start(status, answer).await;
        assert_eq!(service.decide(CHECK).await.map_err(|_| ()), expected, "{status} {answer}");
        assert_eq!(service.asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_question_is_a_form_of_json() {
    let service = Service::start(StatusCode::OK, "True").await;
    assert_eq!(service.decide(&format!("rule:nowhere or {CHECK}")).await, Ok(true));
    let asked = service.asked.lock().unwrap().pop().unwrap();
    let field = |name: &str| -> Value {
        let url = reqwest::Url::parse(&format!("http://x/?{asked}")).unwrap();
        let text = url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(field("rule"), json!("share:get"));
    assert_eq!(field("target"), json!({"id": "s 1", "project_id": "p"}));
    assert_eq!(field("credentials")["roles"], json!(["reader"]));
    assert_eq!(field("credentials")["user_id"], json!("u"));
}

#[tokio::test]
async fn an_answer_is_asked_for_once_a_decision_and_only_when_it_matters() {
    let service = Service::start(StatusCode::OK, "False").await;
    assert_eq!(service.decide(&format!("{CHECK} or not {CHECK}")).await, Ok(true));
    assert_eq!(service.asked.lock().unwrap().len(), 1);
    assert_eq!(service.decide(&format!("role:reader or {CHECK}")).await, Ok(true));
    assert_eq!(service.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn no_answer_refuses_even_inside_a_not() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for rule in [
        format!("not http://{closed}/"),
        format!("not https://{closed}/"),
        "not http://%(gone)s/".to_owned(),
        "not http:nowhere".to_owned(),
    ] {
        assert!(decide(&rule).await.is_err(), "{rule}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_service_is_not_waited_for() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let started = tokio::time::Instant::now();
    let decision = decide(&format!("not http://{}/", silent.local_addr().unwrap())).await;
    assert!(matches!(decision, Err(Failure::Remote { .. })), "{decision:?}");
    assert!(started.elapsed() <= super::TIMEOUT + std::time::Duration::from_secs(1));
}

#[tokio::test]
async fn a_decision_asks_a_bounded_number_of_services() {
    let service = Service::start(StatusCode::OK, "False").await;
    let rule: Vec<String> =
        (0..40).map(|number| format!("http://SERVICE/check/{number}")).collect();
    assert!(service.decide(&rule.join(" or ")).await.is_err());
    assert_eq!(service.asked.lock().unwrap().len(), super::MAX_ASKED);
}
