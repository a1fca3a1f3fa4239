//! What a comparison found, for people and for programs.

use std::fmt;

use super::aspect::Aspect;
use super::witness::Witness;

/// The answer to a class of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// In words: `outbound|80|v1|shop.default.svc.cluster.local`, `404`, `301 to https`.
    pub text: String,
    /// The rule that answers the witness: the resource that it was written in and its place, or its name.
    pub rule: Option<String>,
    /// The clusters that may get the request, with their shares of the sum.
    pub clusters: Vec<(String, u64)>,
    /// The status, where the proxy itself answers.
    pub status: Option<u16>,
}

/// A class of requests that two routers answer differently.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// Where the requests arrive: the first of those places, and how many others there are.
    pub arrival: String,
    /// The domains: of each, the hosts that no more specific one claims. Empty: no host is asked for.
    pub hosts: Vec<String>,
    /// All of these hold.
    pub conditions: Vec<String>,
    /// None of these rules answers; they come before, in both routers.
    pub unless: Vec<String>,
    /// The answer before.
    pub before: Answer,
    /// The answer after.
    pub after: Answer,
    /// In what the two differ.
    pub aspects: Vec<Aspect>,
    /// A request of the class: both routers have been asked, and answer it as is said here.
    pub witness: Witness,
}

/// A class of requests of which it is not known whether both routers answer alike.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NotProved {
    /// Where the requests arrive.
    pub arrival: String,
    /// The domains.
    pub hosts: Vec<String>,
    /// All of these hold.
    pub conditions: Vec<String>,
    /// Why it is not known.
    pub why: String,
}

/// Everything that a comparison found. Equal routers have neither changes nor anything that is not proved.
///
/// Printed, it is a report for people: the changes by host, each with its witness.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    pub(super) changes: Vec<Change>,
    pub(super) not_proved: Vec<NotProved>,
    pub(super) clusters: Vec<String>,
}

impl Changes {
    /// The classes of requests whose answer changes.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What could not be proved, either way. What samples of it show is among the [changes](Self::changes).
    pub fn not_proved(&self) -> &[NotProved] {
        &self.not_proved
    }

    /// The clusters that both routers have and that are not the same: how they are found, balanced or spoken to. Requests that
    /// go there go there still.
    pub fn clusters(&self) -> &[String] {
        &self.clusters
    }

    /// Whether it is proved that every request is answered alike. Clusters may have changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.not_proved.is_empty()
    }
}

/// So many names are printed of a list.
const MOST_NAMED: usize = 3;

fn fmt_some(f: &mut fmt::Formatter<'_>, names: &[String], between: &str) -> fmt::Result {
    for (at, name) in names.iter().take(MOST_NAMED).enumerate() {
        let join = if at == 0 { "" } else { between };
        write!(f, "{join}{name}")?;
    }
    match names.len().saturating_sub(MOST_NAMED) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

fn fmt_where(
    f: &mut fmt::Formatter<'_>,
    hosts: &[String],
    arrival: &str,
    conditions: &[String],
) -> fmt::Result {
    match hosts.is_empty() {
        true => write!(f, "connections")?,
        false => fmt_some(f, hosts, ", ")?,
    }
    write!(f, " ({arrival})")?;
    if !conditions.is_empty() {
        write!(f, " where {}", conditions.join(" and "))?;
    }
    Ok(())
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.rule {
            Some(rule) => write!(f, " ({rule})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_where(f, &self.hosts, &self.arrival, &self.conditions)?;
        if !self.unless.is_empty() {
            f.write_str(", unless answered by ")?;
            fmt_some(f, &self.unless, ", ")?;
        }
        let aspects: Vec<&str> = self.aspects.iter().map(|aspect| aspect.name()).collect();
        write!(f, "\n  changes {}", aspects.join(", "))?;
        write!(f, "\n  before  {}\n  after   {}", self.before, self.after)?;
        write!(f, "\n  such as {}", self.witness)
    }
}

impl fmt::Display for NotProved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not proved: ")?;
        fmt_where(f, &self.hosts, &self.arrival, &self.conditions)?;
        write!(f, ": {}", self.why)
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            f.write_str("every request is answered alike")?;
        } else {
            let count = self.changes.len();
            let noun = if count == 1 {
                "class of requests changes"
            } else {
                "classes of requests change"
            };
            write!(f, "{count} {noun}")?;
        }
        for change in &self.changes {
            write!(f, "\n\n{change}")?;
        }
        for part in &self.not_proved {
            write!(f, "\n\n{part}")?;
        }
        if !self.clusters.is_empty() {
            f.write_str("\n\nclusters that are not what they were: ")?;
            fmt_some(f, &self.clusters, ", ")?;
        }
        Ok(())
    }
}
