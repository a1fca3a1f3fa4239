//! Bytes as protobuf's JSON writes them.

/// Of base64, standard or for URLs, with or without padding.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        if group.len() == 1 {
            return None;
        }
        let mut word = 0_u32;
        for byte in group {
            word = word << 6 | u32::from(value(*byte)?);
        }
        word <<= 6 * (4 - group.len());
        out.extend(word.to_be_bytes().iter().skip(1).take(group.len() - 1));
    }
    Some(out)
}

fn value(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn padding_may_be_left_out() {
        for text in ["Zm8=", "Zm8"] {
            assert_eq!(decode(text).as_deref(), Some(&b"fo"[..]));
        }
        assert_eq!(
            decode("//79/A==").as_deref(),
            Some(&b"\xff\xfe\xfd\xfc"[..])
        );
        assert_eq!(decode("_-8").as_deref(), Some(&b"\xff\xef"[..]));
        assert_eq!(decode("").as_deref(), Some(&b""[..]));
        for text in ["A", "AA!A", "AAAAA"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
