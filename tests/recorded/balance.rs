//! Choosing an endpoint by hash, against every recorded pick of a real Envoy (R-B-01..R-B-41): resources in, address out.

use crate::support::archive::{archives, topic};
use crate::support::case;
use crate::support::engine::{ask_for_endpoint, compile};
use crate::support::text;

#[test]
fn every_recorded_pick_is_chosen() {
    let mut picks = 0;
    for archive in archives("recorded") {
        if topic(&archive) != Some("picks") {
            continue;
        }
        for case in case::read(&archive).expect("an archive of cases") {
            let engine = compile(&case, "cluster.local");
            for call in &case.calls {
                let wanted = text(&call.expect, "endpoint");
                if !wanted.is_empty() {
                    let decision = ask_for_endpoint(&engine.router, call, 0);
                    assert_eq!(
                        text(&decision, "endpoint"),
                        wanted,
                        "{} {}",
                        case.id,
                        call.name
                    );
                    picks += 1;
                }
            }
        }
    }
    assert_eq!(picks, 1_054);
}
