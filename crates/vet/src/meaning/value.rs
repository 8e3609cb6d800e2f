//! What an expression is, as far as it can be told without running it.

use std::rc::Rc;

/// Alternatives of one value that are kept apart.
const MOST_ALTERNATIVES: usize = 12;
/// The longest dotted name; what is longer is of no rule.
const LONGEST_NAME: usize = 160;

/// Where a value comes from, apart from what it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Taint(u8);

impl Taint {
    pub(crate) const NONE: Taint = Taint(0);
    /// It went through a decoder, a decompressor, or was made of the numbers of characters.
    pub(crate) const DECODED: Taint = Taint(1);
    /// It was put together from pieces.
    pub(crate) const JOINED: Taint = Taint(2);
    /// It came over the network.
    pub(crate) const FETCHED: Taint = Taint(4);

    pub(crate) fn has(self, other: Taint) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn and(self, other: Taint) -> Taint {
        Taint(self.0 | other.0)
    }
}

/// Values within each other; what is deeper is not known.
const MOST_DEPTH: u8 = 24;

/// A value.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    pub(crate) taint: Taint,
    depth: u8,
}

/// What it is. Parts may be shared many times over, so nothing may go through all of a value but by [`Value::same`]'s bounds.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// It cannot be told.
    Unknown,
    /// What is not the submission's own, by its dotted name: `os.system`; `socket.socket()` is what a call gives.
    Name(Rc<str>),
    Text(Rc<str>),
    /// Text of which only the beginning is known.
    Prefix(Rc<str>),
    Bytes(Rc<[u8]>),
    Int(i128),
    Float(f64),
    Bool(bool),
    None,
    /// A list, a tuple or a set.
    List(Rc<[Value]>),
    Dict(Rc<[(Value, Value)]>),
    /// A `pathlib` path.
    Path(Rc<str>),
    /// A function of the submission.
    Function(usize),
    /// A class of the submission.
    Class(usize),
    /// An object of one.
    Object(usize),
    /// A module of the submission, by its scope.
    Module(usize),
    /// A call with some of its arguments already there.
    Partial(Rc<(Value, Vec<Value>)>),
    /// What looks up an attribute, or calls a method, of this name.
    Getter(Rc<str>, bool),
    /// One of these.
    Any(Rc<[Value]>),
}

impl From<Kind> for Value {
    fn from(kind: Kind) -> Value {
        Value { kind, taint: Taint::NONE, depth: 0 }
    }
}

impl Value {
    pub(crate) const UNKNOWN: Value = Value { kind: Kind::Unknown, taint: Taint::NONE, depth: 0 };

    pub(crate) fn unknown(taint: Taint) -> Value {
        Value { kind: Kind::Unknown, taint, depth: 0 }
    }

    pub(crate) fn text(text: impl Into<Rc<str>>) -> Value {
        Kind::Text(text.into()).into()
    }

    /// A dotted name, by the name that this thing is best known by.
    pub(crate) fn name(name: &str) -> Value {
        if name.len() > LONGEST_NAME {
            return Value::UNKNOWN;
        }
        Kind::Name(super::names::canonical(name).into()).into()
    }

    pub(crate) fn list(values: Vec<Value>) -> Value {
        let list: Rc<[Value]> = values.into();
        Value::around(Kind::List(list.clone()), list.iter())
    }

    pub(crate) fn dict(items: Vec<(Value, Value)>) -> Value {
        let dict: Rc<[(Value, Value)]> = items.into();
        Value::around(Kind::Dict(dict.clone()), dict.iter().flat_map(|(key, value)| [key, value]))
    }

    pub(crate) fn partial(function: Value, arguments: Vec<Value>) -> Value {
        let parts = [function.clone(), Value::list(arguments.clone())];
        Value::around(Kind::Partial(Rc::new((function, arguments))), parts.iter())
    }

