//! What operators, methods and decoders make of constants, within a budget.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::value::{Kind, Taint, Value};
use crate::syntax::Operator;

/// The longest text that is made of others.
const LONGEST: usize = 1 << 16;
/// The longest payload that is decoded.
const LONGEST_DECODED: usize = 1 << 20;
/// Elements of a list that is made of others.
const MOST_ELEMENTS: usize = 1 << 14;

/// The budget of all folding of one reading.
pub(crate) struct Folder {
    left: usize,
}

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder { left: 64 << 20 }
    }

    /// Takes so many bytes of work off the budget, if they are there.
    pub(crate) fn spend(&mut self, bytes: usize) -> bool {
        let cost = bytes + 16;
        let enough = self.left >= cost;
        self.left = self.left.saturating_sub(cost);
        enough
    }

    /// `left op right`.
    pub(crate) fn operator(&mut self, op: Operator, left: &Value, right: &Value) -> Value {
        let taint = left.taint.and(right.taint);
        self.apply(op, left, right, taint).unwrap_or(Value::unknown(taint))
    }

    fn apply(&mut self, op: Operator, left: &Value, right: &Value, taint: Taint) -> Option<Value> {
        use Kind::{Bytes, Float, Int, List, Path, Prefix, Text};
        let value = |kind: Kind| Some(Value::from(kind).with(taint));
        let joined = |kind: Kind| Value::from(kind).with(taint).with(Taint::JOINED);
        match (op, &left.kind, &right.kind) {
            (Operator::Add, Text(a), Text(b)) => {
                let length = a.len() + b.len();
                (length <= LONGEST && self.spend(length)).then(|| joined(Text(format!("{a}{b}").into())))
            }
            (Operator::Add, Bytes(a), Bytes(b)) => {
                let length = a.len() + b.len();
                (length <= LONGEST && self.spend(length)).then(|| joined(Bytes([&a[..], &b[..]].concat().into())))
            }
            (Operator::Add, Text(a), Prefix(b)) => {
                let length = a.len() + b.len();
                (length <= LONGEST && self.spend(length))
                    .then(|| Value::from(Prefix(format!("{a}{b}").into())).with(taint))
            }
            (Operator::Add, Text(a) | Prefix(a), _) => value(Prefix(a.clone())),
            (Operator::Add, List(a), List(b)) => {
                let length = a.len() + b.len();
                (length <= MOST_ELEMENTS && self.spend(length * 32))
                    .then(|| Value::list(a.iter().chain(b.iter()).cloned().collect()))
            }
            (Operator::Mult, Text(a), Int(times)) | (Operator::Mult, Int(times), Text(a)) => {
                let times = usize::try_from((*times).max(0)).ok()?;
                let length = a.len().checked_mul(times)?;
                if length > LONGEST || !self.spend(length) {
                    return value(Prefix(a.clone()));
                }
                value(Text(a.repeat(times).into()))
            }
            (Operator::Mult, Bytes(a), Int(times)) | (Operator::Mult, Int(times), Bytes(a)) => {
                let times = usize::try_from((*times).max(0)).ok()?;
                let length = a.len().checked_mul(times)?;
                (length <= LONGEST && self.spend(length))
                    .then(|| Value::from(Bytes(a.repeat(times).into())).with(taint))
            }
            (Operator::Div, Path(a), Text(b) | Path(b)) => {
                self.spend(a.len() + b.len()).then(|| Value::from(Path(join(a, b).into())).with(taint))
            }
            (Operator::Div, Path(a), _) => value(Prefix(format!("{}/", a.trim_end_matches('/')).into())),
            (Operator::Mod, Text(a), _) => {
                let arguments = match right.items() {
                    Some(items) => items.to_vec(),
                    None => vec![right.clone()],
                };
                self.percent(a, &arguments).map(|made| made.with(taint).with(Taint::JOINED))
            }
            (_, Int(_) | Kind::Bool(_), Int(_) | Kind::Bool(_)) => {
                let (a, b) = (left.as_int()?, right.as_int()?);
                integers(op, a, b).map(|kind| Value::from(kind).with(taint))
            }
            (_, Int(a), Float(b)) => floats(op, *a as f64, *b).map(|kind| Value::from(kind).with(taint)),
            (_, Float(a), Int(b)) => floats(op, *a, *b as f64).map(|kind| Value::from(kind).with(taint)),
            (_, Float(a), Float(b)) => floats(op, *a, *b).map(|kind| Value::from(kind).with(taint)),
            _ => None,
        }
    }

    /// Adds a piece to a text that is being made. Whether more can be: without the piece, or beyond what a text may be, what
    /// there is remains its beginning.
    fn goes_on(&mut self, made: &mut String, piece: Option<String>) -> bool {
        let Some(piece) = piece else { return false };
        made.push_str(&piece);
        made.len() <= LONGEST && self.spend(piece.len())
    }

    /// `"%s/%s" % (a, b)`, with the plain conversions.
    fn percent(&mut self, pattern: &str, arguments: &[Value]) -> Option<Value> {
        let mut made = String::new();
        let mut arguments = arguments.iter();
        let mut rest = pattern;
        while let Some(at) = rest.find('%') {
            made.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let conversion = rest.chars().next()?;
            rest = &rest[conversion.len_utf8()..];
            if conversion == '%' {
                made.push('%');
                continue;
            }
            let argument = arguments.next();
            let text = match (conversion, argument.map(|argument| &argument.kind)) {
                ('s' | 'd' | 'i', Some(_)) => display(argument?),
                ('c', Some(Kind::Int(code))) => character(*code).map(String::from),
                ('c', Some(Kind::Text(text))) => Some(text.to_string()),
                ('x', Some(Kind::Int(number))) => Some(format!("{number:x}")),
                _ => None,
            };
            if !self.goes_on(&mut made, text) {
                return Some(Kind::Prefix(made.into()).into());
            }
        }
        made.push_str(rest);
        Some(Value::text(made))
    }

    /// `"{}/{name}".format(a, name=b)`, with plain fields.
    fn format(&mut self, pattern: &str, arguments: &[Value], keywords: &[(&str, Value)]) -> Option<Value> {
        let mut made = String::new();
        let mut automatic = arguments.iter();
        let mut rest = pattern;
        while let Some(at) = rest.find(['{', '}']) {
            made.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            rest = after;
            if rest.starts_with(brace) {
                made.push_str(brace);
                rest = &rest[1..];
                continue;
            }
            let end = rest.find('}')?;
            let field = &rest[..end];
            rest = &rest[end + 1..];
            let argument = match field.split([':', '!']).next()? {
                "" => automatic.next(),
                name => match name.parse::<usize>() {
                    Ok(index) => arguments.get(index),
                    Err(_) => keywords.iter().find(|(keyword, _)| *keyword == name).map(|(_, value)| value),
                },
            };
            let text = if field.contains(':') && !field.ends_with(":s") { None } else { argument.and_then(display) };
            if !self.goes_on(&mut made, text) {
                return Some(Kind::Prefix(made.into()).into());
            }
        }
        made.push_str(rest);
        Some(Value::text(made))
    }

    /// What a method of a constant gives.
    pub(crate) fn method(
        &mut self,
        receiver: &Value,
        method: &str,
        arguments: &[Value],
        keywords: &[(&str, Value)],
    ) -> Option<Value> {
        let taint = arguments.iter().fold(receiver.taint, |all, argument| all.and(argument.taint));
        let made = match &receiver.kind {
            Kind::Text(text) => {
                if !self.spend(text.len()) {
                    return None;
                }
                self.text_method(text, method, arguments, keywords)?
            }
            Kind::Bytes(bytes) => {
                if !self.spend(bytes.len()) {
                    return None;
                }
                match (method, arguments) {
                    ("decode", _) => {
                        let encoding = arguments.first().or(keywords.first().map(|(_, value)| value));
                        match encoding.and_then(Value::as_text).map(codec) {
                            Some("utf8" | "ascii") | None => Value::text(std::str::from_utf8(bytes).ok()?),
                            Some("latin1") => Value::text(latin(bytes)),
                            Some("utf16" | "utf16le") => Value::text(utf16(bytes)?).with(Taint::DECODED),
                            Some(codec) => self.decode_by(codec, bytes)?,
                        }
                    }
                    ("hex", []) => Value::text(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
                    ("replace", [from, to, ..]) => match (&from.kind, &to.kind) {
                        (Kind::Bytes(from), Kind::Bytes(to)) => {
                            let text = latin(bytes).replace(&latin(from), &latin(to));
                            (text.len() <= LONGEST).then(|| bytes_of_latin(&text))?
                        }
                        _ => return None,
                    },
                    ("strip" | "rstrip" | "lstrip", []) => receiver.clone(),
                    ("join", [list]) => {
                        let parts = list.items()?.iter().map(|part| match &part.kind {
                            Kind::Bytes(bytes) => Some(bytes.to_vec()),
                            _ => None,
                        });
                        let parts: Vec<Vec<u8>> = parts.collect::<Option<_>>()?;
                        let made = parts.join(&bytes[..]);
                        (made.len() <= LONGEST && self.spend(made.len()))
                            .then(|| Value::from(Kind::Bytes(made.into())).with(Taint::JOINED))?
                    }
                    _ => return None,
                }
            }
            Kind::List(values) => match (method, arguments) {
                ("copy", []) => receiver.clone(),
                ("index" | "count", _) => return None,
                ("pop", []) => values.last()?.clone(),
                _ => return None,
            },
            Kind::Dict(items) => match (method, arguments) {
                ("get", [key]) => items.iter().find(|(known, _)| known.same_key(key))?.1.clone(),
                ("get", [key, default]) => {
                    items.iter().find(|(known, _)| known.same_key(key)).map_or(default, |(_, value)| value).clone()
                }
                ("values", []) => Value::list(items.iter().map(|(_, value)| value.clone()).collect()),
                ("keys", []) => Value::list(items.iter().map(|(key, _)| key.clone()).collect()),
                ("items", []) => Value::list(
                    items.iter().map(|(key, value)| Value::list(vec![key.clone(), value.clone()])).collect(),
                ),
                _ => return None,
            },
            Kind::Path(path) => match (method, arguments) {
                ("joinpath", _) => {
                    let mut made = path.to_string();
                    for argument in arguments {
                        let (part, whole) = argument.beginning()?;
                        made = join(&made, part);
                        if !whole {
                            return Some(Kind::Prefix(made.into()).into());
                        }
                    }
                    Kind::Path(made.into()).into()
                }
                ("resolve" | "absolute" | "expanduser", _) => receiver.clone(),
                ("as_posix" | "__str__" | "__fspath__", []) => Kind::Text(path.clone()).into(),
                ("with_suffix" | "with_name" | "with_stem", _) => {
                    Kind::Prefix(path.rsplit_once('/').map_or("", |(dir, _)| dir).into()).into()
                }
                _ => return None,
            },
            _ => return None,
        };
        Some(made.with(taint))
    }

    fn text_method(
        &mut self,
        text: &str,
        method: &str,
        arguments: &[Value],
        keywords: &[(&str, Value)],
    ) -> Option<Value> {
        let one = arguments.first();
        let pattern = one.and_then(Value::as_text);
        Some(match method {
            "lower" | "casefold" => Value::text(text.to_lowercase()),
            "upper" => Value::text(text.to_uppercase()),
            "swapcase" => {
                let swap = |c: char| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
                Value::text(text.chars().map(swap).collect::<String>())
            }
            "capitalize" | "title" if text.is_ascii() => {
                let mut made = text.to_ascii_lowercase();
                made[..1.min(text.len())].make_ascii_uppercase();
                Value::text(made)
            }
            "strip" => Value::text(match pattern {
                Some(set) => text.trim_matches(|c| set.contains(c)),
                None => text.trim(),
            }),
            "lstrip" => Value::text(match pattern {
                Some(set) => text.trim_start_matches(|c| set.contains(c)),
                None => text.trim_start(),
            }),
            "rstrip" => Value::text(match pattern {
                Some(set) => text.trim_end_matches(|c| set.contains(c)),
                None => text.trim_end(),
            }),
            "index" | "find" if text.is_ascii() => Kind::Int(text.find(pattern?)? as i128).into(),
            "removeprefix" => Value::text(text.strip_prefix(pattern?).unwrap_or(text)),
            "removesuffix" => Value::text(text.strip_suffix(pattern?).unwrap_or(text)),
            "replace" => {
                let (from, to) = (pattern?, arguments.get(1)?.as_text()?);
                if text.len().checked_mul(to.len() + 1)? > LONGEST * 4 || from.is_empty() {
                    return None;
                }
                let made = text.replace(from, to);
                (made.len() <= LONGEST && self.spend(made.len())).then(|| Value::text(made).with(Taint::JOINED))?
            }
            "encode" => match pattern.map(codec) {
                Some("utf8" | "ascii") | None => Value::from(Kind::Bytes(text.as_bytes().into())),
                Some("latin1") => bytes_of_latin(text),
                Some("rot13") => Value::text(rot13(text)).with(Taint::DECODED),
                Some(_) => return None,
            },
            "split" => {
                let parts: Vec<Value> = match pattern {
                    Some("") => return None,
                    Some(separator) => text.split(separator).map(Value::text).collect(),
                    None if arguments.is_empty() => text.split_whitespace().map(Value::text).collect(),
                    None => return None,
                };
                (parts.len() <= MOST_ELEMENTS).then(|| Value::list(parts))?
            }
            "splitlines" => Value::list(text.lines().take(MOST_ELEMENTS).map(Value::text).collect()),
            "join" => {
                let argument = one?;
                let pieces: Vec<Value> = match &argument.kind {
                    Kind::List(values) => values.to_vec(),
                    Kind::Text(text) => text.chars().map(|c| Value::text(c.to_string())).collect(),
                    Kind::Dict(items) => items.iter().map(|(key, _)| key.clone()).collect(),
                    _ => return None,
                };
                let mut made = String::new();
                for (at, piece) in pieces.iter().enumerate() {
                    let Some(piece) = piece.as_text() else {
                        return Some(Value::from(Kind::Prefix(made.into())).with(Taint::JOINED));
                    };
                    if at > 0 {
                        made.push_str(text);
                    }
                    made.push_str(piece);
                    if made.len() > LONGEST || !self.spend(piece.len() + text.len()) {
                        return None;
                    }
                }
                Value::text(made).with(Taint::JOINED)
            }
            "format" => self.format(text, arguments, keywords)?.with(Taint::JOINED),
            "translate" => {
                let Kind::Dict(items) = &one?.kind else { return None };
                let mut made = String::new();
                for c in text.chars() {
                    let found = items.iter().find(|(key, _)| match &key.kind {
                        Kind::Int(code) => *code == i128::from(u32::from(c)),
                        _ => key.as_text() == Some(c.encode_utf8(&mut [0; 4])),
                    });
                    match found.map(|(_, value)| &value.kind) {
                        None => made.push(c),
                        Some(Kind::Text(text)) => made.push_str(text),
                        Some(Kind::Int(code)) => made.push(character(*code)?),
                        Some(_) => {}
                    }
                    if made.len() > LONGEST || !self.spend(items.len()) {
                        return None;
                    }
                }
                Value::text(made).with(Taint::DECODED)
            }
            "zfill" | "ljust" | "rjust" | "center" => return None,
            "expandtabs" => Value::text(text),
            _ => return None,
        })
    }

    /// What a function of Python's own makes of constants.
    pub(crate) fn call(&mut self, name: &str, arguments: &[Value], keywords: &[(&str, Value)]) -> Option<Value> {
        let taint = arguments.iter().fold(Taint::NONE, |all, argument| all.and(argument.taint));
        let made = self.called(name, arguments, keywords)?;
        Some(made.with(taint))
    }

    fn called(&mut self, name: &str, arguments: &[Value], keywords: &[(&str, Value)]) -> Option<Value> {
        let first = arguments.first();
        let bytes = || -> Option<Vec<u8>> {
            match &first?.kind {
                Kind::Text(text) => Some(text.as_bytes().to_vec()),
                Kind::Bytes(bytes) => Some(bytes.to_vec()),
                _ => None,
            }
        };
        let decoded = |bytes: Vec<u8>| Some(Value::from(Kind::Bytes(bytes.into())).with(Taint::DECODED));
        if let Some(argument) = first {
            let size = match &argument.kind {
                Kind::Text(text) | Kind::Path(text) => text.len(),
                Kind::Bytes(bytes) => bytes.len(),
                Kind::List(values) => values.len(),
                _ => 0,
            };
            if !self.spend(size) {
                return None;
            }
        }
        match name {
            "chr" => Some(Value::text(character(first?.as_int()?)?.to_string()).with(Taint::DECODED)),
            "ord" => {
                let mut characters = first?.as_text()?.chars();
                let (c, None) = (characters.next()?, characters.next()) else { return None };
                Some(Kind::Int(u32::from(c).into()).into())
            }
            "str" => match arguments {
                [] => Some(Value::text("")),
                [argument] => display(argument).map(Value::text).or_else(|| {
                    let (text, _) = argument.beginning()?;
                    Some(Kind::Prefix(text.into()).into())
                }),
                [argument, ..] => self.method(argument, "decode", &arguments[1..], &[]),
            },
            "repr" | "ascii" => display(first?).map(Value::text),
            "int" => match (&first?.kind, arguments.get(1).and_then(Value::as_int)) {
                (Kind::Int(_) | Kind::Bool(_), None) => Some(Kind::Int(first?.as_int()?).into()),
                (Kind::Float(float), None) => Some(Kind::Int(*float as i128).into()),
                (Kind::Text(text), base) => {
                    let digits = text.trim().to_ascii_lowercase();
                    let base = u32::try_from(base.unwrap_or(10)).ok().filter(|base| (2..=36).contains(base))?;
                    let digits = digits.trim_start_matches("0x").trim_start_matches("0b").trim_start_matches("0o");
                    i128::from_str_radix(digits, base).ok().map(|int| Kind::Int(int).into())
                }
                _ => None,
            },
            "bool" => first?.truth().map(|truth| Kind::Bool(truth).into()),
            "len" => match &first?.kind {
                Kind::Text(text) => Some(Kind::Int(text.chars().count() as i128).into()),
                Kind::Bytes(bytes) => Some(Kind::Int(bytes.len() as i128).into()),
                Kind::List(values) => Some(Kind::Int(values.len() as i128).into()),
                _ => None,
            },
            "list" | "tuple" | "set" | "iter" | "sorted" | "frozenset" => {
                let argument = first?;
                Some(Value::list(self.elements(argument)?))
            }
            "dict" => match first.map(|argument| &argument.kind) {
                Some(Kind::Dict(_)) => first.cloned(),
                None => {
                    Some(Value::dict(keywords.iter().map(|(key, value)| (Value::text(*key), value.clone())).collect()))
                }
                Some(_) => None,
            },
            "reversed" => {
                let mut elements = self.elements(first?)?;
                elements.reverse();
                Some(Value::list(elements).with(Taint::JOINED))
            }
            "range" => {
                let numbers: Vec<i128> = arguments.iter().map(Value::as_int).collect::<Option<_>>()?;
                let (from, to, step) = match numbers[..] {
                    [to] => (0, to, 1),
                    [from, to] => (from, to, 1),
                    [from, to, step] if step != 0 => (from, to, step),
                    _ => return None,
                };
                let count = (to.checked_sub(from)?).checked_add(step - step.signum())?.checked_div(step)?.max(0);
                // A range that may be looked at is a list; a large one is only known by its size, where that is asked.
                if count > 4096 || !self.spend(count as usize * 32) {
                    return None;
                }
                Some(Value::list((0..count).map(|n| Kind::Int(from + n * step).into()).collect()))
            }
            "bytes" | "bytearray" => match &first?.kind {
                Kind::Bytes(_) => first.cloned(),
                Kind::Text(text) => Some(Kind::Bytes(text.as_bytes().into()).into()),
                Kind::List(values) => {
                    let numbers = values.iter().map(|value| u8::try_from(value.as_int()?).ok());
                    decoded(numbers.collect::<Option<_>>()?)
                }
                _ => None,
            },
            "bytes.fromhex" | "bytearray.fromhex" | "binascii.unhexlify" | "binascii.a2b_hex" => {
                decoded(hex(&bytes()?)?)
            }
            "base64.b64decode"
            | "base64.standard_b64decode"
            | "base64.decodebytes"
            | "base64.decodestring"
            | "binascii.a2b_base64" => decoded(base64(&bytes()?, false)?),
            "base64.urlsafe_b64decode" => decoded(base64(&bytes()?, true)?),
            "base64.b16decode" => decoded(hex(&bytes()?)?),
            "base64.b32decode" => decoded(base32(&bytes()?)?),
            "base64.b85decode" => decoded(base85(&bytes()?, BASE85)?),
            "base64.a85decode" => decoded(ascii85(&bytes()?)?),
            "zlib.decompress" | "gzip.decompress" => {
                let bytes = bytes()?;
                let made = inflate(&bytes)?;
                self.spend(made.len() * 4).then_some(())?;
                decoded(made)
            }
            "codecs.decode" => {
                let codec = codec(arguments.get(1).and_then(Value::as_text).unwrap_or("utf-8"));
                self.decode_by(codec, &bytes()?)
            }
            "codecs.encode" if arguments.get(1).and_then(Value::as_text).map(codec) == Some("rot13") => {
                self.decode_by("rot13", &bytes()?)
            }
            "str.maketrans" => {
                let (from, to) = (first?.as_text()?, arguments.get(1)?.as_text()?);
                let pairs = from.chars().zip(to.chars()).take(256);
                let pair = |(a, b): (char, char)| (Kind::Int(u32::from(a).into()).into(), Value::text(b.to_string()));
                Some(Value::dict(pairs.map(pair).collect()))
            }
            "urllib.parse.unquote" => Some(Value::text(percent_decoded(first?.as_text()?)?).with(Taint::DECODED)),
            "os.path.join" => {
                let mut made = String::new();
                for argument in arguments {
                    let Some((part, whole)) = argument.beginning() else {
                        return (!made.is_empty()).then(|| Kind::Prefix(format!("{made}/").into()).into());
                    };
                    made = if made.is_empty() { part.to_owned() } else { join(&made, part) };
                    if !whole {
                        return Some(Kind::Prefix(made.into()).into());
                    }
                    if made.len() > LONGEST || !self.spend(made.len()) {
                        return None;
                    }
                }
                Some(Value::text(made))
            }
            "os.path.expanduser" | "os.path.abspath" | "os.path.realpath" | "os.path.normpath" | "os.fspath"
            | "os.fsdecode" | "os.path.expandvars" => match first?.beginning()? {
                (text, true) => Some(Value::text(text)),
                (text, false) => Some(Kind::Prefix(text.into()).into()),
            },
            "os.path.dirname" => {
                let (text, whole) = first?.beginning()?;
                let dir = text.rsplit_once('/').map_or("", |(dir, _)| dir);
                Some(if whole { Value::text(dir) } else { Kind::Prefix(dir.into()).into() })
            }
            "os.path.basename" => Some(Value::text(first?.as_text()?.rsplit('/').next()?)),
            _ => None,
        }
    }

    /// What iterating over a constant gives.
    pub(crate) fn elements(&mut self, value: &Value) -> Option<Vec<Value>> {
        let elements: Vec<Value> = match &value.kind {
            Kind::List(values) => values.to_vec(),
            Kind::Text(text) if text.len() <= MOST_ELEMENTS => {
                text.chars().map(|c| Value::text(c.to_string()).with(value.taint)).collect()
            }
            Kind::Bytes(bytes) if bytes.len() <= MOST_ELEMENTS => {
                bytes.iter().map(|byte| Value::from(Kind::Int(i128::from(*byte))).with(value.taint)).collect()
            }
            Kind::Dict(items) => items.iter().map(|(key, _)| key.clone()).collect(),
            _ => return None,
        };
        self.spend(elements.len() * 32).then_some(elements)
    }

    /// `value[key]`.
    pub(crate) fn subscript(&mut self, value: &Value, key: &Value) -> Option<Value> {
        let found = match (&value.kind, &key.kind) {
            (Kind::List(values), Kind::Int(at)) => values.get(place(*at, values.len())?)?.clone(),
            (Kind::Text(text), Kind::Int(at)) => {
                if !self.spend(text.len()) {
                    return None;
                }
                let count = if text.is_ascii() { text.len() } else { text.chars().count() };
                let at = place(*at, count)?;
                Value::text(text.chars().nth(at)?.to_string()).with(Taint::JOINED)
            }
            (Kind::Bytes(bytes), Kind::Int(at)) => Kind::Int((*bytes.get(place(*at, bytes.len())?)?).into()).into(),
            (Kind::Dict(items), _) => {
                if !self.spend(items.len()) {
                    return None;
                }
                match items.iter().find(|(known, _)| known.same_key(key)) {
                    Some((_, found)) => found.clone(),
                    // Which one it is is not known, so it is any.
                    None if !key.is_constant() => Value::one_of(items.iter().map(|(_, value)| value.clone())),
                    None => return None,
                }
            }
            (Kind::List(values), Kind::Unknown) if values.len() <= 12 => Value::one_of(values.iter().cloned()),
            _ => return None,
        };
        Some(found.with(value.taint))
    }

    /// `value[from:to:step]`.
    pub(crate) fn slice(&mut self, value: &Value, [from, to, step]: [Option<Value>; 3]) -> Option<Value> {
        let number = |value: Option<Value>| match value {
            None => Some(None),
            Some(Value { kind: Kind::None, .. }) => Some(None),
            Some(value) => value.as_int().map(Some),
        };
        let (from, to, step) = (number(from)?, number(to)?, number(step)?.unwrap_or(1));
        let elements = self.elements(value)?;
        let length = elements.len() as i128;
        let clamp = |at: i128, low: i128, high: i128| (if at < 0 { at + length } else { at }).clamp(low, high);
        let mut chosen = Vec::new();
        match step {
            0 => return None,
            1.. => {
                let (mut at, end) = (clamp(from.unwrap_or(0), 0, length), clamp(to.unwrap_or(length), 0, length));
                while at < end {
                    chosen.push(elements[at as usize].clone());
                    at = at.checked_add(step)?;
                }
            }
            _ => {
                let mut at = clamp(from.unwrap_or(length - 1), -1, length - 1);
                let end = to.map_or(-1, |to| clamp(to, -1, length - 1));
                while at > end {
                    chosen.push(elements[at as usize].clone());
                    at = at.checked_add(step)?;
                }
            }
        }
        let taint = if step == 1 { value.taint } else { value.taint.and(Taint::JOINED).and(Taint::DECODED) };
        let made = match &value.kind {
            Kind::Text(_) => Value::text(chosen.iter().filter_map(Value::as_text).collect::<String>()),
            Kind::Bytes(_) => {
                let bytes: Vec<u8> = chosen.iter().filter_map(|byte| u8::try_from(byte.as_int()?).ok()).collect();
                Kind::Bytes(bytes.into()).into()
            }
            _ => Value::list(chosen),
        };
        Some(made.with(taint))
    }

    fn decode_by(&mut self, codec: &str, bytes: &[u8]) -> Option<Value> {
        let binary = |bytes: Vec<u8>| Some(Value::from(Kind::Bytes(bytes.into())).with(Taint::DECODED));
        match codec {
            "utf8" | "ascii" => Some(Value::text(std::str::from_utf8(bytes).ok()?)),
            "latin1" => Some(Value::text(latin(bytes))),
            "rot13" => Some(Value::text(rot13(std::str::from_utf8(bytes).ok()?)).with(Taint::DECODED)),
            "hex" => binary(hex(bytes)?),
            "base64" => binary(base64(bytes, false)?),
            "zlib" | "zip" => {
                let made = inflate(bytes)?;
                self.spend(made.len() * 4).then_some(())?;
                binary(made)
            }
            "utf16" | "utf16le" => Some(Value::text(utf16(bytes)?).with(Taint::DECODED)),
            "unicodeescape" => Some(Value::text(unescaped(std::str::from_utf8(bytes).ok()?)?).with(Taint::DECODED)),
            _ => None,
        }
    }
}

