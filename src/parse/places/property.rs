//! Whatever is written, in whatever style: the place of a field is where its text stands.

use super::Format;
use crate::terms::field_path::FieldPath;
use proptest::prelude::*;
use serde_json::Value;

fn values() -> impl Strategy<Value = Value> {
    let texts = prop_oneof![
        "[a-zé]{1,8}",
        Just("two\nlines\n".to_owned()),
        Just("a: b # c".to_owned()),
        Just("*".to_owned()),
        Just("\u{1f600} \t".to_owned()),
    ];
    let scalar = prop_oneof![
        texts.prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ];
    scalar.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-zé]{1,4}|a b|- c", inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Each key and scalar stands, perhaps in quotes, at the place that is found.
fn check(format: Format, text: &str, value: &Value) -> Result<(), TestCaseError> {
    let places = (format.read_places())(text);
    let written = |path: &FieldPath, of_key| {
        let (line, column) = places.find(text, &mut path.segments().iter(), of_key);
        let shown = places.line(text, line).unwrap_or_default();
        let rest: String = shown.chars().skip(column as usize - 1).collect();
        rest.trim_start_matches(['"', '\'']).to_owned()
    };
    let mut left = vec![(FieldPath::root(), value)];
    while let Some((path, value)) = left.pop() {
        let found = written(&path, false);
        let is_there = match value {
            Value::Array(elements) => {
                let elements = elements.iter().enumerate();
                left.extend(elements.map(|(index, element)| (path.index(index), element)));
                true
            }
            Value::Object(fields) => {
                for (key, field) in fields {
                    let path = path.field(key.clone());
                    let found = written(&path, true);
                    prop_assert!(found.starts_with(key.as_str()), "{path} of {text}: {found}");
                    left.push((path, field));
                }
                true
            }
            Value::String(text) => {
                found.starts_with('\\') || found.chars().next() == text.chars().next()
            }
            scalar => found.starts_with(&scalar.to_string()),
        };
        prop_assert!(is_there, "{path} of {text}: {found}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn fields_are_found_where_they_stand(value in values()) {
        check(Format::Json, &serde_json::to_string(&value).unwrap(), &value)?;
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        check(Format::Json, &pretty, &value)?;
        check(Format::Yaml, &pretty, &value)?;
        let yaml = serde_yaml::to_string(&value).unwrap();
        check(Format::Yaml, &yaml, &value)?;
        check(Format::Yaml, &yaml.replace('\n', "\r\n"), &value)?;
    }
}
