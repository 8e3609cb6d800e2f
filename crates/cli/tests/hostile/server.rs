//! The real binary with little patience, and what holds for everything that it answers.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use gambeson_testkit::Platform;
use serde_json::Value;

use super::http::{Answer, ask, raw};

/// Both timeouts of the server, and what may be added to them on a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(1);
pub const BUSY: Duration = Duration::from_secs(4);

/// The server that is attacked.
pub struct Server {
    pub platform: Platform,
    pub at: SocketAddr,
}

impl Server {
    pub fn start() -> Server {
        let platform = Platform::serve(
            Path::new(env!("CARGO_BIN_EXE_gambeson")),
            &[
                "--set",
                "server.header_timeout=1s",
                "--set",
                "server.body_timeout=1s",
                "--set",
                "server.body_max=64K",
                "--set",
                "server.blob_max=64K",
                "--set",
                "server.rate_per_key=100000",
                "--set",
                "server.rate_burst=100000",
                // All the connections of these tests come from one address.
                "--set",
                "server.connections_per_address=100000",
            ],
        );
        let at = platform.url.trim_start_matches("http://").parse().expect("an address");
        Server { platform, at }
    }

    /// With the owner's key.
    pub fn ask(&self, method: &str, path: &str, body: Option<(&str, &[u8])>) -> Answer {
        let answer = ask(self.at, method, path, Some(&self.platform.key), body);
        self.check(&format!("{method} {path}"), &answer);
        answer
    }

    pub fn json(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask(method, path, Some(("application/json", body.as_bytes())))
    }

    /// What goes before a hand-made rest: a request line, our host and the owner's key.
    pub fn head(&self, line: &str) -> String {
        format!("{line} HTTP/1.1\r\nHost: walk\r\nAuthorization: Bearer {}\r\n", self.platform.key)
    }

    /// Sends bytes as they are, and holds the answer to what every answer must be.
    pub fn raw(&self, what: &str, bytes: &[u8]) -> Option<Answer> {
        let answer = Answer::of(&raw(self.at, bytes));
        if let Some(answer) = &answer {
            self.check(what, answer);
        }
        self.lives(what);
        answer
    }

    pub fn check(&self, what: &str, answer: &Answer) {
        assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.text());
        if answer.status < 400 {
            return;
        }
        // What is no HTTP is refused by hyper, before any of our words: a status and no body.
        if answer.body.is_empty() {
            assert!(matches!(answer.status, 400 | 414 | 431), "{what}: {answer:?}");
            return;
        }
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}: {answer:?}");
        let problem = answer.json();
        let code = problem["code"].as_str().unwrap_or_default();
        let known = gambeson_api::Code::ALL.iter().find(|known| known.as_str() == code);
        assert_eq!(known.map(|known| known.status()), Some(answer.status), "{what}: {problem}");
        assert_eq!(problem["status"], answer.status, "{what}: {problem}");
        let said = problem["detail"].as_str().unwrap_or_default();
        for ours in [
            "::",
            "gambeson_",
            "serde",
            "struct ",
            "sqlite",
            "SQL",
            "SELECT",
            "UNIQUE",
            "panicked",
            ".rs",
            "/tmp/",
            "/root/",
        ] {
            assert!(!said.contains(ours), "{what}: {said}");
        }
        let words: Vec<&str> = said.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        for ours in ["u8", "u16", "u32", "u64", "usize", "i32", "i64", "f64", "str", "Vec", "Option"] {
            assert!(!words.contains(&ours), "{what}: {said}");
        }
        assert!(said.len() <= 4096, "{what}: {} bytes of words", said.len());
        assert!(!said.chars().any(char::is_control), "{what}: {said:?}");
    }

    /// Others are answered, at once.
    pub fn lives(&self, after: &str) {
        let began = Instant::now();
        let answer = ask(self.at, "GET", "/healthz", None, None);
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok\n"), "after {after}");
        assert!(began.elapsed() < TIMEOUT, "after {after} /healthz took {:?}", began.elapsed());
    }

    /// It failed in nothing, and says so in its log too.
    pub fn end(mut self) {
        self.lives("all");
        let said = self.platform.process.said();
        assert!(!said.contains("panicked") && !said.contains("ERROR"), "{said}");
        assert!(self.platform.process.wait(Duration::ZERO).is_none(), "it ended: {said}");
    }
}

pub fn code(answer: &Answer) -> (u16, String) {
    let code = if answer.body.is_empty() { Value::Null } else { answer.json()["code"].clone() };
    (answer.status, code.as_str().unwrap_or_default().to_owned())
}

pub fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
