//! `abaca config show`: the effective configuration as TOML that explains itself and can be used
//! as a config file again, once the hidden secrets are filled in.

use serde_json::Value;

use super::error::Origin;
use super::section::ShownSection;

const WIDTH: usize = 96;

/// Renders the sections in the order they were read.
pub(super) fn render(sections: &[ShownSection]) -> String {
    let mut text = String::from(
        "# The effective configuration of Abaca. Every key can also be set in the environment:\n\
         # ABACA__SECTION__KEY, and ABACA__BACKEND__NAME__KEY for a backend's.\n",
    );
    for section in sections {
        text.push('\n');
        comment(&mut text, section.help);
        if !section.header.is_empty() {
            text.push_str(section.header);
            text.push('\n');
        }
        for shown in &section.keys {
            text.push('\n');
            comment(&mut text, shown.help);
            if shown.origin != Origin::Default {
                comment(&mut text, &format!("Set by {}.", shown.origin));
            }
            if shown.value.is_null() {
                text.push_str(&format!("# {} is not set\n", shown.key));
            } else {
                text.push_str(&format!("{} = {}\n", shown.key, literal(&shown.value)));
            }
        }
    }
    text
}

/// Wraps the text into comment lines.
fn comment(text: &mut String, help: &str) {
    let mut width = WIDTH + 1;
    for word in help.split_whitespace() {
        if width + 1 + word.len() > WIDTH {
            if width <= WIDTH {
                text.push('\n');
            }
            text.push('#');
            width = 1;
        }
        text.push(' ');
        text.push_str(word);
        width += 1 + word.len();
    }
    text.push('\n');
}

/// A value in TOML. JSON's escapes in strings are TOML's too, but for the delete character.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let key = |key: &str| literal(&Value::from(key));
            let items: Vec<String> = table
                .iter()
                .map(|(name, value)| format!("{} = {}", key(name), literal(value)))
                .collect();
            format!("{{ {} }}", items.join(", "))
        }
        other => other.to_string().replace('\u{7f}', "\\u007f"),
    }
}
