//! Time as it is handed in, in whole milliseconds: Envoy's unit for all that is configured.

use std::time::Duration;

#[inline]
pub(super) fn milliseconds(time: Duration) -> u64 {
    let seconds = time.as_secs().saturating_mul(1_000);
    seconds.saturating_add(time.subsec_millis().into())
}
