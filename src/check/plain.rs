//! Text from an input, made harmless for a terminal and a log.

/// `text` with control characters written as escapes (line ends and tabs stay), and no line that a build server takes for a command
/// (`::error`, `##[error]`): what a stranger writes into a manifest is shown, and nothing more.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, line) in text.split('\n').enumerate() {
        if place > 0 {
            out.push('\n');
        }
        let start = line.trim_start();
        if start.starts_with("::") || start.starts_with("##[") {
            out.push('\\');
        }
        for character in line.chars() {
            match character {
                '\t' => out.push('\t'),
                character if is_dangerous(character) => out.extend(character.escape_default()),
                character => out.push(character),
            }
        }
    }
    out
}

/// Control characters, and those that turn the direction of writing around.
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_a_terminal_or_a_build_server_would_act_on_is_text() {
        for (given, shown) in [
            ("a\u{1b}[31mb", "a\\u{1b}[31mb"),
            ("a\n::error file=x::y", "a\n\\::error file=x::y"),
            ("  ##[error]z", "\\  ##[error]z"),
            ("a\u{202e}b\r", "a\\u{202e}b\\r"),
            ("ü — ok\n", "ü — ok\n"),
        ] {
            assert_eq!(plain(given), shown);
        }
    }
}