fn place(at: i128, length: usize) -> Option<usize> {
    let at = if at < 0 { at.checked_add(length as i128)? } else { at };
    usize::try_from(at).ok()
}

/// As `str` writes it.
pub(crate) fn display(value: &Value) -> Option<String> {
    match &value.kind {
        Kind::Text(text) | Kind::Path(text) => Some(text.to_string()),
        Kind::Int(int) => Some(int.to_string()),
        Kind::Bool(bool) => Some(if *bool { "True" } else { "False" }.into()),
        Kind::None => Some("None".into()),
        _ => None,
    }
}

fn character(code: i128) -> Option<char> {
    char::from_u32(u32::try_from(code).ok()?)
}

fn integers(op: Operator, a: i128, b: i128) -> Option<Kind> {
    Some(Kind::Int(match op {
        Operator::Add => a.checked_add(b)?,
        Operator::Sub => a.checked_sub(b)?,
        Operator::Mult => a.checked_mul(b)?,
        Operator::FloorDiv => floor(a.checked_div(b)?, a, b),
        Operator::Mod => {
            let rest = a.checked_rem(b)?;
            if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
        }
        Operator::Pow => a.checked_pow(u32::try_from(b).ok()?)?,
        Operator::LShift => {
            let by = u32::try_from(b).ok().filter(|by| *by < 120)?;
            a.checked_mul(1_i128.checked_shl(by)?)?
        }
        Operator::RShift => a.checked_shr(u32::try_from(b).ok()?)?,
        Operator::BitAnd => a & b,
        Operator::BitOr => a | b,
        Operator::BitXor => a ^ b,
        Operator::Div => return floats(op, a as f64, b as f64),
        Operator::MatMult => return None,
    }))
}

