use axum::http::Request;
use gambeson_api::Problem;
use tower::ServiceExt;

use super::*;

static FILES: &[File] = &[
    File { name: "assets/app-1.css", plain: b"a{}", gzip: None, brotli: None },
    File { name: "assets/app-1.js", plain: b"plain", gzip: Some(b"gz"), brotli: Some(b"br") },
    File { name: "index.html", plain: b"<!doctype html>", gzip: Some(b"index gz"), brotli: None },
];

async fn ask(files: &'static [File], path: &str, headers: &[(&str, &str)]) -> (Response, Vec<u8>) {
    let router = crate::routes::finished(routes::<()>(files), crate::envelope::Envelope::default());
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, body) = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec();
    (Response::from_parts(head, Body::empty()), body)
}

fn text<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn every_answer_of_the_console_tells_the_browser_to_load_nothing_of_others() {
    for files in [FILES, &[]] {
        for path in
            ["/console", "/console/", "/console/jobs/job_1?x=1", "/console/assets/app-1.js", "/console/assets/no.js"]
        {
            let (response, _) = ask(files, path, &[]).await;
            let policy = text(&response, "content-security-policy");
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
            assert!(!policy.contains("inline") && !policy.contains("eval"), "{policy}");
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "same-origin"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(text(&response, name), value, "{path}");
            }
            assert!(text(&response, "permissions-policy").contains("camera=()"));
        }
    }
}

#[tokio::test]
async fn a_route_is_the_page_and_an_asset_is_itself() {
    for path in ["/console/", "/console/jobs", "/console/jobs/job_1?tab=log", "/console/index.html", "/console/.."] {
        let (response, body) = ask(FILES, path, &[]).await;
        assert_eq!((response.status(), body.as_slice()), (StatusCode::OK, &b"<!doctype html>"[..]), "{path}");
        assert_eq!(text(&response, "content-type"), "text/html; charset=utf-8");
        assert_eq!(text(&response, "cache-control"), "no-cache");
    }
    let (response, body) = ask(FILES, "/console/assets/app-1.js", &[]).await;
    assert_eq!(body, b"plain");
    assert_eq!(text(&response, "content-type"), "text/javascript; charset=utf-8");
    assert_eq!(text(&response, "cache-control"), "public, max-age=31536000, immutable");
    let (response, _) = ask(FILES, "/console", &[]).await;
    assert_eq!((response.status(), text(&response, "location")), (StatusCode::PERMANENT_REDIRECT, "/console/"));
}

#[tokio::test]
async fn no_path_leads_to_anything_but_the_files_of_the_table() {
    for path in [
        "/console/assets/../index.html",
        "/console/assets/../../../../etc/passwd",
        "/console/assets/%2e%2e/%2e%2e/etc/passwd",
        "/console/assets/..%2f..%2fetc/passwd",
        "/console/assets//etc/passwd",
        "/console/assets/app-1.js/",
        "/console/assets/app-1.js%00.css",
        "/console/assets/APP-1.js",
    ] {
        let (response, body) = ask(FILES, path, &[]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem.code, Code::NoRoute);
        assert_eq!(text(&response, "cache-control"), "no-store");
    }
    let (response, _) = ask(FILES, "/console/assets/app-1.js", &[]).await;
    assert_eq!(response.status(), StatusCode::OK, "the control");
}

#[tokio::test]
async fn the_smallest_form_that_the_client_takes_is_sent_and_once_only() {
    for (accepts, encoding, body) in [
        ("gzip, deflate, br, zstd", "br", "br"),
        ("gzip;q=0.5", "gzip", "gz"),
        ("br;q=0, gzip", "gzip", "gz"),
        ("BR", "br", "br"),
        ("identity", "", "plain"),
        ("brotli", "", "plain"),
        ("*", "", "plain"),
    ] {
        let (response, sent) = ask(FILES, "/console/assets/app-1.js", &[("accept-encoding", accepts)]).await;
        assert_eq!((text(&response, "content-encoding"), sent.as_slice()), (encoding, body.as_bytes()), "{accepts}");
        assert_eq!(text(&response, "vary"), "accept-encoding");
        let tag = text(&response, "etag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}")] {
            let headers = [("accept-encoding", accepts), ("if-none-match", &known)];
            let (response, sent) = ask(FILES, "/console/assets/app-1.js", &headers).await;
            assert_eq!((response.status(), sent.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
            assert!(text(&response, "content-security-policy").contains("script-src 'self'"));
        }
        let other = [("accept-encoding", accepts), ("if-none-match", "\"other\"")];
        assert_eq!(ask(FILES, "/console/assets/app-1.js", &other).await.0.status(), StatusCode::OK);
    }
    let (response, sent) = ask(FILES, "/console/", &[("accept-encoding", "br")]).await;
    assert_eq!((text(&response, "content-encoding"), sent.as_slice()), ("", &b"<!doctype html>"[..]));
}

#[tokio::test]
async fn a_binary_without_the_console_says_how_to_get_it() {
    for path in ["/console/", "/console/jobs"] {
        let (response, body) = ask(&[], path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(&response, "cache-control"), "no-store");
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains("cargo xtask web") && body.contains("Node 20"), "{body}");
        // The policy lets it have neither, so that it needs neither.
        assert!(!body.contains("<script") && !body.contains("<style"));
    }
}

#[test]
fn a_browser_wants_a_page_and_a_program_does_not() {
    let wants = |accept: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        wants_a_page(&headers)
    };
    assert!(wants("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
    assert!(wants("application/json, text/html;q=0.1"));
    assert!(!wants("*/*") && !wants("application/json") && !wants("text/htmlx"));
    assert!(!wants_a_page(&HeaderMap::new()));
}

#[test]
fn what_is_built_in_is_whole() {
    // Of a build without web/dist there is nothing to look at.
    let index = built_in().iter().find(|file| file.name == "index.html");
    assert_eq!(index.is_some(), is_built_in());
    let Some(index) = index else { return };
    let html = std::str::from_utf8(index.plain).unwrap();
    for part in html.split('"').filter(|part| part.starts_with("/console/assets/")) {
        let name = part.trim_start_matches("/console/");
        let file = built_in().iter().find(|file| file.name == name);
        assert!(file.is_some(), "index.html names {name}");
        assert_ne!(media_type(name), "application/octet-stream", "{name}");
    }
    // The policy forbids what is written into the page itself.
    assert!(!html.contains("<style") && !html.contains(" style=") && !html.contains("onclick"));
}
