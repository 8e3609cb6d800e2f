//! One server, one token.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Once;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `http://…` or `https://…`, without a trailing slash.
    Url(String),
    /// `unix:/path/of/socket`.
    Socket(PathBuf),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return if path.is_absolute() {
                Ok(Target::Socket(path))
            } else {
                Err(format!("{text:?} is no server: a socket's path begins with a slash"))
            };
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            return Ok(Target::Url(text.trim_end_matches('/').to_owned()));
        }
        Err(format!("{text:?} is no server; write http://HOST:PORT, https://HOST, or unix:/PATH"))
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Url(url) => f.write_str(url),
            Target::Socket(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Why an answer did not come, or was no good one.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server refused, and said why.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The server cannot be reached, or the connection broke. Trying again may help.
    #[error("failed to reach {server}")]
    Unreachable {
        /// Which.
        server: String,
        /// What the network said.
        source: reqwest::Error,
    },
    /// The answer makes no sense: something else listens there, or a far newer server.
    #[error("{server} answered {status} with something that is no answer of Gambeson: {why}")]
    Nonsense {
        /// Which.
        server: String,
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        why: String,
    },
    /// The connection could not be set up at all.
    #[error("{0}")]
    Setup(String),
}

impl ClientError {
    /// The problem's code, if the server said one.
    pub fn code(&self) -> Option<Code> {
        match self {
            ClientError::Problem(problem) => Some(problem.code),
            _ => None,
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            ClientError::Unreachable { .. } => true,
            ClientError::Problem(problem) => matches!(problem.status, 408 | 429 | 500..),
            ClientError::Nonsense { status, .. } => *status >= 500,
            ClientError::Setup(_) => false,
        }
    }
}

/// One server, one token. Cheap to clone; connections are kept and shared.
#[derive(Debug, Clone)]
pub struct Connection {
    http: reqwest::Client,
    base: String,
    target: Target,
    token: Option<String>,
}

impl Connection {
    /// `ca` is a file of certificates (PEM) to trust beside the built-in ones. Nothing is sent yet.
    ///
    /// # Errors
    /// When the certificates cannot be read.
    pub fn new(target: Target, token: Option<String>, ca: Option<&Path>) -> Result<Connection, ClientError> {
        static RING: Once = Once::new();
        RING.call_once(|| {
            // A second provider that somebody installed before us serves as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("gambeson/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        let base = match &target {
            Target::Url(url) => url.clone(),
            Target::Socket(path) => {
                builder = builder.unix_socket(path.clone());
                // The host is not looked at: the socket is the server.
                "http://gambeson".to_owned()
            }
        };
        let setup = |what: String| move |error: &dyn std::fmt::Display| ClientError::Setup(format!("{what}: {error}"));
        if let Some(ca) = ca {
            let said = setup(format!("the certificates in {}", ca.display()));
            let pem = std::fs::read(ca).map_err(|error| said(&error))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| said(&error))?;
            builder = builder.tls_certs_merge(certificates);
        }
        let http = builder.build().map_err(|error| setup("the client".into())(&error))?;
        Ok(Connection { http, base, target, token })
    }

    /// The same server with another token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Connection {
        Connection { token: Some(token.into()), ..self.clone() }
    }

    /// Which server.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// A request to `path`, which begins with a slash, with the token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request; an answer that is no success is decoded as a problem.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|source| self.unreachable(source))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let bytes = response.bytes().await.map_err(|source| self.unreachable(source))?;
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Err(ClientError::Problem(Box::new(problem))),
            Err(_) => Err(self.nonsense(status, String::from_utf8_lossy(&bytes).chars().take(200).collect())),
        }
    }

    /// Sends a request and decodes the answer's JSON.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let response = self.send(request).await?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|source| self.unreachable(source))?;
        serde_json::from_slice(&bytes).map_err(|error| self.nonsense(status, error.to_string()))
    }

    /// `GET path`.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.answer(self.request(Method::GET, path)).await
    }

    /// `POST path` with a JSON body.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        self.answer(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) fn unreachable(&self, source: reqwest::Error) -> ClientError {
        ClientError::Unreachable { server: self.target.to_string(), source: source.without_url() }
    }

    fn nonsense(&self, status: StatusCode, why: String) -> ClientError {
        ClientError::Nonsense { server: self.target.to_string(), status: status.as_u16(), why }
    }
}