    fn around<'v>(kind: Kind, parts: impl Iterator<Item = &'v Value>) -> Value {
        let (mut taint, mut depth) = (Taint::NONE, 0);
        for part in parts {
            taint = taint.and(part.taint);
            depth = depth.max(part.depth);
        }
        if depth >= MOST_DEPTH {
            return Value::unknown(taint);
        }
        Value { kind, taint, depth: depth + 1 }
    }

    /// Whether it certainly is the same.
    pub(crate) fn same(&self, other: &Value) -> bool {
        self.taint == other.taint && same(&self.kind, &other.kind, 2)
    }

    /// Whether it is the same key of a dictionary.
    pub(crate) fn same_key(&self, other: &Value) -> bool {
        same(&self.kind, &other.kind, 1)
    }

    pub(crate) fn with(mut self, taint: Taint) -> Value {
        self.taint = self.taint.and(taint);
        self
    }

    pub(crate) fn is_known(&self) -> bool {
        !matches!(self.kind, Kind::Unknown)
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text, or what is known of its beginning, of text and paths alike.
    pub(crate) fn beginning(&self) -> Option<(&str, bool)> {
        match &self.kind {
            Kind::Text(text) | Kind::Path(text) => Some((text, true)),
            Kind::Prefix(text) => Some((text, false)),
            Kind::Bytes(bytes) => Some((std::str::from_utf8(bytes).ok()?, true)),
            _ => None,
        }
    }

    pub(crate) fn as_name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn as_int(&self) -> Option<i128> {
        match self.kind {
            Kind::Int(int) => Some(int),
            Kind::Bool(bool) => Some(i128::from(bool)),
            _ => None,
        }
    }

    pub(crate) fn items(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::List(values) => Some(values),
            _ => None,
        }
    }

    /// Whether it is true to `if` and `while`; `None` if that is not known.
    pub(crate) fn truth(&self) -> Option<bool> {
        match &self.kind {
            Kind::Text(text) => Some(!text.is_empty()),
            Kind::Bytes(bytes) => Some(!bytes.is_empty()),
            Kind::Int(int) => Some(*int != 0),
            Kind::Float(float) => Some(*float != 0.0),
            Kind::Bool(bool) => Some(*bool),
            Kind::None => Some(false),
            Kind::List(values) => Some(!values.is_empty()),
            Kind::Dict(items) => Some(!items.is_empty()),
            _ => None,
        }
    }

    /// Whether it is known to be plain data.
    pub(crate) fn is_constant(&self) -> bool {
        let plain = |value: &Value| {
            matches!(
                value.kind,
                Kind::Text(_) | Kind::Bytes(_) | Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) | Kind::None
            )
        };
        match &self.kind {
            Kind::List(values) => values.iter().take(64).all(plain),
            _ => plain(self),
        }
    }

    /// Each that it may be.
    pub(crate) fn alternatives(&self) -> Vec<Value> {
        match &self.kind {
            Kind::Any(values) => values.iter().map(|value| value.clone().with(self.taint)).collect(),
            _ => vec![self.clone()],
        }
    }

    /// This one or that one. What is unknown takes nothing away from what is known.
    pub(crate) fn or(self, other: Value) -> Value {
        if self.same(&other) {
            return self;
        }
        let taint = self.taint.and(other.taint);
        let (known, unknown) = (self.is_known(), other.is_known());
        let values: Vec<Value> = match (known, unknown) {
            (false, false) => return Value::unknown(taint),
            (true, false) => return self.with(taint),
            (false, true) => return other.with(taint),
            (true, true) => {
                let mut values = self.alternatives();
                for value in other.alternatives() {
                    if !values.iter().any(|known| known.same(&value)) {
                        values.push(value);
                    }
                }
                values
            }
        };
        if values.len() > MOST_ALTERNATIVES {
            return Value::unknown(taint);
        }
        let values: Rc<[Value]> = values.into();
        Value::around(Kind::Any(values.clone()), values.iter()).with(taint)
    }

    /// One of many.
    pub(crate) fn one_of(values: impl IntoIterator<Item = Value>) -> Value {
        values.into_iter().take(MOST_ALTERNATIVES).reduce(Value::or).unwrap_or(Value::UNKNOWN)
    }
}

fn same(a: &Kind, b: &Kind, depth: u8) -> bool {
    match (a, b) {
        (Kind::Unknown, Kind::Unknown) | (Kind::None, Kind::None) => true,
        (Kind::Name(a), Kind::Name(b))
        | (Kind::Text(a), Kind::Text(b))
        | (Kind::Prefix(a), Kind::Prefix(b))
        | (Kind::Path(a), Kind::Path(b)) => Rc::ptr_eq(a, b) || a == b,
        (Kind::Bytes(a), Kind::Bytes(b)) => Rc::ptr_eq(a, b) || a == b,
        (Kind::Int(a), Kind::Int(b)) => a == b,
        (Kind::Float(a), Kind::Float(b)) => a == b,
        (Kind::Bool(a), Kind::Bool(b)) => a == b,
        (Kind::Function(a), Kind::Function(b))
        | (Kind::Class(a), Kind::Class(b))
        | (Kind::Object(a), Kind::Object(b))
        | (Kind::Module(a), Kind::Module(b)) => a == b,
        (Kind::List(a), Kind::List(b)) => {
            let all = || a.iter().zip(b.iter()).all(|(a, b)| same(&a.kind, &b.kind, depth - 1));
            Rc::ptr_eq(a, b) || depth > 0 && a.len() == b.len() && a.len() <= 8 && all()
        }
        (Kind::Dict(a), Kind::Dict(b)) => Rc::ptr_eq(a, b),
        (Kind::Partial(a), Kind::Partial(b)) => Rc::ptr_eq(a, b),
        (Kind::Getter(a, called), Kind::Getter(b, other)) => a == b && called == other,
        (Kind::Any(a), Kind::Any(b)) => Rc::ptr_eq(a, b),
        _ => false,
    }
}
