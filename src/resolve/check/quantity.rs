//! Durations, percentages and HTTP status codes (R-M-143, R-M-161, R-M-164).

use std::time::Duration;

use super::Verdict;

/// A duration of at least a millisecond, in whole milliseconds.
pub(crate) fn duration(value: Duration) -> Verdict {
    if value < Duration::from_millis(1) {
        Err("a duration must be at least 1ms".to_owned())
    } else if !value.subsec_nanos().is_multiple_of(1_000_000) {
        Err("a duration cannot be finer than a millisecond".to_owned())
    } else {
        Ok(())
    }
}

/// A whole percentage, 0 to 100.
pub(crate) fn percent(value: i32) -> Verdict {
    if (0..=100).contains(&value) {
        Ok(())
    } else {
        Err(format!("percentage `{value}` is not in the range 0 to 100"))
    }
}

/// A percentage with a fraction, 0 to 100.
pub(crate) fn fraction(value: f64) -> Verdict {
    if (0.0..=100.0).contains(&value) {
        Ok(())
    } else {
        Err(format!("percentage `{value}` is not in the range 0 to 100"))
    }
}

/// How often a fault is injected: 0, or 0.0001 to 100 percent, the finest share that Envoy can express (R-M-164).
pub(crate) fn fault_fraction(value: f64) -> Verdict {
    fraction(value)?;
    if value > 0.0 && value < 0.0001 {
        return Err(format!(
            "percentage `{value}` is neither 0 nor in the range 0.0001 to 100"
        ));
    }
    Ok(())
}

/// A status to answer with. Istio accepts 600 too (R-H-140).
pub(crate) fn http_status(status: i64) -> Verdict {
    if (200..=600).contains(&status) {
        Ok(())
    } else {
        Err(format!(
            "HTTP status `{status}` is not in the range 200 to 599"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_m_143_durations_are_whole_milliseconds() {
        assert!(duration(Duration::from_millis(1)).is_ok());
        assert!(duration(Duration::ZERO).is_err());
        assert!(duration(Duration::from_micros(999)).is_err());
        assert!(duration(Duration::from_micros(1500)).is_err());
    }

    #[test]
    fn r_m_164_fault_percentages() {
        for good in [0.0, 0.0001, 100.0] {
            assert!(fault_fraction(good).is_ok(), "{good}");
        }
        for bad in [-1.0, 0.00001, 100.1, f64::NAN] {
            assert!(fault_fraction(bad).is_err(), "{bad}");
        }
        assert!(percent(-1).is_err() && percent(101).is_err() && percent(100).is_ok());
    }

    #[test]
    fn r_h_140_status_600_is_accepted() {
        assert!(http_status(600).is_ok());
        assert!(
            http_status(601).is_err() && http_status(199).is_err() && http_status(-100).is_err()
        );
    }
}
