//! One axis at several sizes: time of each stage, memory at the peak, exponents, and whether the answers are right.

use meshroute::diagnostic::Report;
use meshroute::lint::lint;
use meshroute::{Limits, Mesh, Proxy, Resources, Router};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

/// Growth: the exponent between the two largest sizes. n log n has 1.1 there.
pub const EXPONENT: f64 = 1.15;
/// Cost of everything beside that of parsing as many bytes of plain VirtualServices.
const FACTOR: f64 = 20.0;
/// Memory: so much, and so many times the bytes of the input.
const MEMORY: (f64, f64) = ((64 << 20) as f64, 40.0);
/// The time that the processor has given to this process: others that want it, too, do not count.
pub fn now() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Duration::new(
            time.tv_sec.try_into().unwrap_or_default(),
            time.tv_nsec.try_into().unwrap_or_default(),
        )
    }
    #[cfg(not(unix))]
    {
        static START: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        START.elapsed()
    }
}

/// What takes less says nothing about growth.
pub const NEGLIGIBLE: Duration = Duration::from_millis(2);
/// An axis that has taken so long for one size is not tried at the next.
const TOO_LONG: Duration = Duration::from_secs(15);

pub const PLAIN_BYTES: usize = 1 << 20;

/// A way in which an input can be large.
pub struct Axis {
    pub name: &'static str,
    /// The YAML of a size.
    pub write: fn(usize) -> String,
    /// The codes that parse, resolve and lint say, each with how often: anything else fails the bench.
    pub says: &'static [Said],
}

