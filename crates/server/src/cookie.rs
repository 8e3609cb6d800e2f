//! The cookie of a browser that is signed in, and how a request shows that a page of ours made it.
//!
//! Over TLS the cookie is `__Host-gambeson_session`: browsers take that name only from this very host, with `Secure` and for
//! all paths, so that a neighbour in the domain cannot put one there. Over plain HTTP, which is for the loopback, no
//! browser would take it, and the name is `gambeson_session`. Whether a browser speaks TLS it says itself, in the `Origin`
//! of its signing in: a proxy may stand before us. Where TLS is spoken, by us or before us, the one name alone counts.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use gambeson_api::Code;
use gambeson_control::Proof;

use crate::failure::{Answered, Failure};

const PLAIN: &str = "gambeson_session";
const OVER_TLS: &str = "__Host-gambeson_session";
static SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
static CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
/// Longer ones are none of ours.
const TOKEN_MOST: usize = 128;

/// Which names count here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    /// Whether we speak TLS ourselves.
    pub(crate) tls: bool,
}

/// By which name a cookie came or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    OverTls,
}

/// The session's token, as a cookie brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) kind: Kind,
    pub(crate) token: String,
}

impl Cookies {
    /// The session that a request shows. Two of one name are as good as none: a browser and we might choose differently.
    pub(crate) fn shown(self, headers: &HeaderMap) -> Option<Shown> {
        let kinds: &[Kind] =
            if self.tls || is_over_tls(headers) { &[Kind::OverTls] } else { &[Kind::OverTls, Kind::Plain] };
        for kind in kinds {
            let given = headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
            let mut tokens = given.filter_map(|pair| {
                let pair = pair.trim_ascii();
                let (name, value) = pair.split_at(pair.iter().position(|byte| *byte == b'=')?);
                (name == kind.name().as_bytes()).then_some(&value[1..])
            });
            match (tokens.next(), tokens.next()) {
                (None, _) => {}
                (Some(token), None) => {
                    let token = std::str::from_utf8(token).ok()?;
                    let plain = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                    let good = plain && (1..=TOKEN_MOST).contains(&token.len());
                    return good.then(|| Shown { kind: *kind, token: token.to_owned() });
                }
                (Some(_), Some(_)) => return None,
            }
        }
        None
    }

    /// By which name the browser that signs in keeps its session.
    pub(crate) fn kind_for(self, headers: &HeaderMap) -> Kind {
        let says_tls = one(headers, &ORIGIN).is_some_and(|origin| origin.starts_with("https://"));
        if self.tls || says_tls { Kind::OverTls } else { Kind::Plain }
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Plain => PLAIN,
            Kind::OverTls => OVER_TLS,
        }
    }

    fn attributes(self) -> &'static str {
        match self {
            Kind::Plain => "HttpOnly; SameSite=Strict; Path=/",
            Kind::OverTls => "HttpOnly; SameSite=Strict; Path=/; Secure",
        }
    }

    /// Has the browser keep a token, until it is closed or the session is over.
    pub(crate) fn set(self, token: &str) -> String {
        format!("{}={token}; {}", self.name(), self.attributes())
    }

    /// Has the browser forget it.
    pub(crate) fn clear(self) -> String {
        format!("{}=; {}; Max-Age=0", self.name(), self.attributes())
    }
}

/// The value of a header that stands there once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut given = headers.get_all(name).iter();
    let (Some(only), None) = (given.next(), given.next()) else { return None };
    HeaderValue::to_str(only).ok()
}

/// Whether a browser reached us over TLS, though we do not speak it: it says whose page made a request only to addresses that it
/// trusts, and of those the loopback alone needs no TLS. (A proxy that calls itself the loopback hides that.)
fn is_over_tls(headers: &HeaderMap) -> bool {
    let Some(host) = one(headers, &HOST) else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    let loopback = name == "localhost" || name.ends_with(".localhost") || name == "[::1]" || {
        name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    };
    headers.contains_key(&SITE) && !loopback
}

