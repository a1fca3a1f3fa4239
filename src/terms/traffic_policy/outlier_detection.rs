//! `outlierDetection`: failing endpoints are ejected for a while (R-M-104..R-M-110).
//!
//! Its presence also switches on locality failover (R-M-125). The deprecated `consecutiveErrors` has no place here:
//! Istio does not read it (R-M-106).

use std::time::Duration;

/// `outlierDetection`, with Envoy's defaults filled in.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutlierDetection {
    /// 5xx answers in a row that eject; 0: none; 5 where unset (R-M-104).
    pub consecutive_5xx_errors: u32,
    /// 502, 503 or 504 in a row that eject; 0 or unset: none (R-M-105).
    pub consecutive_gateway_errors: u32,
    /// Failures to connect are counted apart from answers (R-M-108).
    pub split_external_local_origin_errors: bool,
    /// Failures to connect in a row that eject; read only where they are counted apart; 0: none; 5 where unset
    /// (R-M-108).
    pub consecutive_local_origin_failures: u32,
    /// Between two looks at the endpoints; 10 s (R-M-107).
    pub interval: Duration,
    /// First ejection; each further one is longer by as much; 30 s (R-M-107).
    pub base_ejection_time: Duration,
    /// Most endpoints ejected at once, in percent; 10 (R-M-107).
    pub max_ejection_percent: u8,
    /// Below so many healthy endpoints, in percent, all are used again; 0 (the default): never (R-M-109).
    pub min_health_percent: u8,
    /// Status codes that count as errors; empty: 5xx (R-M-110).
    pub http_error_codes: Box<[u32]>,
}

short_debug! {
    OutlierDetection {consecutive_5xx_errors, consecutive_gateway_errors,
    split_external_local_origin_errors, consecutive_local_origin_failures, interval,
    base_ejection_time, max_ejection_percent, min_health_percent, http_error_codes}
}

impl Default for OutlierDetection {
    fn default() -> Self {
        OutlierDetection {
            consecutive_5xx_errors: 5,
            consecutive_gateway_errors: 0,
            split_external_local_origin_errors: false,
            consecutive_local_origin_failures: 5,
            interval: Duration::from_secs(10),
            base_ejection_time: Duration::from_secs(30),
            max_ejection_percent: 10,
            min_health_percent: 0,
            http_error_codes: Box::default(),
        }
    }
}
