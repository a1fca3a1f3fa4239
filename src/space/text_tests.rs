//! Classes of texts against all short texts.

use super::language::Language;
use super::text::{TooMuch, classes};
use crate::terms::condition::TextTest;
use crate::terms::path_normalization::{PathHandling, PathNormalization};
use crate::terms::regex::Regex;

fn holds(test: &TextTest<'_>, text: &str) -> bool {
    let folded = |own: &str, ignore_case: bool| match ignore_case {
        true => own.to_ascii_lowercase(),
        false => own.to_owned(),
    };
    match *test {
        TextTest::Any => true,
        TextTest::Exact {
            text: own,
            ignore_case,
        } => folded(own, ignore_case) == folded(text, ignore_case),
        TextTest::Prefix {
            text: own,
            ignore_case,
        } => folded(text, ignore_case).starts_with(&folded(own, ignore_case)),
        TextTest::Below {
            text: own,
            ignore_case,
        } => {
            let (own, text) = (folded(own, ignore_case), folded(text, ignore_case));
            text == own || text.starts_with(&format!("{own}/"))
        }
        TextTest::Regex(regex) => regex.is_full_match(text.as_bytes()),
    }
}

fn is_of(language: Language, text: &str) -> bool {
    let mut bytes = text.bytes();
    let end = bytes.try_fold(Language::START, |state, byte| language.next(state, byte));
    end.is_some_and(|state| language.accepts(state))
}

/// All texts of up to `length` bytes of an alphabet.
fn texts(alphabet: &str, length: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..length {
        let longer = |text: &String| {
            alphabet
                .chars()
                .map(move |byte| format!("{text}{byte}"))
                .collect::<Vec<_>>()
        };
        last = last.iter().flat_map(longer).collect();
        all.extend(last.iter().cloned());
    }
    all
}

#[test]
fn every_text_has_a_class_and_each_test_says_the_same_of_all_of_it() {
    let regexes: Vec<Regex> = ["/a.*", ".*b", "(?i)/A/B", "/[ab]+", "", ".*", r"/\w/.*"]
        .iter()
        .map(|text| Regex::new(text).expect("a regex"))
        .collect();
    let mut tests = vec![TextTest::Any];
    tests.extend(regexes.iter().map(TextTest::Regex));
    for ignore_case in [false, true] {
        for text in ["/", "/a", "/a/", "/a/b", "/A", "", "/ab", "b"] {
            tests.push(TextTest::Exact { text, ignore_case });
            tests.push(TextTest::Prefix { text, ignore_case });
            tests.push(TextTest::Below { text, ignore_case });
        }
    }
    let all = texts("/aAb.", 5);
    // Every window of the list, so that few and many tests stand together.
    for size in [1, 2, 3, 5, tests.len()] {
        for window in tests.windows(size) {
            for language in [Language::Path(PathHandling::default()), Language::Value] {
                let classes = classes(window, language, &[], 1 << 20).expect("little");
                let word = |text: &str| -> Vec<bool> {
                    window.iter().map(|test| holds(test, text)).collect()
                };
                let by_sets = |class: u32| -> Vec<bool> {
                    classes.sets.iter().map(|set| set.contains(class)).collect()
                };
                let mut words = std::collections::BTreeSet::new();
                for (class, sample) in (0..).zip(&classes.samples) {
                    assert!(is_of(language, sample), "{sample:?}");
                    assert_eq!(by_sets(class), word(sample), "{sample:?} of {:?}", size);
                    words.insert(by_sets(class));
                }
                for text in all.iter().filter(|text| is_of(language, text)) {
                    assert!(words.contains(&word(text)), "{text:?} has no class");
                }
            }
        }
    }
}

#[test]
fn a_walk_ends_where_its_limit_is_and_says_so() {
    let regexes: Vec<Regex> = (0..16)
        .map(|n| Regex::new(&format!(".*{}.*", char::from(b'a' + n))).expect("a regex"))
        .collect();
    let tests: Vec<TextTest<'_>> = regexes.iter().map(TextTest::Regex).collect();
    assert_eq!(
        classes(&tests, Language::Value, &[], 1000).err(),
        Some(TooMuch::States)
    );
    let large = Regex::new("(a|b)*a(a|b){24}").expect("a regex");
    let tests = [TextTest::Any, TextTest::Regex(&large)];
    assert_eq!(
        classes(&tests, Language::Value, &[], 1000).err(),
        Some(TooMuch::Regex(1))
    );
}

#[test]
fn r_h_070_the_language_of_paths_is_what_normalisation_leaves_as_it_is() {
    for normalization in [
        PathNormalization::None,
        PathNormalization::Base,
        PathNormalization::MergeSlashes,
        PathNormalization::DecodeAndMergeSlashes,
    ] {
        let handling = PathHandling::from(normalization);
        let language = Language::Path(handling);
        for rest in texts("/.%25fFe;a\\", 5) {
            let path = format!("/{rest}");
            let Some(normal) = crate::route::normal_form(&path, handling) else {
                assert!(!is_of(language, &path), "{path:?} is refused");
                continue;
            };
            assert_eq!(
                is_of(language, &path),
                normal == path,
                "{path:?} becomes {normal:?} by {normalization:?}"
            );
            // Only a request with a backslash before it has such a segment, and it would not be normalised again.
            let is_left_out = [".;", "..;"]
                .iter()
                .any(|segment| normal.contains(&format!("/{segment}")));
            assert!(
                is_left_out || is_of(language, &normal),
                "{normal:?} of {path:?} by {normalization:?}"
            );
        }
    }
}
