//! The tables against a naive scan: `HostTable`, `SimpleTable` and `RuleIndex` may be faster, never different.

mod hosts;
mod request;
mod router;
mod rules;

/// Number of random cases: what fits a CI run, or more with `MESHROUTE_CASES=<factor>`.
fn cases(default: u32) -> u32 {
    let factor = std::env::var("MESHROUTE_CASES")
        .ok()
        .and_then(|factor| factor.parse().ok());
    default * factor.unwrap_or(1)
}
