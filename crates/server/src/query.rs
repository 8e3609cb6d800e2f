//! The query of an address: read strictly, each parameter once, and none that nobody knows.

use std::convert::Infallible;
use std::str::FromStr;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use gambeson_api::{Code, duration_ms};

use crate::failure::{Answered, Failure, quoted};

/// The longest value, bytes.
const VALUE_MOST: usize = 1024;
/// The most parameters.
const PARAMETERS_MOST: usize = 32;
/// The longest that an answer may be waited for.
const WAIT_MOST: Duration = Duration::from_secs(60);

fn invalid(detail: impl Into<String>) -> Failure {
    Failure::new(Code::InvalidQuery, detail)
}

/// The parameters of a query, taken out one by one.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

/// What a route reads from its query.
pub(crate) trait FromQuery: Sized {
    /// Takes what it knows; what is left over is refused afterwards.
    fn from_query(parameters: &mut Parameters) -> Answered<Self>;
}

/// For routes that know no parameters.
#[derive(Debug)]
pub(crate) struct NoParameters;

impl FromQuery for NoParameters {
    fn from_query(_: &mut Parameters) -> Answered<NoParameters> {
        Ok(NoParameters)
    }
}

/// Extracts a query.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: FromQuery, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query<T>, Failure> {
        read(parts.uri.query().unwrap_or_default()).map(Query)
    }
}

fn read<T: FromQuery>(query: &str) -> Answered<T> {
    let mut parameters = Parameters::split(query)?;
    let value = T::from_query(&mut parameters)?;
    match parameters.0.first() {
        None => Ok(value),
        Some((name, _)) => Err(invalid(format!("there is no parameter {} here", quoted(name)))),
    }
}

impl Parameters {
    fn split(query: &str) -> Answered<Parameters> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if value.len() > VALUE_MOST {
                let name = quoted(&name);
                return Err(invalid(format!("the value of {name} is longer than {VALUE_MOST} bytes")));
            }
            if parameters.len() == PARAMETERS_MOST {
                return Err(invalid(format!("there are more than {PARAMETERS_MOST} parameters")));
            }
            if parameters.iter().any(|(other, _)| *other == name) {
                return Err(invalid(format!("the parameter {} stands there twice", quoted(&name))));
            }
            parameters.push((name, value));
        }
        Ok(Parameters(parameters))
    }

    /// A text, as it is.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.swap_remove(place).1)
    }

    /// A value of a type that reads itself; `how` says how it is written.
    pub(crate) fn parsed<T: FromStr>(&mut self, name: &str, how: &str) -> Answered<Option<T>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid(format!("{name} is {}; write {how}", quoted(&text))))
    }

    /// One of some words.
    pub(crate) fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Answered<Option<T>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let known = words.iter().find(|(word, _)| *word == text);
        known.map(|(_, value)| Some(*value)).ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            invalid(format!("{name} is {}; write one of {}", quoted(&text), words.join(", ")))
        })
    }

    /// A whole number within a range.
    pub(crate) fn number(&mut self, name: &str, least: u64, most: u64) -> Answered<Option<u64>> {
        let how = format!("a whole number from {least} to {most}");
        let Some(text) = self.text(name) else { return Ok(None) };
        // A sign is no digit, though `parse` would take one.
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| plain && (least..=most).contains(number));
        number.map(Some).ok_or_else(|| invalid(format!("{name} is {}; write {how}", quoted(&text))))
    }

    /// `wait`: how long the client waits for an answer, zero when left out.
    pub(crate) fn wait(&mut self) -> Answered<Duration> {
        let Some(text) = self.text("wait") else { return Ok(Duration::ZERO) };
        let wait = duration_ms("wait", &text).map(Duration::from_millis).map_err(|error| invalid(error.to_string()))?;
        if wait > WAIT_MOST {
            return Err(invalid(format!("wait is {}; at most 60s, then ask again", quoted(&text))));
        }
        Ok(wait)
    }
}

/// Undoes percent-encoding, strictly: what is no text is refused, control characters too.
fn decoded(text: &str) -> Answered<String> {
    let bad = || invalid(format!("{} is not percent-encoded UTF-8", quoted(text)));
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).map(|digit| digit as u8);
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'%' => {
                let (high, low) = (digit(bytes.get(at + 1)), digit(bytes.get(at + 2)));
                plain.push(high.zip(low).map(|(high, low)| high << 4 | low).ok_or_else(bad)?);
                at += 3;
                continue;
            }
            b'+' => plain.push(b' '),
            byte => plain.push(byte),
        }
        at += 1;
    }
    let plain = String::from_utf8(plain).map_err(|_| bad())?;
    if plain.chars().any(char::is_control) {
        return Err(invalid(format!("{} has control characters", quoted(text))));
    }
    Ok(plain)
}

impl From<Infallible> for Failure {
    fn from(never: Infallible) -> Failure {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Some4 {
        wait: Duration,
        limit: Option<u64>,
        follow: Option<bool>,
        label: Option<String>,
    }

    impl FromQuery for Some4 {
        fn from_query(parameters: &mut Parameters) -> Answered<Some4> {
            Ok(Some4 {
                wait: parameters.wait()?,
                limit: parameters.number("limit", 1, 1000)?,
                follow: parameters.word("follow", &[("true", true), ("false", false)])?,
                label: parameters.text("label"),
            })
        }
    }

    #[test]
    fn a_query_is_read_as_it_was_meant() {
        let read = read::<Some4>("label=a%3Db+%C3%A9&wait=500ms&limit=7&follow=false").unwrap();
        let label = Some("a=b é".to_owned());
        assert_eq!(read, Some4 { wait: Duration::from_millis(500), limit: Some(7), follow: Some(false), label });
        assert_eq!(super::read::<Some4>("").unwrap().wait, Duration::ZERO);
        assert_eq!(super::read::<Some4>("wait=60s").unwrap().wait, WAIT_MOST);
    }

    #[test]
    fn what_makes_no_sense_in_a_query_is_refused_by_name() {
        let long = format!("label={}", "x".repeat(VALUE_MOST + 1));
        let many: String = (0..40).map(|n| format!("p{n}=1&")).collect();
        for (query, says) in [
            ("colour=red", "there is no parameter \"colour\" here"),
            ("limit", "limit is \"\"; write a whole number from 1 to 1000"),
            ("limit=0", "limit is \"0\"; write a whole number from 1 to 1000"),
            ("limit=%2B7", "limit is \"+7\"; write a whole number from 1 to 1000"),
            ("limit=99999999999999999999", "from 1 to 1000"),
            ("limit=1&limit=2", "the parameter \"limit\" stands there twice"),
            ("follow=yes", "follow is \"yes\"; write one of true, false"),
            ("wait=61s", "at most 60s"),
            ("wait=60001ms", "at most 60s"),
            ("wait=soon", "wait is \"soon\"; write a time such as 500ms, 10s or 2m"),
            ("wait=-1s", "write a time"),
            ("label=%", "is not percent-encoded UTF-8"),
            ("label=%zz", "is not percent-encoded UTF-8"),
            ("label=%ff", "is not percent-encoded UTF-8"),
            ("label=%c0%80", "is not percent-encoded UTF-8"),
            ("label=a%00b", "has control characters"),
            ("%0a=1", "has control characters"),
            (&long, "is longer than 1024 bytes"),
            (&many, "more than 32 parameters"),
        ] {
            let Failure(problem) = read::<Some4>(query).unwrap_err();
            assert_eq!(problem.code, Code::InvalidQuery, "{query}");
            assert!(problem.detail.contains(says), "{query}: {}", problem.detail);
        }
    }
}
