//! The name that a TLS client asks for (RFC 6066, 3), read from its first bytes without opening anything.

/// Bytes of a client's hello with its records, at most. With post-quantum keys they are under two thousand.
pub(super) const HELLO_MOST: usize = 16 << 10;

/// What the first bytes of a client are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hello {
    /// More has to come.
    Partial,
    /// No TLS.
    Other,
    /// A hello that asks for this name, if for any.
    Tls(Option<String>),
    /// Records of TLS that do not begin with a hello by its own rules.
    Broken,
}

/// Reads from the front; `None` when there is too little.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(first)
    }

    /// As long as the `bytes` before it say, most significant first.
    fn vector(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let length = self.take(bytes)?.iter().fold(0usize, |all, byte| all << 8 | usize::from(*byte));
        self.take(length)
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }
}

/// Reads what a client began with.
pub(super) fn read(bytes: &[u8]) -> Hello {
    const HANDSHAKE: u8 = 22;
    const CLIENT_HELLO: u8 = 1;
    match bytes {
        [] | [HANDSHAKE] => return Hello::Partial,
        [HANDSHAKE, 3, ..] => {}
        // The first byte is that of a TLS record, of whichever kind (RFC 8446, B.1; 24 is the heartbeat's): some servers read
        // such records otherwise than their rules have it, and find a name in them that we did not.
        [20..=24, ..] => return Hello::Broken,
        _ => return Hello::Other,
    }
    // A hello may be cut into several records.
    let mut records = Reader(bytes);
    let mut message: Vec<u8> = Vec::new();
    loop {
        let mut ahead = Reader(&message);
        match ahead.take(1) {
            Some([CLIENT_HELLO]) => {
                if let Some(hello) = ahead.vector(3) {
                    return name(hello).map_or(Hello::Broken, Hello::Tls);
                }
            }
            Some(_) => return Hello::Broken,
            None => {}
        }
        if bytes.len() >= HELLO_MOST {
            return Hello::Broken;
        }
        match records.take(3) {
            None if records.0.is_empty() || records.0[0] == HANDSHAKE => return Hello::Partial,
            Some([HANDSHAKE, 3, _]) => {}
            _ => return Hello::Broken,
        }
        match records.vector(2) {
            None => return Hello::Partial,
            Some([]) => return Hello::Broken,
            Some(part) => message.extend_from_slice(part),
        }
    }
}

/// The name in a client's hello: `Some(None)` without one, `None` where the hello is broken or names several.
fn name(hello: &[u8]) -> Option<Option<String>> {
    const SERVER_NAME: u16 = 0;
    const HOST_NAME: u8 = 0;
    let mut hello = Reader(hello);
    let (_version, _random) = (hello.take(2)?, hello.take(32)?);
    let (_session, _ciphers, _compressions) = (hello.vector(1)?, hello.vector(2)?, hello.vector(1)?);
    if hello.0.is_empty() {
        return Some(None);
    }
    let mut extensions = Reader(hello.vector(2)?);
    if !hello.0.is_empty() {
        return None;
    }
    let mut found = None;
    while !extensions.0.is_empty() {
        let (kind, content) = (extensions.number()?, extensions.vector(2)?);
        if kind != SERVER_NAME {
            continue;
        }
        let mut content = Reader(content);
        let mut names = Reader(content.vector(2)?);
        let ([HOST_NAME], name) = (names.take(1)?, names.vector(2)?) else { return None };
        if found.is_some() || !names.0.is_empty() || !content.0.is_empty() {
            return None;
        }
        found = Some(str::from_utf8(name).ok().filter(|name| name.is_ascii())?.to_owned());
    }
    Some(found)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vector(bytes: usize, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u64).to_be_bytes();
        [&length[8 - bytes..], content].concat()
    }

    /// A hello that asks for these names, each in an extension of its own, in records of at most `record` bytes.
    pub(in crate::egress) fn hello(names: &[&str], record: usize) -> Vec<u8> {
        let mut extensions = [&[0, 16][..], &vector(2, b"\x00\x02h2")].concat();
        for name in names {
            let list = [&[0][..], &vector(2, name.as_bytes())].concat();
            extensions.extend([&[0, 0][..], &vector(2, &vector(2, &list))].concat());
        }
        let body =
            [&[3, 3][..], &[7; 32], &vector(1, b""), &vector(2, &[0x13, 1]), &vector(1, &[0]), &vector(2, &extensions)];
        let message = [&[1][..], &vector(3, &body.concat())].concat();
        message.chunks(record).flat_map(|part| [&[22, 3, 1][..], &vector(2, part)].concat()).collect()
    }

    #[test]
    fn the_name_is_found_however_the_hello_is_cut() {
        let wanted = Hello::Tls(Some("pypi.org".into()));
        for record in [1, 2, 5, 40, 10_000] {
            let hello = hello(&["pypi.org"], record);
            assert_eq!(read(&hello), wanted, "{record}");
            for cut in 0..hello.len() {
                assert_eq!(read(&hello[..cut]), Hello::Partial, "{cut} of {record}");
            }
            assert_eq!(read(&[&hello[..], b"more"].concat()), wanted);
        }
        assert_eq!(read(&hello(&[], 10_000)), Hello::Tls(None));
    }

    #[test]
    fn a_hello_of_two_names_is_broken() {
        assert_eq!(read(&hello(&["pypi.org", "evil.org"], 10_000)), Hello::Broken);
    }

    #[test]
    fn what_is_no_tls_is_left_alone_and_what_is_none_behind_its_first_byte_is_broken() {
        for other in [&b"SSH-2.0-x"[..], b"GET / HTTP/1.1", b"\x80\x2e\x01\x03\x01", b"\x13\x03\x01", b"\x19\x03\x01"] {
            assert_eq!(read(other), Hello::Other);
        }
        for kind in 20..=24 {
            let first = [kind, 2 + u8::from(kind != 22), 1];
            assert_eq!(read(&first), Hello::Broken, "{first:?}");
        }
        for broken in
            [&b"\x16\x03\x01\x00\x01\x02"[..], b"\x16\x03\x01\x00\x00", b"\x16\x03\x01\x00\x01\x01\x17\x03\x03"]
        {
            assert_eq!(read(broken), Hello::Broken, "{broken:?}");
        }
        let endless = [&[22, 3, 1][..], &vector(2, &[&[1, 0xff, 0xff, 0xff][..], &[0; 16_300]].concat())].concat();
        assert_eq!(read(&[&endless[..], &[22; 200]].concat()), Hello::Broken);
    }

    proptest! {
        #[test]
        fn what_was_read_once_is_not_read_otherwise_when_more_comes(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..80),
            real in any::<bool>(),
            at in 0usize..200,
            byte in any::<u8>(),
            more in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            if real {
                bytes = hello(&["pypi.org"], 30);
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            let first = read(&bytes);
            if first != Hello::Partial {
                prop_assert_eq!(read(&[bytes, more].concat()), first);
            }
        }
    }
}
