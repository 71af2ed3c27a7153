//! Filters written as the text of a Python dictionary: `metadata={'a': 'b'}`.
//!
//! Clients send what Python prints of a dict of texts; JSON objects of texts are a subset.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use super::ApiError;

/// Most pairs of one dictionary: each is a condition of its own on every row that is looked at.
const MOST: usize = 64;

/// The value `text` of the filter `key`.
///
/// # Errors
/// 400 that names `key`, for what is no such dictionary, or has more pairs than one may have.
pub(crate) fn read(key: &str, text: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let pairs = parse(text).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Invalid value {text} for {key}. Expecting a dictionary of texts."
        ))
    })?;
    if pairs.len() > MOST {
        return Err(ApiError::bad_request(format!(
            "Invalid value for {key}. Expecting a dictionary of at most {MOST} pairs."
        )));
    }
    Ok(pairs)
}

/// The pairs of a dictionary of texts and plain numbers, or words such as `True`, which stand for
/// their text. Of pairs with one key the last counts. `None`: it is none.
fn parse(text: &str) -> Option<BTreeMap<String, String>> {
    let mut reader = Reader { rest: text.trim().chars().peekable() };
    let pairs = reader.dictionary()?;
    reader.rest.next().is_none().then_some(pairs)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    fn dictionary(&mut self) -> Option<BTreeMap<String, String>> {
        self.expect('{')?;
        let mut pairs = BTreeMap::new();
        loop {
            if self.peek()? == '}' {
                break;
            }
            let key = self.atom()?;
            self.expect(':')?;
            pairs.insert(key, self.atom()?);
            if self.peek()? != ',' {
                break;
            }
            self.rest.next();
        }
        self.expect('}')?;
        Some(pairs)
    }

    /// The next character that is no white space.
    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|character| character.is_whitespace()).is_some() {}
        self.rest.peek().copied()
    }

    fn expect(&mut self, wanted: char) -> Option<()> {
        (self.peek()? == wanted).then(|| self.rest.next()).map(drop)
    }

    fn atom(&mut self) -> Option<String> {
        // Python 2 clients print u'...'.
        if self.peek()? == 'u' {
            self.rest.next();
        }
        match self.rest.peek().copied()? {
            quote @ ('\'' | '"') => self.quoted(quote),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Option<String> {
        let mut word = String::new();
        let belongs =
            |character: &char| character.is_ascii_alphanumeric() || "+-._".contains(*character);
        while let Some(character) = self.rest.next_if(belongs) {
            word.push(character);
        }
        let known = matches!(word.as_str(), "True" | "False" | "None" | "true" | "false" | "null");
        (known || word.parse::<f64>().is_ok()).then_some(word)
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        self.rest.next();
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                end if end == quote => return Some(text),
                '\n' => return None,
                '\\' => text.push(self.escaped()?),
                character => text.push(character),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        match self.rest.next()? {
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'x' => self.code(2),
            'u' => self.code(4),
            'U' => self.code(8),
            same @ ('\\' | '\'' | '"' | '/') => Some(same),
            _ => None,
        }
    }

    fn code(&mut self, digits: usize) -> Option<char> {
        let mut code = 0_u32;
        for _ in 0..digits {
            code = code.checked_mul(16)?.checked_add(self.rest.next()?.to_digit(16)?)?;
        }
        // No database takes a NUL.
        char::from_u32(code).filter(|character| *character != '\0')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Option<BTreeMap<String, String>> {
        parse(text)
    }

    fn owned(pairs: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
        Some(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn reads_what_python_and_json_print() {
        assert_eq!(pairs("{}"), owned(&[]));
        assert_eq!(pairs("{'a': 'b', 'c': \"it's\",}"), owned(&[("a", "b"), ("c", "it's")]));
        assert_eq!(pairs(" { \"a\" : \"b\" } "), owned(&[("a", "b")]));
        assert_eq!(pairs("{'a': 'b', 'a': 'c'}"), owned(&[("a", "c")]));
        assert_eq!(
            pairs("{u'a': 1, 'b': -2.5, 'c': True}"),
            owned(&[("a", "1"), ("b", "-2.5"), ("c", "True")])
        );
        assert_eq!(pairs(r"{'a\'b': '\\\n\x41\u00e9\U0001f9f6'}"), owned(&[("a'b", "\\\nAé🧶")]));
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "x",
            "1",
            "{'a'",
            "{'a': }",
            "{'a': 'b'",
            "{'a': 'b'} x",
            "{'a': ['b']}",
            "{'a': b}",
            "['a']",
            "{'a': 'b' 'c': 'd'}",
            "{'a': '\\x0'}",
            "{'a': '\\0'}",
            "{'a': '\\u0000'}",
            "{,}",
            "{'a': {'b': 'c'}}",
            "__import__('os')",
        ] {
            assert_eq!(pairs(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn json_objects_of_texts_read_back(
            map in proptest::collection::btree_map("[^\u{0}]{0,8}", "[^\u{0}-\u{1f}]{0,8}", 0..4),
        ) {
            prop_assume!(map.keys().all(|key| !key.chars().any(|c| c < ' ')));
            let text = serde_json::to_string(&map).unwrap();
            prop_assert_eq!(parse(&text), Some(map));
        }

        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
