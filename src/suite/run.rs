//! Asking the tests of a suite.

use std::collections::HashMap;

use super::coverage::Coverage;
use super::{Suite, Test};
use crate::check::{Allowed, View, Workspace};
use crate::diagnostic::Code;
use crate::terms::request::Tls;
use crate::{Compiler, Connection, Request, Router};

/// What came out of a suite.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// The names of the tests that passed.
    pub passed: Vec<String>,
    /// The others.
    pub failures: Vec<Failure>,
    /// Which rules were asked, of all views that the tests are for.
    pub coverage: Coverage,
}

/// A test that did not pass.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The test.
    pub name: String,
    /// Its line in the file, from 1; 0: not known.
    pub line: usize,
    /// What was expected, and what came.
    pub message: String,
    /// Why: the explanation of the request.
    pub explanation: String,
}

/// The views of a workspace with their routers, made when they are first asked for.
struct Views<'w> {
    workspace: &'w Workspace,
    compiler: Compiler,
    routers: HashMap<String, (View, Router)>,
}

impl Views<'_> {
    fn of(&mut self, test: &Test) -> Result<&(View, Router), String> {
        let (host, port) = test.request.authority();
        let via = test.request.via.as_deref();
        let (gateway, from) = match via {
            None => (None, None),
            Some("mesh") => (Some("mesh"), None),
            Some(via) => match via.strip_prefix("mesh from ") {
                Some(namespace) => (None, Some(namespace.trim())),
                None => (Some(via), None),
            },
        };
        let view = self
            .workspace
            .view_for(host, port, gateway, from, "default")?;
        let (compiler, name) = (&mut self.compiler, view.name.clone());
        let entry = self.routers.entry(name);
        Ok(entry.or_insert_with(|| {
            let router = compiler.compile(&view.proxy);
            (view, router)
        }))
    }
}

impl Suite {
    /// Asks every test of what `workspace` holds.
    ///
    /// # Complexity
    /// A compilation for each view that tests are for, and a decision for each test; what fails is explained.
    pub fn run(&self, workspace: &Workspace) -> Outcome {
        let mut views = Views {
            workspace,
            compiler: Compiler::new(workspace.mesh()),
            routers: HashMap::new(),
        };
        let mut outcome = Outcome::default();
        for test in &self.tests {
            let failed = match views.of(test) {
                Ok((view, router)) => {
                    self.ask(test, workspace, view, router, &mut outcome.coverage)
                }
                Err(why) => Some((why, String::new())),
            };
            match failed {
                None => outcome.passed.push(test.name.clone()),
                Some((message, explanation)) => outcome.failures.push(Failure {
                    name: test.name.clone(),
                    line: test.line,
                    message,
                    explanation,
                }),
            }
        }
        for (_, router) in views.routers.values() {
            outcome.coverage.add(router);
        }
        outcome.failures.extend(self.found_codes(workspace));
        outcome
    }

    /// What went wrong, and the explanation; `None`: nothing.
    fn ask(
        &self,
        test: &Test,
        workspace: &Workspace,
        view: &View,
        router: &Router,
        coverage: &mut Coverage,
    ) -> Option<(String, String)> {
        let line = &test.request;
        let mut request = Request::new(&line.method, &line.url);
        for (name, value) in &line.headers {
            request = request.header(name, value);
        }
        let (authority, port) = line.authority();
        let mut connection = Connection::to_port(port);
        if line.url.starts_with("https://") {
            connection = connection
                .tls(Tls::Tls)
                .sni(crate::terms::host::without_port(authority));
        }
        if let Some(address) = workspace.address_of(authority, view) {
            connection = connection.address(address);
        }
        let request = request.connection(connection);
        let decision = router.decide(&request, 0);
        coverage.ask(&decision);
        let seen = decision.observed(&request);
        let mismatch = test.expected.mismatch(&decision, &seen);
        let forbidden = self.never.iter().find(|never| {
            decision.cluster().is_some_and(|cluster| {
                cluster.name() == never.as_str() || (*never == "missing" && !cluster.exists())
            })
        });
        let message = match (mismatch, test.is_negated, forbidden) {
            (_, _, Some(never)) => format!("`never` names `{never}`, got {decision}"),
            (Some(message), false, _) => message,
            (None, true, _) => format!("expected anything else, got {decision}"),
            _ => return None,
        };
        let explained = workspace.explain(view, router, &request, 0);
        Some((message, explained.to_string()))
    }

    /// Findings that `never` names.
    fn found_codes(&self, workspace: &Workspace) -> Vec<Failure> {
        let codes: Vec<Code> = self
            .never
            .iter()
            .flat_map(|never| Code::named(never))
            .collect();
        if codes.is_empty() {
            return Vec::new();
        }
        let found = workspace.findings(&Allowed::new());
        let found = found.iter().filter(|one| codes.contains(&one.code()));
        found
            .map(|one| Failure {
                name: format!("never {}", one.code().name()),
                line: 0,
                message: one.message().to_owned(),
                explanation: one.to_string(),
            })
            .collect()
    }
}