/// A code, and how often at a size.
pub type Said = (&'static str, fn(usize) -> usize);

/// So many as the axis is long.
pub fn each(size: usize) -> usize {
    size
}

/// One.
pub fn once(_: usize) -> usize {
    1
}

/// Any number.
const ANY: usize = usize::MAX;

/// Any number.
pub fn any(_: usize) -> usize {
    ANY
}

/// All but the first.
pub fn but_one(size: usize) -> usize {
    size - 1
}

/// As many problems as a document's reading tells one by one.
pub fn at_most_100(size: usize) -> usize {
    size.min(100)
}

/// The time of each stage: parse, resolve, compile, lint.
type Stages = [Duration; 4];

const STAGES: [&str; 4] = ["parse", "resolve", "compile", "lint"];

struct Run {
    stages: Stages,
    bytes: usize,
    peak: usize,
}

/// The power of the size with which the time grows.
pub fn exponent(before: (usize, Duration), last: (usize, Duration)) -> f64 {
    let times = last.1.as_secs_f64() / before.1.as_secs_f64().max(1e-6);
    times.ln() / (last.0 as f64 / before.0 as f64).ln()
}

/// How long it takes to parse a mebibyte of plain VirtualServices.
pub fn plain() -> Duration {
    let mut text = String::new();
    for n in 0.. {
        if text.len() >= PLAIN_BYTES {
            break;
        }
        let _ = write!(
            text,
            "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: service-{n}\n  namespace: shop\nspec:\n  hosts:\n  - service-{n}.example.com\n  http:\n  - match:\n    - uri:\n        prefix: /api/v{n}\n    timeout: 2.5s\n    route:\n    - destination:\n        host: service-{n}\n        subset: v1\n      weight: 90\n    - destination:\n        host: service-{n}\n        subset: v2\n      weight: 10\n"
        );
    }
    let run = || {
        let start = now();
        black_box(Resources::from_yaml(&text).expect("plain VirtualServices are sound"));
        now() - start
    };
    run();
    (0..5).map(|_| run()).min().unwrap_or_default()
}

/// Measures an axis, prints it, and says how many targets it misses.
pub fn axis(axis: &Axis, sizes: &[usize], plain: Duration) -> usize {
    let mut runs: Vec<(usize, Run)> = Vec::new();
    for &size in sizes {
        let text = (axis.write)(size);
        let mut run = once_through(axis, size, &text);
        // Short runs again: the best of some is the least disturbed.
        let total: Duration = run.stages.iter().sum();
        let again = match total.as_millis() {
            0..100 => 5,
            100..1000 => 2,
            _ => 0,
        };
        for _ in 0..again {
            let other = once_through(axis, size, &text);
            for (best, time) in run.stages.iter_mut().zip(other.stages) {
                *best = (*best).min(time);
            }
        }
        runs.push((size, run));
        if total > TOO_LONG {
            break;
        }
    }
    report(axis, &runs, plain)
}

fn report(axis: &Axis, runs: &[(usize, Run)], plain: Duration) -> usize {
    let mut missed = 0;
    println!("{}", axis.name);
    for (stage, name) in STAGES.iter().enumerate() {
        let mut line = format!("  {name:<10}");
        for (_, run) in runs {
            let _ = write!(line, "{:>12.2} ms", run.stages[stage].as_secs_f64() * 1e3);
        }
        if let [.., (small, before), (large, last)] = runs {
            let (before, last) = (before.stages[stage], last.stages[stage]);
            if last > NEGLIGIBLE {
                let exponent = exponent((*small, before), (*large, last));
                let _ = write!(line, "   n^{exponent:.2}");
                if exponent > EXPONENT {
                    line.push_str("  MISSED");
                    missed += 1;
                }
            }
        }
        println!("{line}");
    }
    let Some((size, last)) = runs.last() else {
        return missed;
    };
    let total: Duration = last.stages.iter().sum();
    let allowed = plain.as_secs_f64() * last.bytes as f64 / PLAIN_BYTES as f64;
    let factor = total.as_secs_f64() / allowed;
    let mut line = format!(
        "  at {size}: {} KiB, {factor:.1} x plain",
        last.bytes / 1024
    );
    if factor > FACTOR && total > NEGLIGIBLE {
        line.push_str("  MISSED");
        missed += 1;
    }
    let _ = write!(
        line,
        ", {:.1} MiB at the peak",
        last.peak as f64 / 1_048_576.0
    );
    if last.peak as f64 > MEMORY.0 + MEMORY.1 * last.bytes as f64 {
        line.push_str("  MISSED");
        missed += 1;
    }
    println!("{line}");
    missed
}

fn once_through(axis: &Axis, size: usize, text: &str) -> Run {
    let mut stages = Stages::default();
    let mut said = Report::new();
    let memory = allocation_counter::measure(|| {
        let start = now();
        let builder = Resources::builder().limits(Limits::default());
        let (resources, report) = builder.yaml("growth.yaml", text).build_lenient();
        stages[0] = now() - start;
        said.append(report);
        let start = now();
        let (mesh, report) = Mesh::resolve_lenient(resources);
        stages[1] = now() - start;
        said.append(report);
        let start = now();
        let router = Router::compile(&mesh, &Proxy::default());
        let sidecar = Router::compile(&mesh, &Proxy::sidecar("default"));
        stages[2] = now() - start;
        black_box((router, sidecar));
        let start = now();
        let report = lint(&mesh);
        stages[3] = now() - start;
        said.append(report);
    });
    check(axis, size, &said);
    Run {
        stages,
        bytes: text.len(),
        peak: usize::try_from(memory.bytes_max).unwrap_or_default(),
    }
}

fn check(axis: &Axis, size: usize, said: &Report) {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for diagnostic in said {
        *found.entry(diagnostic.code().id()).or_default() += 1;
    }
    let expected: BTreeMap<&str, usize> = axis
        .says
        .iter()
        .map(|(code, count)| (*code, count(size)))
        .filter(|(_, count)| *count > 0 && *count != ANY)
        .collect();
    // Where a budget ends is no business of the bench: that it ends is.
    found.retain(|code, _| {
        !axis
            .says
            .iter()
            .any(|(known, count)| known == code && count(size) == ANY)
    });
    if found != expected {
        let first: Vec<String> = said.iter().take(2).map(ToString::to_string).collect();
        panic!(
            "{} at {size}: said {found:?}, expected {expected:?}\n{}",
            axis.name,
            first.join("\n")
        );
    }
}
