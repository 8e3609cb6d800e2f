//! Browsers that are signed in, over the whole HTTP interface. What must be refused stands beside what must not be.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use gambeson_api::{Problem, Session};
use gambeson_control::{Clock, Config, Control};
use gambeson_server::{Options, router};
use serde_json::{Value, json};
use tower::ServiceExt;

struct Platform {
    _dir: tempfile::TempDir,
    control: Control,
    router: Router,
    key: String,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn code(&self) -> String {
        assert!(!self.status.is_success(), "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice::<Problem>(&self.body).unwrap().code.to_string()
    }

    fn session(&self) -> Session {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{} {error}", self.status))
    }

    /// The cookie that it sets, as a browser would send it.
    fn cookie(&self) -> String {
        self.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    }
}

/// A browser that is signed in.
struct Browser {
    cookie: String,
    csrf: String,
}

impl Browser {
    fn of(answer: &Answer) -> Browser {
        assert_eq!(answer.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&answer.body));
        Browser { cookie: answer.cookie(), csrf: answer.session().csrf }
    }
}

fn platform() -> Platform {
    let dir = tempfile::tempdir().unwrap();
    let opened = Control::open(Config::new(dir.path().join("data")), Clock::System).unwrap();
    let key = opened.setup_key.expect("the first start");
    let router = router(opened.control.clone(), &Options::default());
    Platform { router, control: opened.control, key, _dir: dir }
}

