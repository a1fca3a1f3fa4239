//! A decision applied in one call: to the request that it was made for, and to the response that comes back, so that an
//! embedder cannot get the order wrong (R-H-116..R-H-132).

use super::answer;
use super::head::with_head;
use super::headers::{self, Commands, Received, Sent, Values};
use super::names::Names;
use super::path::{Target, with_normal_form};
use super::rewrite;
use super::subject::Subject;
use crate::decision::{Applied, Decision, Outcome, UpstreamRequest};
use crate::terms::header_list::HeaderList;
use crate::terms::header_operations::HeaderOperations;
use crate::terms::path_normalization::PathHandling;
use crate::terms::request::Request;
use crate::terms::route_policy::HashKey;

impl Decision<'_> {
    /// What becomes of the request that this decision was made for: what to send upstream, or what to answer. Header
    /// changes, host and path rewrite, redirect, direct response, fault and CORS, in Envoy's order. Injected
    /// [delays](Self::delay) and [mirrors](Self::mirrors) are left to the caller.
    ///
    /// # Complexity
    /// Copies the header lines; linear in them and in the changes.
    pub fn apply(&self, request: &Request<'_>) -> Applied {
        self.apply_with(request, &|_| None)
    }

    /// The same, with the values of format commands that only the caller knows: `commands` is asked for them by their text
    /// without the percent signs, such as `UPSTREAM_HOST` (R-H-120). What the request says is known without it.
    pub fn apply_with(
        &self,
        request: &Request<'_>,
        commands: &dyn Fn(&str) -> Option<String>,
    ) -> Applied {
        match self.outcome {
            Outcome::Tcp { cluster, .. } if cluster.exists() => return Applied::ForwardBytes,
            Outcome::Tcp { .. } => return Applied::Close,
            _ => {}
        }
        self.with_subject(request, |subject| match self.outcome {
            Outcome::Forward { cluster, .. } if cluster.exists() => {
                Applied::Forward(self.upstream_request(subject, commands))
            }
            _ => match answer::answer(self, subject, commands) {
                Some(answer) => Applied::Answer(answer),
                None => Applied::Close,
            },
        })
    }

    /// What becomes of the response of the upstream that the request was forwarded to: header changes of the route and of
    /// the destination, and the headers of CORS (R-H-125, R-H-148). `status` and `response` are the upstream's.
    ///
    /// # Complexity
    /// As [`apply`](Self::apply).
    pub fn apply_to_response(&self, request: &Request<'_>, status: u16, response: &mut HeaderList) {
        self.apply_to_response_with(request, status, response, &|_| None);
    }

    /// The same, with the values of format commands that only the caller knows; see [`apply_with`](Self::apply_with).
    /// What request and response say is known without it.
    pub fn apply_to_response_with(
        &self,
        request: &Request<'_>,
        status: u16,
        response: &mut HeaderList,
        commands: &dyn Fn(&str) -> Option<String>,
    ) {
        if !self.changes_response() {
            return;
        }
        self.with_subject(request, |subject| {
            // Formats of the response look into the request as it was sent upstream.
            let upstream = self.upstream_request(subject, commands);
            let sent = Sent {
                path: &upstream.path,
                authority: &upstream.authority,
                lines: &upstream.headers,
            };
            self.change_response(subject, &sent, status, response, commands);
            self.set_cookies(subject, response);
            answer::name_allowed_origin(self, subject, response);
        });
    }

    /// Whether the response is perhaps to be changed: of what is forwarded without header changes, CORS and cookies of hash policies,
    /// it is not, and [`apply_to_response`](Self::apply_to_response) need not be called.
    ///
    /// # Complexity
    /// Constant, but for the hash policies of the rule. No allocation.
    pub fn changes_response(&self) -> bool {
        let (Outcome::Forward { .. }, Some(rule)) = (self.outcome, self.rule()) else {
            return false;
        };
        let of_destination = self.chosen.and_then(|chosen| chosen.headers.as_deref());
        let mut changes = rule.action().headers().into_iter().chain(of_destination);
        changes.any(|changes| !changes.response.is_empty())
            || rule.action().policy().cors.is_some()
            || self
                .hash_policy()
                .iter()
                .any(|key| matches!(key, HashKey::Cookie { ttl: Some(_), .. }))
    }

    /// Hands the request as it was matched to `run`.
    pub(super) fn with_subject<R>(
        &self,
        request: &Request<'_>,
        run: impl FnOnce(&Subject<'_, '_>) -> R,
    ) -> R {
        with_head(request, |head| {
            // Where nothing was matched, authority and path may be anything.
            let head = head.unwrap_or_default();
            let is_normalized =
                self.virtual_host.is_some() || matches!(self.outcome, Outcome::PathRedirect);
            let handling = match is_normalized {
                true => self.manager.path,
                false => PathHandling::NONE,
            };
            with_normal_form(head.target, handling, |target| {
                let target = target.unwrap_or_else(|_| Target::new(head.target));
                let names = Names::default();
                run(&Subject::new(request, &names, self.manager, head, target))
            })
        })
    }

    /// Runs the response changes of the route and of the drawn destination.
    pub(super) fn change_response(
        &self,
        subject: &Subject<'_, '_>,
        sent: &Sent<'_>,
        status: u16,
        response: &mut HeaderList,
        commands: &Commands<'_>,
    ) {
        let Some(rule) = self.rule() else { return };
        let values = Values {
            subject,
            rule: rule.name(),
            commands,
        };
        for step in headers::steps(rule.action(), self.chosen) {
            let operations: Vec<&HeaderOperations> =
                step.iter().map(|changes| &changes.response).collect();
            headers::run(&operations, response, &|format, lines| {
                values.evaluate(format, sent, Some(Received { status, lines }))
            });
        }
    }

    fn upstream_request(
        &self,
        subject: &Subject<'_, '_>,
        commands: &Commands<'_>,
    ) -> UpstreamRequest {
        let request = subject.request;
        let mut upstream = UpstreamRequest {
            method: request.method.to_owned(),
            path: subject.target.to_owned(),
            authority: subject.authority.to_owned(),
            headers: self.lines_sent(subject),
        };
        let Some(rule) = self.rule() else {
            return upstream;
        };
        let values = Values {
            subject,
            rule: rule.name(),
            commands,
        };
        for step in headers::steps(rule.action(), self.chosen) {
            let operations: Vec<&HeaderOperations> =
                step.iter().map(|changes| &changes.request).collect();
            headers::run(&operations, &mut upstream.headers, &|format, lines| {
                let sent = Sent {
                    path: subject.target,
                    authority: subject.authority,
                    lines,
                };
                values.evaluate(format, &sent, None)
            });
        }
        if let Some(authority) = self.rewritten_authority() {
            let original = std::mem::replace(&mut upstream.authority, authority.to_owned());
            if self.manager.appends_host && rule.action().policy().rewrite.is_some() {
                append_host(&mut upstream.headers, &original);
            }
        }
        let written = rule.action().policy().rewrite.path.as_ref();
        if let Some(path) =
            written.and_then(|rewrite| rewrite::apply(rewrite, &rule.matches().path, subject))
        {
            let original = std::mem::replace(&mut upstream.path, path);
            if !self.manager.hides_itself {
                upstream.headers.set("x-envoy-original-path", original);
            }
        }
        upstream
    }

    /// The lines of the request, and what the router adds before the rule changes them: the first attempt, and how long the
    /// upstream has (R-H-145).
    fn lines_sent(&self, subject: &Subject<'_, '_>) -> HeaderList {
        let mut lines = headers::lines_of(subject);
        if let Some(limit) = self.expected_timeout(subject.request) {
            let limit = limit.as_millis();
            if !self.manager.hides_itself {
                lines.set("x-envoy-expected-rq-timeout-ms", limit.to_string());
            }
            if subject.is_grpc() {
                lines.set("grpc-timeout", format!("{limit}m"));
            }
        }
        if !self.manager.hides_attempts {
            lines.set("x-envoy-attempt-count", "1");
        }
        lines
    }

    /// `rewrite.authority`, else what the route's headers set, else what the destination's do (R-H-123).
    fn rewritten_authority(&self) -> Option<&str> {
        let action = self.rule()?.action();
        let by_headers = || {
            let route = action
                .headers()
                .and_then(|changes| changes.authority.as_deref());
            route.or_else(|| self.chosen?.headers.as_deref()?.authority.as_deref())
        };
        action
            .policy()
            .rewrite
            .authority
            .as_deref()
            .or_else(by_headers)
    }
}

/// Tells the upstream the host that was asked for, unless it is the last that it is told already (R-H-124).
fn append_host(lines: &mut HeaderList, host: &str) {
    const NAME: &str = "x-forwarded-host";
    let told = lines.get(NAME).filter(|told| !told.is_empty());
    let Some(told) = told else {
        return lines.set(NAME, host);
    };
    let last = told
        .rsplit(|&byte| byte == b',')
        .find(|part| !part.is_empty());
    if last != Some(host.as_bytes()) {
        let all = [told, b",", host.as_bytes()].concat();
        lines.set(NAME, all);
    }
}
