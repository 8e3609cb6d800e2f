//! JSON, read strictly: what serde lets pass is refused here.
//!
//! 1. A member that stands twice in one object is refused: readers disagree on which of the two counts.
//! 2. An object is written as an object: serde would take an array of its members in order too.
//! 3. An error names the place in the client's own words (`limits.wall`), never our types.
//!
//! [`Strict`] stands between a deserializer and what is deserialized, at every level. Values that are skipped are not
//! looked into; nothing is skipped where unknown members are refused.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::value::CowStrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use crate::failure::quoted;

/// Reads a whole body.
///
/// # Errors
/// A sentence with the place.
pub(crate) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let place = Place::default();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = T::deserialize(Strict(&mut json, &place)).and_then(|value| json.end().map(|()| value));
    read.map_err(|error| told(&place.path(), &error))
}

/// One step into a document.
#[derive(Debug)]
enum Step {
    Member(String),
    Element(usize),
}

/// Where an error happened: the steps to it, innermost first, as the error passed them on its way out.
#[derive(Debug, Default)]
struct Place(RefCell<Vec<Step>>);

impl Place {
    fn leave(&self, step: impl FnOnce() -> Step) {
        self.0.borrow_mut().push(step());
    }

    /// As `limits.wall`, `files["a b"].text`, `digests[2]`.
    fn path(&self) -> String {
        let mut path = String::new();
        for step in self.0.borrow().iter().rev().take(STEPS_MOST) {
            match step {
                Step::Element(index) => path.push_str(&format!("[{index}]")),
                Step::Member(name) => {
                    let plain =
                        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                    match (plain, path.is_empty()) {
                        (true, true) => path.push_str(name),
                        (true, false) => path.extend([".", name]),
                        (false, _) => path.extend(["[", &quoted(name), "]"]),
                    }
                }
            }
        }
        path
    }
}

struct Strict<'p, T>(T, &'p Place);

macro_rules! forward {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(Strict(visitor, self.1))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_option deserialize_unit deserialize_seq deserialize_map
        deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, Strict(visitor, self.1))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Strict(visitor, self.1))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(len, Strict(visitor, self.1))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, len, Strict(visitor, self.1))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        // Not deserialize_struct, which takes arrays.
        self.0.deserialize_map(Strict(visitor, self.1))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, Strict(visitor, self.1))
    }
}

macro_rules! visit {
    ($($method:ident $type:ty)*) => {$(
        fn $method<E: serde::de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visit! {
        visit_bool bool visit_i64 i64 visit_i128 i128 visit_u64 u64 visit_u128 u128 visit_f64 f64 visit_char char
        visit_str &str visit_borrowed_str &'de str visit_string String visit_bytes &[u8] visit_borrowed_bytes &'de [u8]
        visit_byte_buf Vec<u8>
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Strict(value, self.1))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Strict(value, self.1))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Elements { elements, next: 0, place: self.1 })
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Members { members, seen: HashSet::new(), last: None, place: self.1 })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Strict(variant, self.1))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(value, self.1))
    }
}

/// The elements of an array, counted.
struct Elements<'p, A> {
    elements: A,
    next: usize,
    place: &'p Place,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let index = self.next;
        self.next += 1;
        let element = self.elements.next_element_seed(Strict(seed, self.place));
        element.inspect_err(|_| self.place.leave(|| Step::Element(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        self.elements.size_hint()
    }
}

impl<'de, 'p, A: EnumAccess<'de>> EnumAccess<'de> for Strict<'p, A> {
    type Error = A::Error;
    type Variant = Strict<'p, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Strict<'p, A::Variant>), A::Error> {
        let Strict(inner, place) = self;
        let (value, variant) = inner.variant_seed(Strict(seed, place))?;
        Ok((value, Strict(variant, place)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Strict<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Strict(seed, self.1))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Strict(visitor, self.1))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Strict(visitor, self.1))
    }
}

/// The members of an object, each name once.
struct Members<'p, 'de, A> {
    members: A,
    seen: HashSet<Cow<'de, str>>,
    last: Option<Cow<'de, str>>,
    place: &'p Place,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, 'de, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let (seen, last) = (&mut self.seen, &mut self.last);
        *last = None;
        let key = self.members.next_key_seed(Key { seed, seen, last });
        key.inspect_err(|_| self.leave())
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let value = self.members.next_value_seed(Strict(seed, self.place));
        value.inspect_err(|_| self.leave())
    }

    fn size_hint(&self) -> Option<usize> {
        self.members.size_hint()
    }
}

impl<A> Members<'_, '_, A> {
    fn leave(&self) {
        if let Some(name) = &self.last {
            self.place.leave(|| Step::Member(name.chars().take(80).collect()));
        }
    }
}