fn floor(quotient: i128, a: i128, b: i128) -> i128 {
    if (a % b != 0) && ((a < 0) != (b < 0)) { quotient - 1 } else { quotient }
}

fn floats(op: Operator, a: f64, b: f64) -> Option<Kind> {
    Some(Kind::Float(match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => a * b,
        Operator::Div if b != 0.0 => a / b,
        Operator::Pow => a.powf(b),
        _ => return None,
    }))
}

/// As `os.path.join` does it.
pub(crate) fn join(front: &str, back: &str) -> String {
    match (back.starts_with('/'), front.ends_with('/') || front.is_empty()) {
        (true, _) => back.to_owned(),
        (false, true) => format!("{front}{back}"),
        (false, false) => format!("{front}/{back}"),
    }
}

/// The name of a codec as we know it.
fn codec(name: &str) -> &'static str {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match plain.as_str() {
        "utf8" | "u8" | "utf8sig" => "utf8",
        "ascii" | "usascii" => "ascii",
        "latin1" | "iso88591" | "l1" => "latin1",
        "rot13" => "rot13",
        "hex" | "hexcodec" => "hex",
        "base64" | "base64codec" => "base64",
        "zlib" | "zip" | "zlibcodec" => "zlib",
        "utf16" => "utf16",
        "utf16le" => "utf16le",
        "unicodeescape" | "rawunicodeescape" => "unicodeescape",
        _ => "another",
    }
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn bytes_of_latin(text: &str) -> Value {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes.map_or(Value::UNKNOWN, |bytes| Kind::Bytes(bytes.into()).into())
}

