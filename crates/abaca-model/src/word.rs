//! Enums whose variants are words.

/// The text is none of the words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {kind}; it takes one of: {expected}")]
pub struct ParseWordError {
    kind: &'static str,
    text: String,
    expected: String,
}

impl ParseWordError {
    pub(crate) fn new(kind: &'static str, text: &str, expected: &[&str]) -> Self {
        Self { kind, text: text.chars().take(64).collect(), expected: expected.join(", ") }
    }
}

/// Enums of words that the API, the database and the log spell alike.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident ($kind:literal) { $($(#[$variant_doc:meta])* $variant:ident => $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(
                $(#[$variant_doc])*
                #[doc = concat!("`", $text, "`")]
                $variant,
            )*
        }

        impl $name {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The text of the API, the database, the log and the metrics.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ParseWordError;

            fn from_str(text: &str) -> Result<Self, $crate::ParseWordError> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err($crate::ParseWordError::new($kind, text, &[$($text),*])),
                }
            }
        }
    )*};
}

pub(crate) use words;