impl Platform {
    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:7373");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: head.status, headers: head.headers, body }
    }

    async fn sign_in_with(&self, key: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("POST", "/v1/session", headers, Some(&json!({ "key": key }))).await
    }

    async fn sign_in(&self) -> Browser {
        let ours = [("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:7373")];
        Browser::of(&self.sign_in_with(&self.key, &ours).await)
    }

    /// As a page of the console asks.
    async fn page(&self, browser: &Browser, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let headers =
            [("cookie", browser.cookie.as_str()), ("x-csrf-token", &browser.csrf), ("sec-fetch-site", "same-origin")];
        self.ask(method, path, &headers, body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_signs_in_reads_changes_something_and_signs_out() {
    let platform = platform();
    let signed_in = platform.sign_in_with(&platform.key, &[("origin", "http://127.0.0.1:7373")]).await;
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("gambeson_session=gms_"), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/"), "{cookie}");
    assert_eq!(signed_in.headers["cache-control"], "no-store");
    let body = String::from_utf8_lossy(&signed_in.body);
    assert!(!body.contains(&platform.key) && !body.contains("gms_"), "pages learn neither key nor token: {body}");

    let browser = Browser::of(&signed_in);
    let read = platform.page(&browser, "GET", "/v1/session", None).await.session();
    assert_eq!((read.csrf.as_str(), read.who.user.name.as_str()), (browser.csrf.as_str(), "owner"));
    let made = platform.page(&browser, "POST", "/v1/projects", Some(&json!({ "name": "physics" }))).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let submission = json!({ "files": { "main.py": "print(1)" }, "project": "physics" });
    let submitted = platform.page(&browser, "POST", "/v1/jobs", Some(&submission)).await;
    let job: Value = serde_json::from_slice(&submitted.body).unwrap();
    let events = format!("/v1/jobs/{}/events?follow=false", job["id"].as_str().unwrap());
    let events = platform.page(&browser, "GET", &events, None).await;
    assert_eq!(events.headers["content-type"], "text/event-stream");

    let gone = platform.page(&browser, "DELETE", "/v1/session", None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let cleared: Vec<_> = gone.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(cleared.len(), 2);
    assert!(cleared.iter().all(|cookie| cookie.contains("session=;") && cookie.ends_with("Max-Age=0")), "{cleared:?}");
    assert_eq!(platform.page(&browser, "GET", "/v1/whoami", None).await.code(), "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_something_is_refused_without_the_sessions_token() {
    let platform = platform();
    let (browser, other) = (platform.sign_in().await, platform.sign_in().await);
    let project = json!({ "name": "physics" });
    let with = |token: Option<&str>| {
        let mut headers = vec![("cookie", browser.cookie.clone())];
        headers.extend(token.map(|token| ("x-csrf-token", token.to_owned())));
        let (platform, project) = (&platform, &project);
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            platform.ask("POST", "/v1/projects", &headers, Some(project)).await
        }
    };
    for bad in [None, Some(""), Some("x"), Some(other.csrf.as_str())] {
        assert_eq!(with(bad).await.code(), "csrf_failed", "{bad:?}");
    }
    let twice = [("cookie", browser.cookie.as_str()), ("x-csrf-token", &browser.csrf), ("x-csrf-token", &browser.csrf)];
    assert_eq!(platform.ask("POST", "/v1/projects", &twice, Some(&project)).await.code(), "csrf_failed");
    for (method, path) in [("PATCH", "/v1/projects/default"), ("PUT", "/v1/blobs/x"), ("DELETE", "/v1/session")] {
        let alone = [("cookie", browser.cookie.as_str())];
        assert_eq!(platform.ask(method, path, &alone, None).await.code(), "csrf_failed", "{method} {path}");
    }
    assert_eq!(platform.ask("GET", "/v1/whoami", &[("cookie", &browser.cookie)], None).await.status, StatusCode::OK);
    assert_eq!(with(Some(&browser.csrf)).await.status, StatusCode::CREATED, "the control");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_sites_page_asks_for_is_refused_even_with_cookie_and_token() {
    let platform = platform();
    let browser = platform.sign_in().await;
    let from = |site: Vec<(&'static str, &'static str)>| {
        let mut headers = vec![("cookie", browser.cookie.as_str()), ("x-csrf-token", browser.csrf.as_str())];
        headers.extend(site);
        let platform = &platform;
        async move { platform.ask("GET", "/v1/whoami", &headers, None).await }
    };
    for site in ["cross-site", "same-site", "none"] {
        assert_eq!(from(vec![("sec-fetch-site", site)]).await.code(), "csrf_failed", "{site}");
    }
    for origin in ["https://evil.example", "null", "http://127.0.0.1:80"] {
        assert_eq!(from(vec![("origin", origin)]).await.code(), "csrf_failed", "{origin}");
    }
    assert_eq!(from(vec![("sec-fetch-site", "same-origin")]).await.status, StatusCode::OK, "the control");
    assert_eq!(from(vec![]).await.status, StatusCode::OK, "an older browser says nothing when it reads");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_in_by_another_sites_page() {
    let platform = platform();
    for bad in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:7373")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        let answer = platform.sign_in_with(&platform.key, bad).await;
        assert_eq!(answer.code(), "csrf_failed", "{bad:?}");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    // A form of another site can send these without asking, JSON not.
    let key = json!({ "key": platform.key }).to_string();
    for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let request = Request::post("/v1/session").header("content-type", media).body(Body::from(key.clone())).unwrap();
        let answer = platform.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{media}");
    }
    assert_eq!(platform.sign_in_with(&platform.key, &[]).await.status, StatusCode::CREATED, "the control");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_there_before_signing_in_is_never_the_sessions() {
    let platform = platform();
    let planted = format!("gambeson_session=gms_{}", "0".repeat(64));
    let signed_in = platform.sign_in_with(&platform.key, &[("cookie", &planted)]).await;
    let fresh = Browser::of(&signed_in);
    assert_ne!(fresh.cookie, planted);
    assert_eq!(platform.ask("GET", "/v1/whoami", &[("cookie", &planted)], None).await.code(), "unauthenticated");
    // Nor goes the session on that the browser had before.
    let again = Browser::of(&platform.sign_in_with(&platform.key, &[("cookie", &fresh.cookie)]).await);
    assert_ne!(again.cookie, fresh.cookie);
    assert_eq!(platform.page(&fresh, "GET", "/v1/whoami", None).await.code(), "unauthenticated");
    assert_eq!(platform.page(&again, "GET", "/v1/whoami", None).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_speaks_tls_has_the_cookie_kept_from_plain_connections() {
    let platform = platform();
    let signed_in = platform.sign_in_with(&platform.key, &[("origin", "https://127.0.0.1:7373")]).await;
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-gambeson_session=gms_") && cookie.ends_with("; Path=/; Secure"), "{cookie}");
    let browser = Browser::of(&signed_in);
    assert_eq!(platform.page(&browser, "GET", "/v1/whoami", None).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_cookies_or_broken_ones_are_none() {
    let platform = platform();
    let (one, two) = (platform.sign_in().await.cookie, platform.sign_in().await.cookie);
    for bad in [format!("{one}; {two}"), format!("{one}; {one}"), format!("{one}x"), one.replace('=', "=\"")] {
        let answer = platform.ask("GET", "/v1/whoami", &[("cookie", &bad)], None).await;
        assert_eq!(answer.code(), "unauthenticated", "{bad}");
    }
    let split = platform.ask("GET", "/v1/whoami", &[("cookie", &one), ("cookie", &two)], None).await;
    assert_eq!(split.code(), "unauthenticated");
    let beside = [("cookie", "theme=dark"), ("cookie", one.as_str())];
    assert_eq!(platform.ask("GET", "/v1/whoami", &beside, None).await.status, StatusCode::OK, "the control");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_authorization_header_the_cookie_says_nothing() {
    let platform = platform();
    let browser = platform.sign_in().await;
    let key = format!("Bearer {}", platform.key);
    for bad in ["Bearer gmb_1_2", "Basic eDp5", "Bearer", ""] {
        let headers = [("cookie", browser.cookie.as_str()), ("authorization", bad)];
        assert_eq!(platform.ask("GET", "/v1/whoami", &headers, None).await.code(), "unauthenticated", "{bad:?}");
    }
    // A program needs no token, and a session is nothing that it has.
    let headers = [("cookie", browser.cookie.as_str()), ("authorization", key.as_str())];
    let made = platform.ask("POST", "/v1/projects", &headers, Some(&json!({ "name": "physics" }))).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(platform.ask("GET", "/v1/session", &headers, None).await.code(), "unauthenticated");
    // And the token of a session is no key.
    let token = format!("Bearer {}", browser.cookie.split_once('=').unwrap().1);
    assert_eq!(platform.ask("GET", "/v1/whoami", &[("authorization", &token)], None).await.code(), "unauthenticated");
    // Nor is a key a session.
    let cookie = format!("gambeson_session={}", platform.key);
    assert_eq!(platform.ask("GET", "/v1/whoami", &[("cookie", &cookie)], None).await.code(), "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_workers_are_known_by_is_never_a_cookie() {
    let platform = platform();
    let browser = platform.sign_in().await;
    let lease = "/v1/worker/leases/lse_0192f0c1d2e37abc8def0123456789ab";
    for path in ["/v1/worker/enrol", "/v1/worker/leases", "/v1/worker/heartbeat", &format!("{lease}/settle")] {
        let answer = platform.page(&browser, "POST", path, Some(&json!({}))).await;
        assert_eq!(answer.code(), "unauthenticated", "{path}");
    }
    assert_eq!(platform.page(&browser, "GET", "/v1/workers", None).await.status, StatusCode::OK, "the control");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_over_with_its_key_and_its_user() {
    let platform = platform();
    let owner = platform.sign_in().await;
    let user = platform.page(&owner, "POST", "/v1/users", Some(&json!({ "name": "ada" }))).await;
    assert_eq!(user.status, StatusCode::CREATED);
    let new_key = json!({ "name": "k", "user": "ada", "scopes": ["*"] });
    let key = async || {
        let made = platform.page(&owner, "POST", "/v1/keys", Some(&new_key)).await;
        serde_json::from_slice::<Value>(&made.body).unwrap()
    };
    let (first, second) = (key().await, key().await);
    let of_first = Browser::of(&platform.sign_in_with(first["secret"].as_str().unwrap(), &[]).await);
    let of_second = Browser::of(&platform.sign_in_with(second["secret"].as_str().unwrap(), &[]).await);
    let revoke = format!("/v1/keys/{}/revoke", first["key"]["id"].as_str().unwrap());
    assert_eq!(platform.page(&owner, "POST", &revoke, None).await.status, StatusCode::OK);
    assert_eq!(platform.page(&of_first, "GET", "/v1/whoami", None).await.code(), "unauthenticated");
    assert_eq!(platform.page(&of_second, "GET", "/v1/whoami", None).await.status, StatusCode::OK, "the control");
    let disable = json!({ "disabled": true });
    assert_eq!(platform.page(&owner, "PATCH", "/v1/users/ada", Some(&disable)).await.status, StatusCode::OK);
    assert_eq!(platform.page(&of_second, "GET", "/v1/whoami", None).await.code(), "unauthenticated");
    platform.control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_led_to_the_console_and_a_program_is_told_in_text() {
    let platform = platform();
    let browser = platform.ask("GET", "/", &[("accept", "text/html,*/*;q=0.8")], None).await;
    assert_eq!((browser.status, browser.headers["location"].as_bytes()), (StatusCode::SEE_OTHER, &b"/console/"[..]));
    let program = platform.ask("GET", "/", &[("accept", "*/*")], None).await;
    assert!(String::from_utf8_lossy(&program.body).contains("/openapi.json"));
    let console = platform.ask("GET", "/console/", &[("accept", "text/html")], None).await;
    assert_eq!(console.status, StatusCode::OK);
    assert!(console.headers["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
    // What is no page of ours may do nothing where a browser shows it.
    for path in ["/v1/whoami", "/openapi.json", "/healthz", "/nowhere"] {
        let answer = platform.ask("GET", path, &[], None).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{path}: {policy}");
    }
}
