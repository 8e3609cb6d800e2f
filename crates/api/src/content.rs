//! Bytes on the wire: as text where they are text, else as base64, or named by their digest.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes: `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// Text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no digest; a digest is sha256: and 64 hexadecimal digits in lower case")]
pub struct BadDigest(String);

impl Digest {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The 64 hexadecimal digits alone.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Digest, BadDigest> {
        let bad = || BadDigest(text.chars().take(80).collect());
        let digits = text.strip_prefix("sha256:").ok_or_else(bad)?.as_bytes();
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let mut digest = [0; 32];
        let pairs = digits.chunks_exact(2);
        if digits.len() != 64 {
            return Err(bad());
        }
        for (byte, pair) in digest.iter_mut().zip(pairs) {
            *byte = value(pair[0]).zip(value(pair[1])).map(|(high, low)| high << 4 | low).ok_or_else(bad)?;
        }
        Ok(Digest(digest))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Bytes inside JSON: `{"text": "…"}` where they are UTF-8, else `{"base64": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentWire<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    text: Option<std::borrow::Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    base64: Option<std::borrow::Cow<'a, str>>,
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wire = match std::str::from_utf8(&self.0) {
            Ok(text) => ContentWire { text: Some(text.into()), base64: None },
            Err(_) => ContentWire { text: None, base64: Some(STANDARD.encode(&self.0).into()) },
        };
        wire.serialize(serializer)
    }
}

fn decode<E: serde::de::Error>(base64: &str) -> Result<Vec<u8>, E> {
    STANDARD.decode(base64).map_err(|error| E::custom(format!("the base64 cannot be read: {error}")))
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Content, D::Error> {
        match ContentWire::deserialize(deserializer)? {
            ContentWire { text: Some(text), base64: None } => Ok(Content(text.into_owned().into_bytes())),
            ContentWire { text: None, base64: Some(base64) } => decode(&base64).map(Content),
            _ => Err(D::Error::custom("write either \"text\" or \"base64\"")),
        }
    }
}

/// A file of a submission: text as it is, or an object with `text`, `base64`, or the `digest` of an uploaded blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileContent {
    /// The bytes themselves.
    Inline {
        /// Its content.
        bytes: Vec<u8>,
        /// Whether it has the executable bits.
        executable: bool,
    },
    /// A blob that was uploaded before.
    Blob {
        /// Its digest.
        digest: Digest,
        /// Its size in bytes, where it is known: the server fills it in.
        size: Option<u64>,
        /// Whether it has the executable bits.
        executable: bool,
    },
}

impl FileContent {
    /// A plain text file.
    pub fn text(text: impl Into<String>) -> FileContent {
        FileContent::Inline { bytes: text.into().into_bytes(), executable: false }
    }

    /// Whether it has the executable bits.
    pub const fn executable(&self) -> bool {
        match self {
            FileContent::Inline { executable, .. } | FileContent::Blob { executable, .. } => *executable,
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
struct FileObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, pattern = "^sha256:[0-9a-f]{64}$"))]
    digest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    executable: bool,
}

impl Serialize for FileContent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = FileObject { executable: self.executable(), ..FileObject::default() };
        match self {
            FileContent::Inline { bytes, executable } => match std::str::from_utf8(bytes) {
                Ok(text) if !executable => return serializer.serialize_str(text),
                Ok(text) => object.text = Some(text.to_owned()),
                Err(_) => object.base64 = Some(STANDARD.encode(bytes)),
            },
            FileContent::Blob { digest, size, .. } => {
                object.digest = Some(*digest);
                object.size = *size;
            }
        }
        object.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FileContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FileContent, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = FileContent;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the text of a file, or an object with text, base64 or digest")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<FileContent, E> {
                Ok(FileContent::text(text))
            }
            fn visit_string<E: serde::de::Error>(self, text: String) -> Result<FileContent, E> {
                Ok(FileContent::text(text))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<FileContent, A::Error> {
                let object = FileObject::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                let executable = object.executable;
                match (object.text, object.base64, object.digest) {
                    (Some(text), None, None) => Ok(FileContent::Inline { bytes: text.into_bytes(), executable }),
                    (None, Some(base64), None) => Ok(FileContent::Inline { bytes: decode(&base64)?, executable }),
                    (None, None, Some(digest)) => Ok(FileContent::Blob { digest, size: object.size, executable }),
                    _ => Err(A::Error::custom("a file has one of text, base64 and digest")),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "openapi")]
mod schemas {
    use super::{Content, Digest, FileContent, FileObject};
    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
    use utoipa::{PartialSchema, ToSchema};

    fn text() -> ObjectBuilder {
        ObjectBuilder::new().schema_type(Type::String)
    }

    impl PartialSchema for Digest {
        fn schema() -> RefOr<Schema> {
            text().pattern(Some("^sha256:[0-9a-f]{64}$")).into()
        }
    }

    impl ToSchema for Digest {}

    impl PartialSchema for Content {
        fn schema() -> RefOr<Schema> {
            ObjectBuilder::new()
                .property("text", text())
                .property("base64", text())
                .description(Some("Bytes: `text` where they are UTF-8, else `base64`."))
                .into()
        }
    }

    impl ToSchema for Content {}

    impl PartialSchema for FileContent {
        fn schema() -> RefOr<Schema> {
            OneOfBuilder::new().item(text()).item(FileObject::schema()).into()
        }
    }

    impl ToSchema for FileContent {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_is_text_or_an_object() {
        let read = |json: &str| serde_json::from_str::<FileContent>(json).map_err(|error| error.to_string());
        assert_eq!(read(r#""print(1)""#), Ok(FileContent::text("print(1)")));
        assert_eq!(
            read(r#"{"base64":"/w==","executable":true}"#),
            Ok(FileContent::Inline { bytes: vec![255], executable: true })
        );
        let digest = Digest::of(b"x");
        assert_eq!(
            read(&format!(r#"{{"digest":"{digest}"}}"#)),
            Ok(FileContent::Blob { digest, size: None, executable: false })
        );
        for bad in [r#"{}"#, r#"{"text":"","base64":""}"#, r#"{"text":"x","mode":7}"#, "7", r#"{"digest":"sha256:00"}"#]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back_as_they_went(bytes in proptest::collection::vec(any::<u8>(), 0..64), executable: bool) {
            let content = Content(bytes.clone());
            prop_assert_eq!(&serde_json::from_str::<Content>(&serde_json::to_string(&content).unwrap()).unwrap(), &content);
            let file = FileContent::Inline { bytes, executable };
            prop_assert_eq!(serde_json::from_str::<FileContent>(&serde_json::to_string(&file).unwrap()).unwrap(), file);
        }

        #[test]
        fn a_digest_has_one_text(bytes: [u8; 32]) {
            let digest = Digest(bytes);
            prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
            prop_assert!(digest.to_string().to_uppercase().parse::<Digest>().is_err());
        }
    }
}