struct Key<'a, 'de, S> {
    seed: S,
    seen: &'a mut HashSet<Cow<'de, str>>,
    last: &'a mut Option<Cow<'de, str>>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<'_, 'de, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<S::Value, D::Error> {
        let name = key.deserialize_str(Name)?;
        *self.last = Some(name.clone());
        if !self.seen.insert(name.clone()) {
            return Err(D::Error::custom(format_args!("the member {} stands there twice", quoted(&name))));
        }
        self.seed.deserialize(CowStrDeserializer::new(name))
    }
}

struct Name;

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }
}

/// The most characters of a sentence about a body; names in it are the client's and may be long.
const TOLD_MOST: usize = 600;
/// The most steps of a path that are told.
const STEPS_MOST: usize = 8;

/// What is wrong, and where.
fn told(path: &str, error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    let said = said.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&said);
    let mut said: String = in_the_clients_words(said).chars().take(TOLD_MOST).collect();
    if !path.is_empty() {
        said = format!("{path}: {said}");
    }
    format!("{said} (line {line}, column {column})")
}

/// serde's sentence without the names of our types.
fn in_the_clients_words(said: &str) -> String {
    let mut words = said.split(' ').peekable();
    let mut told: Vec<&str> = Vec::new();
    // What the client wrote may stand before "expected", our types only after it.
    let mut expected = false;
    while let Some(word) = words.next() {
        let ours = words.peek().is_some_and(|next| next.starts_with(|first: char| first.is_ascii_uppercase()));
        if expected && ours && matches!(word, "struct" | "enum" | "variant") {
            words.next();
            while matches!(told.last(), Some(&("tagged" | "internally" | "adjacently" | "tuple" | "unit"))) {
                told.pop();
            }
            told.push("an object");
            continue;
        }
        expected |= word == "expected";
        if expected && matches!(word, "map" | "sequence") && told.last() == Some(&"a") {
            told.pop();
        }
        told.push(match word {
            "map" if expected => "an object",
            "sequence" if expected => "an array",
            "u8" if expected => "a whole number up to 255",
            "u16" if expected => "a whole number up to 65535",
            "u32" if expected => "a whole number up to 4294967295",
            "u64" | "usize" if expected => "a whole number",
            "i8" | "i16" | "i32" | "i64" | "isize" if expected => "a whole number, perhaps negative",
            "f32" | "f64" if expected => "a number",
            word => word,
        });
    }
    let told = told.join(" ");
    told.replace("invalid type: map,", "invalid type: object,")
        .replace("invalid type: sequence,", "invalid type: array,")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gambeson_api::work::{Append, Heartbeat};
    use gambeson_api::{BlobQuery, ExplainRequest, NewKey, NewProject, Submission};

    fn refused<T: DeserializeOwned + fmt::Debug>(json: &str) -> String {
        from_slice::<T>(json.as_bytes()).expect_err(json)
    }

    #[test]
    fn a_good_body_is_read_as_serde_reads_it() {
        let json = r#"{"files":{"main.py":"print(1)","b":{"base64":"AA==","executable":true}},"args":["é","\u00e9"],
            "limits":{"memory":"256M","wall":10},"class":"high","project":null,"labels":{"a":"b"}}"#;
        let strict: Submission = from_slice(json.as_bytes()).unwrap();
        assert_eq!(strict, serde_json::from_str(json).unwrap());
        let json =
            r#"{"first":0,"entries":[{"type":"started"},{"type":"output","stream":"stdout","data":{"text":"x"}}]}"#;
        let strict: Append = from_slice(json.as_bytes()).unwrap();
        assert_eq!(strict, serde_json::from_str(json).unwrap());
        let json = r#"{"action":"job.cancel","context":{"labels":{"a":[1,2,{"b":null}]}}}"#;
        let strict: ExplainRequest = from_slice(json.as_bytes()).unwrap();
        assert_eq!(strict, serde_json::from_str(json).unwrap());
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_at_every_depth() {
        for (said, place) in [
            (refused::<Submission>(r#"{"files":{"a":"1"},"files":{}}"#), "files: "),
            (refused::<Submission>(r#"{"files":{"a":"1","\u0061":"2"}}"#), "files.a: "),
            (refused::<Submission>(r#"{"files":{"a":{"text":"1","text":"2"}}}"#), "files.a.text: "),
            (refused::<Submission>(r#"{"files":{},"env":{"A":"1","A":"1"}}"#), "env.A: "),
            (
                refused::<ExplainRequest>(r#"{"action":"x","context":{"v":{"w":[{"k":1,"k":2}]}}}"#),
                "context.v.w[0].k: ",
            ),
            (refused::<Append>(r#"{"first":0,"first":0,"entries":[]}"#), "first: "),
        ] {
            assert!(said.starts_with(place) && said.contains("stands there twice"), "{said}");
        }
        let said = refused::<Append>(r#"{"first":0,"entries":[{"type":"started","type":"started"}]}"#);
        assert!(said.contains("entries[0]") && said.contains("stands there twice"), "{said}");
    }

    #[test]
    fn errors_name_the_place_and_never_our_types() {
        let cases = [
            (
                refused::<Submission>("{\"files\":{},\n \"limits\":{\"wall\":true}}"),
                "limits.wall: invalid type: boolean `true`, expected a number, or text such as \"256M\" or \"10s\" \
                 (line 2, column 22)",
            ),
            (refused::<Submission>(r#"{"limits":{}}"#), "missing field `files` (line 1, column 13)"),
            (
                refused::<Submission>(r#"{"files":{},"limits":{"memry":1}}"#),
                "limits.memry: unknown field `memry`, expected one of `memory`",
            ),
            (refused::<Submission>(r#"{"files":{},"limits":[]}"#), "limits: invalid type: array, expected an object"),
            (refused::<Submission>(r#"[{"main.py":""},"main.py"]"#), "invalid type: array, expected an object (line 1"),
            (
                refused::<Submission>(r#""struct Submission""#),
                "invalid type: string \"struct Submission\", expected an object",
            ),
            (refused::<Submission>("7"), "invalid type: integer `7`, expected an object"),
            (
                refused::<Submission>(r#"{"files":{"a b":7}}"#),
                "files[\"a b\"]: invalid type: integer `7`, expected the text of a file",
            ),
            (
                refused::<Submission>(r#"{"files":{},"class":"urgent"}"#),
                "class: unknown variant `urgent`, expected one of `low`, `normal`, `high`",
            ),
            (refused::<Submission>(r#"{"files":{},"class":7}"#), "class: "),
            (
                refused::<Submission>(r#"{"files":{},"args":["a",7]}"#),
                "args[1]: invalid type: integer `7`, expected a string",
            ),
            (
                refused::<NewProject>(r#"{"name":"a","settings":{"quota":{"running":1}}}"#),
                "settings.quota: missing field `queued`",
            ),
            (
                refused::<NewProject>(r#"{"name":"a","settings":{"weight":-1}}"#),
                "settings.weight: invalid value: integer `-1`, expected a whole number up to 4294967295",
            ),
            (refused::<NewKey>(r#"{"name":"a","scopes":{}}"#), "scopes: invalid type: object, expected an array"),
            (refused::<BlobQuery>(r#"{"digests":["sha256:00"]}"#), "digests[0]: \"sha256:00\" is no digest"),
            (
                refused::<Heartbeat>(r#"{"leases":["lse_1","lse_2"],"wait_ms":1}"#),
                "leases[0]: \"lse_1\" is no id of a lease",
            ),
            (
                refused::<Append>(r#"{"first":0,"entries":[{"type":"what"}]}"#),
                "entries[0].type: unknown variant `what`",
            ),
            (refused::<Append>(r#"{"first":0,"entries":[7]}"#), "entries[0]: "),
            (refused::<Submission>(r#"{"files":{}"#), "EOF while parsing an object"),
            (refused::<Submission>(""), "EOF while parsing a value (line 1, column 0)"),
            (refused::<Submission>(r#"{"files":{}} x"#), "trailing characters (line 1, column 14)"),
            (refused::<Submission>("{\"files\":{\"a\":\"\u{0}\"}}"), "files.a: control character"),
        ];
        for (said, expected) in &cases {
            assert!(said.starts_with(expected), "{said}\n{expected}");
        }
        for ours in
            ["Submission", "Limits", "Quota", "NewProject", "NewKey", "Entry", "FileObject", "Class", "struct", "enum "]
        {
            for (said, _) in cases.iter().filter(|(said, _)| !said.contains("\"struct Submission\"")) {
                assert!(!said.contains(ours), "{said}");
            }
        }
    }

    #[test]
    fn depth_is_bounded_and_so_is_what_is_said() {
        let deep = format!(r#"{{"action":"x","context":{{"v":{}1{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let said = refused::<ExplainRequest>(&deep);
        assert!(said.contains("recursion limit exceeded"), "{said}");
        assert!(said.len() < 2000, "{}", said.len());
        let long = format!(r#"{{"files":{{}},"{}":1}}"#, "x".repeat(1 << 20));
        let said = refused::<Submission>(&long);
        assert!(said.len() < 2000, "{}", said.len());
        let said = from_slice::<Submission>(b"{\"files\":{\"a\":\"\xff\"}}").unwrap_err();
        assert!(said.contains("unicode"), "{said}");
        let said = refused::<Submission>(r#"{"files":{"a":"\ud800"}}"#);
        assert!(said.contains("files.a: "), "{said}");
    }
}