/// Whether a request may be of a page of ours. Browsers say whose page made it (Fetch Metadata); to a plain address that is
/// not the loopback they say only, where it matters, at which origin that page is. What says neither is no browser.
fn is_ours(parts: &Parts) -> bool {
    let headers = &parts.headers;
    if headers.contains_key(&SITE) {
        return one(headers, &SITE) == Some("same-origin");
    }
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    let host = parts.uri.authority().map(|authority| authority.as_str()).or_else(|| one(headers, &HOST));
    let origin = one(headers, &ORIGIN).and_then(|origin| Some(origin.split_once("://")?.1));
    matches!((origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
}

/// Refuses what a page of somebody else's made.
pub(crate) fn of_ours(parts: &Parts) -> Answered<()> {
    if is_ours(parts) {
        return Ok(());
    }
    Err(Failure::new(Code::CsrfFailed, "the browser says that another site's page, or none, made the request"))
}

/// What a request shows beside its cookie.
pub(crate) fn proof(parts: &Parts) -> Proof<'_> {
    match parts.method {
        Method::GET | Method::HEAD => Proof::Reads,
        _ => Proof::Changes(one(&parts.headers, &CSRF)),
    }
}

/// That a request may be of a page of ours, and what it came with: for signing in, which no session protects yet.
#[derive(Debug)]
pub(crate) struct FromOurs {
    pub(crate) kind: Kind,
    pub(crate) before: Option<Shown>,
}

impl<S: Sync> FromRequestParts<S> for FromOurs
where
    Cookies: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<FromOurs, Failure> {
        of_ours(parts)?;
        let cookies = Cookies::from_ref(state);
        Ok(FromOurs { kind: cookies.kind_for(&parts.headers), before: cookies.shown(&parts.headers) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn headers(values: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    fn shown(tls: bool, cookies: &[&str]) -> Option<String> {
        let cookies: Vec<_> = cookies.iter().map(|value| ("cookie", *value)).collect();
        Cookies { tls }.shown(&headers(&cookies)).map(|shown| shown.token)
    }

    #[test]
    fn only_one_well_formed_cookie_of_the_right_name_counts() {
        let is = |cookies: &[&str]| shown(false, cookies);
        for good in [
            &["gambeson_session=gms_1"][..],
            &["a=b; gambeson_session=gms_1;x"],
            &["theme=dark", "gambeson_session=gms_1"],
            &["__Host-gambeson_session=gms_1; gambeson_session=other"],
        ] {
            assert_eq!(is(good).as_deref(), Some("gms_1"), "{good:?}");
        }
        let long = format!("gambeson_session={}", "a".repeat(129));
        for bad in [
            &[][..],
            &["gambeson_session"],
            &["gambeson_session="],
            &["Gambeson_session=gms_1"],
            &["xgambeson_session=gms_1"],
            &["gambeson_session=\"gms_1\""],
            &["gambeson_session=gms 1"],
            &["gambeson_session=gms_\u{e9}"],
            &[&long],
            &["gambeson_session=gms_1; gambeson_session=gms_1"],
            &["gambeson_session=gms_1", "gambeson_session=gms_2"],
            &["__Host-gambeson_session=a; __Host-gambeson_session=b; gambeson_session=gms_1"],
        ] {
            assert_eq!(is(bad), None, "{bad:?}");
        }
        // Whoever can write cookies for the whole domain cannot write this name.
        assert_eq!(shown(true, &["gambeson_session=gms_1"]), None);
        assert_eq!(shown(true, &["__Host-gambeson_session=gms_1"]).as_deref(), Some("gms_1"));
    }

    #[test]
    fn where_a_proxy_speaks_tls_a_neighbour_in_the_domain_cannot_sign_a_browser_in() {
        let shown = |host: &str, site: Option<&str>, cookie: &str| {
            let mut values = vec![("host", host), ("cookie", cookie)];
            values.extend(site.map(|site| ("sec-fetch-site", site)));
            Cookies { tls: false }.shown(&headers(&values)).map(|shown| shown.token)
        };
        let planted = "gambeson_session=gms_of_somebody_else";
        for host in [
            "gambeson.example",
            "gambeson.example:8443",
            "127.0.0.1.example",
            "10.0.0.1",
            "[fd00::1]:443",
            "localhost.example",
        ] {
            assert_eq!(shown(host, Some("same-origin"), planted), None, "{host}");
            assert_eq!(shown(host, Some("same-origin"), "__Host-gambeson_session=gms_1").as_deref(), Some("gms_1"));
            // Over plain HTTP browsers do not say, and there is no other name.
            assert!(shown(host, None, planted).is_some(), "{host}");
        }
        for host in
            ["127.0.0.1:7373", "127.0.0.2", "localhost:7373", "localhost", "demo.localhost", "[::1]:7373", "[::1]"]
        {
            assert!(shown(host, Some("same-origin"), planted).is_some(), "{host}");
        }
    }

    #[test]
    fn a_cookie_is_for_no_script_no_other_site_and_over_tls_for_nothing_else() {
        assert_eq!(Kind::Plain.set("t"), "gambeson_session=t; HttpOnly; SameSite=Strict; Path=/");
        assert_eq!(Kind::OverTls.set("t"), "__Host-gambeson_session=t; HttpOnly; SameSite=Strict; Path=/; Secure");
        assert!(Kind::Plain.clear().ends_with("; Max-Age=0"));
        let kind = |tls, origin| Cookies { tls }.kind_for(&headers(&[("origin", origin)]));
        assert_eq!(kind(false, "http://127.0.0.1:7373"), Kind::Plain);
        assert_eq!(kind(false, "https://gambeson.example"), Kind::OverTls, "a proxy speaks TLS for us");
        assert_eq!(kind(true, "http://127.0.0.1:7373"), Kind::OverTls);
    }

    #[test]
    fn what_another_sites_page_makes_is_not_ours() {
        let ours = |values: &[(&'static str, &str)]| {
            let mut request = Request::new(());
            *request.headers_mut() = headers(values);
            request.headers_mut().append("host", HeaderValue::from_static("here.example:7373"));
            is_ours(&request.into_parts().0)
        };
        for good in [
            &[][..],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://renamed.by.a.proxy")],
            &[("origin", "http://here.example:7373")],
        ] {
            assert!(ours(good), "{good:?}");
        }
        for bad in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "cross-site"), ("origin", "http://here.example:7373")],
            &[("origin", "null")],
            &[("origin", "http://evil.example")],
            &[("origin", "http://here.example")],
            &[("origin", "http://here.example:7373"), ("origin", "http://here.example:7373")],
        ] {
            assert!(!ours(bad), "{bad:?}");
        }
    }
}
