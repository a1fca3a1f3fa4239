//! How the cost of an input grows with its size, on every axis on which an input can be large: `cargo bench --bench growth
//! [-- AXIS... SIZE...]` prints, for each axis and stage (parse, resolve, compile, lint), the time at each size and the exponent of
//! growth between the two largest; then the cost of all stages beside that of parsing as many bytes of plain
//! VirtualServices, and the memory that they take at their peak. `MISSED` stands beside what misses its target.
//!
//! Each answer is checked: what an axis should say, it says, and nothing else. `-- --test` does that at small sizes only.

#[path = "growth/axes.rs"]
mod axes;
#[path = "growth/gateway_api_axes.rs"]
mod gateway_api_axes;
#[path = "growth/kubernetes_axes.rs"]
mod kubernetes_axes;
#[path = "growth/measure.rs"]
mod measure;
#[path = "growth/proxy_axes.rs"]
mod proxy_axes;
#[path = "growth/request_axes.rs"]
mod request_axes;
#[path = "growth/text_axes.rs"]
mod text_axes;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_test = arguments.iter().any(|argument| argument == "--test");
    let sizes: Vec<usize> = arguments.iter().flat_map(|text| text.parse()).collect();
    let wanted: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--") && argument.parse::<usize>().is_err())
        .collect();
    let sizes: &[usize] = match (is_test, &*sizes) {
        (true, _) => &[20, 40],
        (false, []) => &[1_000, 4_000, 16_000],
        (false, sizes) => sizes,
    };
    let plain = measure::plain();
    println!(
        "plain VirtualServices: {:.1} ns per byte to parse\n",
        plain.as_nanos() as f64 / measure::PLAIN_BYTES as f64
    );
    let groups = [
        axes::AXES,
        kubernetes_axes::AXES,
        gateway_api_axes::AXES,
        proxy_axes::AXES,
        text_axes::AXES,
    ];
    let mut missed = 0;
    for axis in groups.into_iter().flatten() {
        if wanted.is_empty() || wanted.iter().any(|part| axis.name.contains(part.as_str())) {
            missed += measure::axis(axis, sizes, plain);
        }
    }
    for axis in request_axes::AXES {
        if wanted.is_empty() || wanted.iter().any(|part| axis.name.contains(part.as_str())) {
            missed += request_axes::measure(axis, sizes);
        }
    }
    println!("\n{missed} missed");
}