fn utf16(bytes: &[u8]) -> Option<String> {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    Some(String::from_utf16(&units).ok()?.trim_start_matches('\u{feff}').to_owned())
}

fn rot13(text: &str) -> String {
    let turn = |c: char, first: u8| char::from((c as u8 - first + 13) % 26 + first);
    text.chars()
        .map(|c| match c {
            'a'..='z' => turn(c, b'a'),
            'A'..='Z' => turn(c, b'A'),
            _ => c,
        })
        .collect()
}

fn hex(bytes: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if !digits.len().is_multiple_of(2) || digits.len() > 2 * LONGEST_DECODED {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits.chunks(2).map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8)).collect()
}

fn base64(bytes: &[u8], urlsafe: bool) -> Option<Vec<u8>> {
    if bytes.len() > 2 * LONGEST_DECODED {
        return None;
    }
    let alphabet = if urlsafe { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    // What Python passes over.
    let kept = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let digits: Vec<u8> = bytes.iter().copied().filter(kept).collect();
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config).decode(digits).ok()
}

fn base32(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut made, mut bits, mut count) = (Vec::new(), 0_u64, 0);
    for byte in bytes.iter().take(LONGEST_DECODED) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a',
            b'2'..=b'7' => byte - b'2' + 26,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 5 | u64::from(digit);
        count += 5;
        if count >= 8 {
            count -= 8;
            made.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(made)
}

