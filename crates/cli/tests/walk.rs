//! Every operation of the OpenAPI document, asked by every kind of caller.
//!
//! `walk/table.txt` is what a reviewer reads; here it is compared with what the real binary answers.
//! `GAMBESON_BLESS=1 cargo test -p gambeson --test walk` writes it anew.

#[path = "walk/http.rs"]
mod http;
#[path = "walk/lab.rs"]
mod lab;
#[path = "walk/rows.rs"]
mod rows;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use http::{Answer, ask, ask_with};
use lab::{Caller, Lab};
use rows::{Asked, ROWS, Row};

const TABLE: &str = "tests/walk/table.txt";

const HEAD: &str = "\
# What each operation of the HTTP interface answers to each kind of caller, as its status. `walk.rs` compares it with the
# real binary and with the OpenAPI document; `GAMBESON_BLESS=1 cargo test -p gambeson --test walk` writes it anew.
#
# 2xx  allowed.  401  no valid key for this address came with the request.
# 403  the caller sees the thing, or knows that it must be there, and may not do this.
# 404  the thing is not the caller's to see: as if it were not there.
#
# A list is not refused to somebody who may see nothing on it (200, and shorter). The job, the array and the blob are
# ada's, in the project lab; a blob is read by those who may read the source of a job of whoever keeps it. Roles in small
# letters are held in lab, in capitals on the platform.
#
";

fn ask_as(lab: &mut Lab, row: &Row, caller: &Caller, asked: &Asked) -> Answer {
    let bearer = lab.bearer(caller);
    let body = asked.body.as_ref().map(|(media, bytes)| (*media, bytes.as_slice()));
    ask(lab.server, row.method, &asked.path, bearer.as_deref(), body)
}

/// The table as the server makes it.
fn walked(lab: &mut Lab) -> String {
    let callers = lab.callers.clone();
    let mut table = HEAD.to_owned();
    for caller in &callers {
        writeln!(table, "#   {}  {}", caller.name, caller.who).unwrap();
    }
    let width = ROWS.iter().map(|row| row.path.len()).max().unwrap_or_default();
    let names: Vec<&str> = callers.iter().map(|caller| caller.name).collect();
    writeln!(table, "#\n#{:<5} {:<width$}  {:<17}  {}", "", "", "", names.join(" ")).unwrap();
    for row in ROWS {
        write!(table, "{:<6} {:<width$}  {:<17} ", row.method, row.path, row.about).unwrap();
        for caller in &callers {
            let asked = row.asked(lab, caller);
            let answer = ask_as(lab, row, caller, &asked);
            if (200..300).contains(&answer.status) {
                lab.used_up(&asked.uses);
            } else {
                assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{asked:?}: {answer:?}");
            }
            write!(table, " {}", answer.status).unwrap();
        }
        table.push('\n');
    }
    table
}

