//! What must hold for whatever bytes a decoder of the proxy is given: one function a decoder, for libFuzzer
//! (`cargo xtask fuzz`, which includes this file) and for the tests below. Each panics when a promise is broken.

use gambeson_api::Host;

use super::hello::{self, Hello};
use super::request::{self, Request, Wanted};

/// A request that is taken is for a host that has one spelling, and what is passed on is one whole head for it.
pub fn request(data: &[u8]) {
    let read = request::read(data);
    let Ok(Some(Request { host, port, wanted, head })) = read else { return };
    assert!(port > 0 && head <= data.len() && head <= request::HEAD_MOST);
    assert_eq!(host.to_string().parse::<Host>().ok().as_ref(), Some(&host), "it is written otherwise than it is read");
    let again = request::read(&data[..head]).map(|again| again.map(|again| (again.host, again.port)));
    assert_eq!(again, Ok(Some((host.clone(), port))), "what follows the head changes what it says");
    let Wanted::Passed(passed) = wanted else { return };
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut parsed = httparse::Request::new(&mut headers);
    assert_eq!(parsed.parse(&passed), Ok(httparse::Status::Complete(passed.len())), "it is more than a head, or less");
    assert!(parsed.path.is_some_and(|path| path.starts_with('/')));
    let values = |name: &str| -> Vec<&[u8]> {
        parsed.headers.iter().filter(|one| one.name.eq_ignore_ascii_case(name)).map(|one| one.value).collect()
    };
    let usual = if port == 80 { host.to_string() } else { format!("{host}:{port}") };
    assert_eq!(values("host"), [usual.as_bytes()]);
    assert_eq!(values("connection"), [b"close"]);
    assert!(values("content-length").len() + values("transfer-encoding").len() <= 1);
}

/// What was said of a beginning stays true when more comes, and a name is bounded.
pub fn hello(data: &[u8]) {
    let whole = hello::read(data);
    if let Hello::Tls(Some(name)) = &whole {
        assert!(name.len() < data.len() && name.is_ascii());
    }
    if data.len() >= hello::HELLO_MOST {
        assert_ne!(whole, Hello::Partial, "it would be waited for without an end");
    }
    for cut in [data.len() / 3, data.len() / 2, data.len().saturating_sub(1)] {
        let part = hello::read(&data[..cut]);
        assert!(part == Hello::Partial || part == whole, "{part:?} became {whole:?}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// Each seed is a case, too.
    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
        std::fs::read_dir(dir).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
    }

    #[test]
    fn the_seeds_of_fuzzing_break_no_promise() {
        seeds("request").iter().for_each(|seed| super::request(seed));
        seeds("hello").iter().for_each(|seed| super::hello(seed));
    }

    proptest! {
        #[test]
        fn no_bytes_break_a_promise(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            super::request(&bytes);
            super::hello(&bytes);
        }
    }
}