const BASE85: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

fn base85(bytes: &[u8], digits: &[u8]) -> Option<Vec<u8>> {
    let mut made = Vec::new();
    for chunk in bytes.get(..bytes.len().min(LONGEST_DECODED))?.chunks(5) {
        let mut number = 0_u64;
        for at in 0..5 {
            let digit = match chunk.get(at) {
                Some(byte) => digits.iter().position(|digit| digit == byte)? as u64,
                None => 84,
            };
            number = number * 85 + digit;
        }
        let four = u32::try_from(number).ok()?.to_be_bytes();
        made.extend_from_slice(&four[..chunk.len() - 1]);
    }
    Some(made)
}

fn ascii85(bytes: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = (b'!'..=b'u').collect();
    let text = bytes.strip_prefix(b"<~").unwrap_or(bytes);
    let text = text.strip_suffix(b"~>").unwrap_or(text);
    base85(text, &digits)
}

/// Of zlib, gzip or raw data.
fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    use miniz_oxide::inflate::{decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit};
    if let Ok(made) = decompress_to_vec_zlib_with_limit(bytes, LONGEST_DECODED) {
        return Some(made);
    }
    // A gzip header without optional fields is ten bytes long, and eight follow the data (RFC 1952).
    let raw = bytes.strip_prefix(&[0x1f, 0x8b, 8, 0]).and_then(|rest| rest.get(6..rest.len().checked_sub(8)?))?;
    decompress_to_vec_with_limit(raw, LONGEST_DECODED).ok()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut made = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let pair = [bytes.next()?, bytes.next()?];
            made.extend(hex(&pair)?);
        } else {
            made.push(byte);
        }
    }
    String::from_utf8(made).ok()
}

/// `\x41` and `\u0041`.
fn unescaped(text: &str) -> Option<String> {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        made.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let kind = rest.chars().next()?;
        rest = &rest[kind.len_utf8()..];
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            'n' => {
                made.push('\n');
                continue;
            }
            _ => {
                made.push(kind);
                continue;
            }
        };
        made.push(char::from_u32(u32::from_str_radix(rest.get(..digits)?, 16).ok()?)?);
        rest = &rest[digits..];
    }
    made.push_str(rest);
    Some(made)
}