#[test]
fn every_operation_answers_every_kind_of_caller_as_the_table_says() {
    let mut lab = Lab::open();
    let document = ask(lab.server, "GET", "/openapi.json", None, None).json();
    let methods = ["get", "put", "post", "patch", "delete", "head", "options", "trace"];
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys().filter(|name| methods.contains(&name.as_str())) {
            documented.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let rows: BTreeSet<String> = ROWS.iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    let lacking: Vec<_> = documented.difference(&rows).collect();
    assert!(lacking.is_empty(), "walk/rows.rs asks nothing of {lacking:?}, which the document has");
    let undocumented: Vec<_> = rows.difference(&documented).collect();
    assert!(undocumented.is_empty(), "walk/rows.rs asks {undocumented:?}, which the document has not");

    let is = walked(&mut lab);
    if std::env::var_os("GAMBESON_BLESS").is_some() {
        std::fs::write(TABLE, &is).expect("the table can be written");
        return;
    }
    let said = std::fs::read_to_string(Path::new(TABLE)).unwrap_or_default();
    for (said, is) in said.lines().zip(is.lines()) {
        assert_eq!(is, said, "walk/table.txt says the second of these, the server answers the first");
    }
    assert_eq!(is, said, "walk/table.txt has other lines");
}

/// The statuses of the table, in the order of its rows and columns.
fn said_by_the_table() -> Vec<Vec<u16>> {
    let table = std::fs::read_to_string(TABLE).expect("the table");
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let number = |word: &str| word.parse().ok().filter(|_| word.len() == 3);
    let numbers = |line: &str| {
        let mut numbers: Vec<u16> = line.split_whitespace().rev().map_while(number).collect();
        numbers.reverse();
        numbers
    };
    rows.map(numbers).collect()
}

/// The cookie and the other headers of a browser in which a caller signed in; or what a browser would send that holds
/// whatever else the caller has.
fn browser_of(lab: &mut Lab, caller: &Caller) -> (bool, Vec<(&'static str, String)>) {
    let token = lab.bearer(caller).unwrap_or_default();
    let body = serde_json::json!({"key": token}).to_string();
    let signed_in = ask(lab.server, "POST", "/v1/session", None, Some(("application/json", body.as_bytes())));
    let site = ("Sec-Fetch-Site", "same-origin".to_owned());
    if signed_in.status != 201 {
        return (false, vec![site, ("Cookie", format!("gambeson_session={token}")), ("X-CSRF-Token", token)]);
    }
    let cookie = signed_in.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie");
    (true, vec![site, ("Cookie", cookie.to_owned()), ("X-CSRF-Token", lab::text(&signed_in.json(), "csrf"))])
}

#[test]
fn a_session_opens_what_its_key_opens_and_nothing_else() {
    let mut lab = Lab::open();
    let callers = lab.callers.clone();
    let mut browsers = HashMap::new();
    for caller in &callers {
        browsers.insert(caller.name, browser_of(&mut lab, caller));
    }
    let signed_in = callers.iter().filter(|caller| browsers[caller.name].0).count();
    assert_eq!(signed_in, 15, "every kind of user whose key is good");
    let table = said_by_the_table();
    assert_eq!(table.len(), ROWS.len());
    for (row, said) in ROWS.iter().zip(table) {
        assert_eq!(said.len(), callers.len(), "{} {}", row.method, row.path);
        if row.path == "/v1/session" {
            continue;
        }
        for (caller, by_key) in callers.iter().zip(said) {
            let (is_user, headers) = &browsers[caller.name];
            let asked = row.asked(&mut lab, caller);
            let body = asked.body.as_ref().map(|(media, bytes)| (*media, bytes.as_slice()));
            let answer = ask_with(lab.server, row.method, &asked.path, headers, body);
            if (200..300).contains(&answer.status) {
                lab.used_up(&asked.uses);
            }
            let public = ["/", "/healthz", "/readyz", "/openapi.json"].contains(&row.path);
            let expected = if *is_user || public { by_key } else { 401 };
            assert_eq!(answer.status, expected, "{} {} {} {}", row.method, row.path, row.about, caller.name);
        }
    }
}

/// `text` with other words in place of some; a word ends where letters and digits end.
fn reworded(text: &str, words: &[(String, String)]) -> String {
    let mut left = text;
    let mut out = String::new();
    while let Some(first) = left.chars().next() {
        let inside = out.chars().last().is_some_and(|last| last.is_ascii_alphanumeric() || last == '_');
        let word = words.iter().find(|(word, _)| {
            let after = left.strip_prefix(word.as_str());
            !inside && after.is_some_and(|after| !after.starts_with(|next: char| next.is_ascii_alphanumeric()))
        });
        let (taken, put) = match word {
            Some((word, other)) => (word.len(), other.as_str()),
            None => (first.len_utf8(), &left[..first.len_utf8()]),
        };
        out.push_str(put);
        left = &left[taken..];
    }
    out
}

type Pairs = Vec<(String, String)>;

/// Words for things that are there, each with one like it that is not.
fn twins(asked: &Asked) -> (Pairs, Pairs) {
    let pair = |word: &str, other: &str| (word.to_owned(), other.to_owned());
    let users = vec![pair("ada", "adi"), pair("zoe", "zoi"), pair("grader", "graden")];
    let mut all = users.clone();
    all.push(pair("lab", "lax"));
    let body = asked.body.as_ref().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
    let text = format!("{} {body}", asked.path);
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')) {
        let id = ["job_", "arr_", "key_", "wrk_", "lse_", "sha256:"].iter().any(|prefix| word.starts_with(prefix));
        if id {
            let last = if word.ends_with('0') { '1' } else { '0' };
            all.push((word.to_owned(), format!("{}{last}", &word[..word.len() - 1])));
        }
    }
    (users, all)
}

fn with_words(asked: &Asked, words: &[(String, String)]) -> Asked {
    let mut twin = asked.clone();
    twin.path = reworded(&asked.path, words);
    if let Some(("application/json", bytes)) = &mut twin.body {
        *bytes = reworded(std::str::from_utf8(bytes).expect("JSON"), words).into_bytes();
    }
    twin
}

/// What a problem says, with its words put back; the id of the request is always another.
fn told(answer: &Answer, words: &[(String, String)]) -> (u16, String) {
    if answer.status < 300 {
        return (answer.status, String::new());
    }
    let back: Vec<(String, String)> = words.iter().map(|(word, other)| (other.clone(), word.clone())).collect();
    let mut problem = answer.json();
    problem.as_object_mut().expect("an object").remove("request_id");
    (answer.status, reworded(&problem.to_string(), &back))
}

#[test]
fn what_is_not_the_callers_to_see_is_refused_in_the_words_for_what_is_not_there() {
    let mut lab = Lab::open();
    let callers = lab.callers.clone();
    let mut leaks = Vec::new();
    for row in ROWS {
        for caller in &callers {
            let asked = row.asked(&mut lab, caller);
            let (users, all) = twins(&asked);
            let answer = ask_as(&mut lab, row, caller, &asked);
            let allowed = (200..300).contains(&answer.status);
            if allowed {
                lab.used_up(&asked.uses);
            }
            // Who may list neither users nor members must not learn their names; who may not see a thing, not that it
            // is there. The foreigner sees nothing of all this, whatever the answer, but what is the foreigner's own.
            let mut checks = Vec::new();
            if matches!(answer.status, 403 | 404) && !["own", "aud", "OWN", "AUD"].contains(&caller.name) {
                checks.push(&users);
            }
            if answer.status == 404 || caller.name == "for" && row.about != "own" {
                checks.push(&all);
            }
            for words in checks {
                let twin = with_words(&asked, words);
                if twin.path == asked.path && twin.body == asked.body {
                    continue;
                }
                let other = ask_as(&mut lab, row, caller, &twin);
                let (is, not) = (told(&answer, &[]), told(&other, words));
                if is != not {
                    leaks.push(format!(
                        "{} {} {} {}:\n  {is:?}\n  {not:?}",
                        row.method, row.path, row.about, caller.name
                    ));
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{} leaks\n{}", leaks.len(), leaks.join("\n"));
}
