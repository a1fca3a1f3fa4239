//! Durations as Istio writes them: a protobuf-JSON or Go string in, a [`std::time::Duration`] out.
//!
//! Istio reads durations with Go's `time.ParseDuration` behind its JSON reader, so that `1.5s`, `250ms` and `1h2m` are all
//! accepted. Negative durations are refused here: no field of the API has a use for one.

use std::fmt;
use std::str::FromStr;

/// A span of time with nanosecond precision; prints in the canonical protobuf-JSON form (`1.500s`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtoDuration(std::time::Duration);

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// There is no text.
    #[error("a duration cannot be empty")]
    Empty,
    /// The text is not a sequence of numbers with units.
    #[error("a duration is a sequence of numbers with units, such as `1.5s`, `250ms` or `1h30m`")]
    Malformed,
    /// A number without a unit.
    #[error("a duration needs a unit: one of `ns`, `us`, `ms`, `s`, `m`, `h`")]
    NoUnit,
    /// The duration is below zero.
    #[error("a duration cannot be negative")]
    Negative,
    /// More than Go's `time.Duration` (about 292 years) can hold.
    #[error("a duration cannot be longer than 2562047h")]
    TooLong,
}

impl ProtoDuration {
    /// No time at all.
    pub const ZERO: Self = Self(std::time::Duration::ZERO);

    /// A duration of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(std::time::Duration::from_millis(millis))
    }

    /// A duration of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(std::time::Duration::from_secs(seconds))
    }

    /// The same as the standard library's type.
    pub const fn as_std(self) -> std::time::Duration {
        self.0
    }

    /// Whether this is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Reads a duration (`1.5s`, `250ms`, `1h2m`, `0`).
    ///
    /// ```
    /// use meshroute::terms::duration::ProtoDuration;
    /// assert_eq!(ProtoDuration::parse("1m0.5s").unwrap().as_std().as_millis(), 60_500);
    /// assert_eq!(ProtoDuration::parse("0.25s").unwrap().to_string(), "0.250s");
    /// ```
    ///
    /// # Errors
    /// [`DurationError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(DurationError::Empty);
        }
        let mut nanos: u64 = 0;
        while !rest.is_empty() {
            let (term, after) = parse_term(rest)?;
            nanos = nanos.checked_add(term).ok_or(DurationError::TooLong)?;
            rest = after;
        }
        if nanos > i64::MAX as u64 {
            return Err(DurationError::TooLong);
        }
        if negative && nanos > 0 {
            return Err(DurationError::Negative);
        }
        Ok(Self(std::time::Duration::from_nanos(nanos)))
    }
}

/// One number with its unit, in nanoseconds, and what follows it.
fn parse_term(text: &str) -> Result<(u64, &str), DurationError> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole_len = digits(text);
    let (whole, rest) = text.split_at(whole_len);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::Malformed);
    }
    let unit_len = rest
        .bytes()
        .take_while(|b| !b.is_ascii_digit() && *b != b'.')
        .count();
    let (unit, rest) = rest.split_at(unit_len);
    let scale: u64 = match unit {
        "" => return Err(DurationError::NoUnit),
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return Err(DurationError::Malformed),
    };
    let mut nanos: u64 = 0;
    for digit in whole.bytes() {
        nanos = nanos
            .checked_mul(10)
            .and_then(|n| n.checked_add(u64::from(digit - b'0')))
            .ok_or(DurationError::TooLong)?;
    }
    nanos = nanos.checked_mul(scale).ok_or(DurationError::TooLong)?;
    // Digits beyond the unit's nanoseconds are cut off, as Go cuts them off.
    let (mut numerator, mut denominator): (u128, u128) = (0, 1);
    for digit in fraction.bytes().take(18) {
        numerator = numerator * 10 + u128::from(digit - b'0');
        denominator *= 10;
    }
    let part = u64::try_from(numerator * u128::from(scale) / denominator)
        .map_err(|_| DurationError::TooLong)?;
    let total = nanos.checked_add(part).ok_or(DurationError::TooLong)?;
    Ok((total, rest))
}

impl FromStr for ProtoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<ProtoDuration> for std::time::Duration {
    fn from(duration: ProtoDuration) -> Self {
        duration.0
    }
}

impl From<std::time::Duration> for ProtoDuration {
    fn from(duration: std::time::Duration) -> Self {
        Self(duration)
    }
}

impl fmt::Display for ProtoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        match nanos {
            0 => write!(f, "{seconds}s"),
            n if n % 1_000_000 == 0 => write!(f, "{seconds}.{:03}s", n / 1_000_000),
            n if n % 1_000 == 0 => write!(f, "{seconds}.{:06}s", n / 1_000),
            n => write!(f, "{seconds}.{n:09}s"),
        }
    }
}

impl serde::Serialize for ProtoDuration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> Result<u128, DurationError> {
        ProtoDuration::parse(text).map(|d| d.as_std().as_nanos())
    }

    #[test]
    fn reads_protobuf_and_go_forms() {
        assert_eq!(nanos("5s"), Ok(5_000_000_000));
        assert_eq!(nanos("1.5s"), Ok(1_500_000_000));
        assert_eq!(nanos("250ms"), Ok(250_000_000));
        assert_eq!(nanos("1h2m3s"), Ok(3_723_000_000_000));
        assert_eq!(nanos("1m0.5s"), Ok(60_500_000_000));
        assert_eq!(nanos(".5s"), Ok(500_000_000));
        assert_eq!(nanos("5.s"), Ok(5_000_000_000));
        assert_eq!(nanos("+3us"), Ok(3_000));
        assert_eq!(nanos("3\u{b5}s"), Ok(3_000));
        assert_eq!(nanos("0"), Ok(0));
        assert_eq!(nanos("-0"), Ok(0));
        assert_eq!(nanos("0s"), Ok(0));
        assert_eq!(nanos("0.0000000019s"), Ok(1));
        assert_eq!(nanos("2562047h"), Ok(9_223_369_200_000_000_000));
    }

    #[test]
    fn refuses_what_go_refuses() {
        assert_eq!(nanos(""), Err(DurationError::Empty));
        assert_eq!(nanos("-"), Err(DurationError::Empty));
        assert_eq!(nanos("5"), Err(DurationError::NoUnit));
        assert_eq!(nanos("5d"), Err(DurationError::Malformed));
        assert_eq!(nanos("s"), Err(DurationError::Malformed));
        assert_eq!(nanos(".s"), Err(DurationError::Malformed));
        assert_eq!(nanos("1s "), Err(DurationError::Malformed));
        assert_eq!(nanos("-1s"), Err(DurationError::Negative));
        assert_eq!(nanos("2562048h"), Err(DurationError::TooLong));
        assert_eq!(nanos("99999999999999999999s"), Err(DurationError::TooLong));
    }

    #[test]
    fn prints_the_canonical_form() {
        let print = |text: &str| ProtoDuration::parse(text).map(|d| d.to_string());
        assert_eq!(print("1.5s").as_deref(), Ok("1.500s"));
        assert_eq!(print("250ms").as_deref(), Ok("0.250s"));
        assert_eq!(print("1m").as_deref(), Ok("60s"));
        assert_eq!(print("1us").as_deref(), Ok("0.000001s"));
        assert_eq!(print("1ns").as_deref(), Ok("0.000000001s"));
    }
}
