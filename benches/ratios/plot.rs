//! `benches/cost.svg`: what a first match costs against the number of rules, measured now for the scan and for the index.
//! Envoy's line is what `cargo run --release --all-features --example envoy -- --write` measured last and wrote into `benches/envoy.csv`.

use std::fmt::Write;
use std::path::Path;

use crate::measure::{Report, median};
use crate::on_rules::{Matcher, time_of_scan};
use crate::tables;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;

type Line = Vec<(usize, f64)>;

pub fn write(_report: &mut Report) {
    let (mut scan, mut index): (Line, Line) = (Vec::new(), Vec::new());
    for size in [10, 30, 100, 300, 1_000, 3_000, 10_000] {
        let table = tables::realistic(size);
        let matcher = Matcher::new(&table);
        let (mut indexing, mut scanning) = (matcher.time(), time_of_scan(&table));
        index.push((size, median((0..7).map(|_| indexing()).collect())));
        scan.push((size, median((0..7).map(|_| scanning()).collect())));
    }
    let envoy = envoy();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/cost.svg");
    match std::fs::write(
        &path,
        svg(&[
            ("scan", "#c0392b", scan),
            ("Envoy", "#7f8c8d", envoy),
            ("meshroute", "#2471a3", index),
        ]),
    ) {
        Ok(()) => println!("wrote {}", path.display()),
        Err(error) => println!("could not write {}: {error}", path.display()),
    }
}

/// Rules, and nanoseconds that Envoy needs to find the rule of a mixed request; empty where nothing was written.
fn envoy() -> Line {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/envoy.csv");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let point = |row: &str| {
        let mut fields = row.split(',');
        let rules = fields.next()?.parse().ok()?;
        Some((rules, fields.nth(2)?.parse().ok()?))
    };
    // The first two lines say where the figures come from and what they are.
    let points = text.lines().skip(2).filter_map(point);
    // What is lost in the noise of the network has no place on a logarithmic scale.
    points.filter(|(_, cost)| *cost >= 10.0).collect()
}

/// Left to right 10 to 10 000 rules, bottom to top 10 ns to 1 ms, both logarithmic.
fn place(size: usize, cost: f64) -> (f64, f64) {
    let x = 70.0 + ((size as f64).log10() - 1.0) / 3.0 * (WIDTH - 230.0);
    let y = HEIGHT - 50.0 - (cost.log10() - 1.0) / 5.0 * (HEIGHT - 90.0);
    (x, y)
}

fn svg(lines: &[(&str, &str, Line)]) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n"
    );
    let _ = writeln!(
        out,
        "<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n<text x=\"70\" y=\"24\" font-size=\"14\">First match in one host, by number of rules</text>"
    );
    for (exponent, label) in [
        (1, "10 ns"),
        (2, "100 ns"),
        (3, "1 us"),
        (4, "10 us"),
        (5, "100 us"),
        (6, "1 ms"),
    ] {
        let ((x, y), (end, _)) = (place(10, 10_f64.powi(exponent)), place(10_000, 10.0));
        let _ = writeln!(
            out,
            "<line x1=\"{x:.0}\" y1=\"{y:.0}\" x2=\"{end:.0}\" y2=\"{y:.0}\" stroke=\"#ddd\"/><text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{label}</text>",
            x - 6.0,
            y + 4.0
        );
    }
    for size in [10, 100, 1_000, 10_000] {
        let (x, y) = place(size, 10.0);
        let _ = writeln!(
            out,
            "<text x=\"{x:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{size}</text>",
            y + 18.0
        );
    }
    for (name, colour, line) in lines {
        let points: Vec<String> = line
            .iter()
            .map(|&(size, cost)| place(size, cost))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>",
            points.join(" ")
        );
        if let Some(&(size, cost)) = line.last() {
            let (x, y) = place(size, cost);
            let _ = writeln!(
                out,
                "<text x=\"{:.0}\" y=\"{:.0}\" fill=\"{colour}\">{name}</text>",
                x + 8.0,
                y + 4.0
            );
        }
    }
    out.push_str("</svg>\n");
    out
}
