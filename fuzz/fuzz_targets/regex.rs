//! Any pattern on any text: no panic, and the literals of a pattern are never missing from what it matches.
//!
//! The input is a pattern, a text and a substitution, divided by newlines.
//! `cargo +nightly fuzz run regex fuzz/corpus/regex fuzz/seeds/regex`

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshroute::terms::regex::{MAX_PATTERN_BYTES, Regex, Rewriter};

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |&byte| byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let (pattern, text, substitution) = (part(), part(), part());
    let Ok(pattern) = std::str::from_utf8(pattern) else {
        return;
    };
    match Regex::new(pattern) {
        Ok(regex) => {
            assert!(pattern.len() <= MAX_PATTERN_BYTES);
            let contains = |literal: &[u8]| {
                literal.is_empty() || text.windows(literal.len()).any(|window| window == literal)
            };
            if regex.is_full_match(text) {
                assert!(text.starts_with(regex.literal_prefix()), "{pattern:?}");
                assert!(contains(regex.required_literal()), "{pattern:?}");
            } else if regex.matches_every_ascii_line() {
                assert!(!text.is_ascii(), "{pattern:?}");
            }
        }
        Err(error) => assert!(
            error
                .offset()
                .is_none_or(|offset| pattern.is_char_boundary(offset)),
            "{pattern:?}: {error}"
        ),
    }
    if let Ok(substitution) = std::str::from_utf8(substitution)
        && let Ok(rewriter) = Rewriter::new(pattern, substitution)
    {
        drop(rewriter.replace_all(text));
    }
});
