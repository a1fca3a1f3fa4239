//! The cases that are not answered right yet: a checked-in list that may only shrink.
//!
//! Each judge of the recordings has lists of its own, `tests/data/pending/<judge>/<topic>.txt`: lines `case-id<TAB>reason`,
//! sorted, below `#` lines that say what the topic waits for. A listed case that passes fails the run, and so does an unlisted
//! one that fails, so that a list never says more or less than is true.
//!
//! | variable | effect |
//! |---|---|
//! | `MESHROUTE_PENDING=write` | rewrites the lists instead of failing; reasons and `#` lines stay |
//! | `MESHROUTE_PENDING=show` | prints what differs in listed cases, too |
//! | `MESHROUTE_ONLY=text` | asks only the cases whose id contains the text |

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The lists of one judge, and what this run found.
pub struct Pending {
    judge: &'static str,
    topics: BTreeMap<String, Topic>,
    asked: BTreeSet<String>,
    failed: BTreeMap<(String, String), Failure>,
}

#[derive(Default)]
struct Topic {
    comments: Vec<String>,
    reasons: BTreeMap<String, String>,
}

struct Failure {
    reason: String,
    details: Vec<String>,
}

fn folder(judge: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/data/pending").join(judge)
}

/// Whether this run asks the case: see `MESHROUTE_ONLY`.
pub fn is_asked(id: &str) -> bool {
    std::env::var("MESHROUTE_ONLY").map_or(true, |part| id.contains(&part))
}

fn mode_is(mode: &str) -> bool {
    std::env::var("MESHROUTE_PENDING").is_ok_and(|said| said == mode)
}

impl Pending {
    /// The lists of a judge as they are checked in.
    pub fn of(judge: &'static str) -> Self {
        let mut topics = BTreeMap::new();
        for entry in std::fs::read_dir(folder(judge)).into_iter().flatten() {
            let path = entry.expect("a list").path();
            let text = std::fs::read_to_string(&path).expect("a list can be read");
            let name = path.file_stem().expect("a name").to_string_lossy();
            let mut topic = Topic::default();
            for line in text.lines() {
                match line.split_once('\t') {
                    _ if line.starts_with('#') => topic.comments.push(line.to_owned()),
                    Some((id, reason)) => {
                        _ = topic.reasons.insert(id.to_owned(), reason.to_owned());
                    }
                    None => panic!("{}: `{line}` has no reason", path.display()),
                }
            }
            topics.insert(name.into_owned(), topic);
        }
        Self {
            topics,
            ..Self::none(judge)
        }
    }

    /// No case is known to differ.
    pub fn none(judge: &'static str) -> Self {
        Self {
            judge,
            topics: BTreeMap::new(),
            asked: BTreeSet::new(),
            failed: BTreeMap::new(),
        }
    }

    /// The reason why the case is listed.
    pub fn listed(&self, topic: &str, id: &str) -> Option<&str> {
        let topic = self.topics.get(topic)?;
        topic.reasons.get(id).map(String::as_str)
    }

    /// Notes how a case of a topic ended. `details`: what differs, none if it passed; `reason`: what a new line of the list says.
    pub fn note(&mut self, topic: &str, id: &str, reason: &str, details: Vec<String>) {
        self.asked.insert(id.to_owned());
        if !details.is_empty() {
            let reason = reason.replace(['\t', '\n'], " ");
            self.failed.insert(
                (topic.to_owned(), id.to_owned()),
                Failure { reason, details },
            );
        }
    }

    /// Compares what was found with the lists, or rewrites them.
    pub fn finish(self) {
        let known = self
            .failed
            .iter()
            .filter(|((topic, id), _)| self.listed(topic, id).is_some());
        if mode_is("show") {
            for ((_, id), failure) in known.clone() {
                eprintln!("{id} (listed)\n  {}", failure.details.join("\n  "));
            }
        }
        eprintln!(
            "{}: {} cases asked, {} of them not right yet",
            self.judge,
            self.asked.len(),
            known.count()
        );
        if mode_is("write") {
            self.write();
            return;
        }
        let mut wrong = Vec::new();
        for ((topic, id), failure) in &self.failed {
            if self.listed(topic, id).is_none() {
                wrong.push(format!("{id}\n  {}", failure.details.join("\n  ")));
            }
        }
        let whole = std::env::var_os("MESHROUTE_ONLY").is_none();
        for (topic, list) in &self.topics {
            for id in list.reasons.keys() {
                let failed = self.failed.contains_key(&(topic.clone(), id.clone()));
                if self.asked.contains(id) && !failed {
                    wrong.push(format!("{id} passes: take it off the list `{topic}`"));
                } else if whole && !self.asked.contains(id) {
                    wrong.push(format!(
                        "{id} is on the list `{topic}`, and nobody asked it"
                    ));
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "{}: {} cases differ from the lists in {} (MESHROUTE_PENDING=write rewrites them):\n{}",
            self.judge,
            wrong.len(),
            folder(self.judge).display(),
            wrong.join("\n")
        );
    }

    /// Drops what passes, adds what fails, keeps what was not asked.
    fn write(mut self) {
        let whole = std::env::var_os("MESHROUTE_ONLY").is_none();
        for (topic, list) in &mut self.topics {
            list.reasons.retain(|id, _| {
                let failed = self.failed.contains_key(&(topic.clone(), id.clone()));
                failed || (!whole && !self.asked.contains(id))
            });
        }
        for ((topic, id), failure) in self.failed {
            let list = self.topics.entry(topic).or_default();
            list.reasons.entry(id).or_insert(failure.reason);
        }
        let folder = folder(self.judge);
        std::fs::create_dir_all(&folder).expect("the folder of the lists");
        for (topic, list) in self.topics {
            let file = folder.join(format!("{topic}.txt"));
            if list.reasons.is_empty() {
                _ = std::fs::remove_file(file);
                continue;
            }
            let lines = list.reasons.iter().map(|(id, why)| format!("{id}\t{why}"));
            let text: Vec<String> = list.comments.into_iter().chain(lines).collect();
            std::fs::write(file, text.join("\n") + "\n").expect("a list can be written");
        }
    }
}
