//! What a client and an upstream would see of a decision: the form in which answers of real proxies are recorded.

use std::collections::BTreeMap;

use crate::decision::{
    Answer, Applied, Decision, DecisionRecord, UpstreamRequest, UpstreamRequestRecord,
};
use crate::terms::header_list::HeaderList;
use crate::terms::request::{Request, Sent, Tls};

impl Decision<'_> {
    /// The decision with what a client and an upstream would see of it, if the upstream answered 200 without headers of its
    /// own: status, response headers and body, and the request as the upstream gets it. Headers that a proxy adds to every
    /// response are left out. A TCP connection to a cluster that does not exist counts as 503, as recordings have it.
    pub fn observed(&self, request: &Request<'_>) -> DecisionRecord {
        self.observed_with(request, &HeaderList::new())
    }

    /// The same, if the upstream answered 200 with these headers, of which only what was changed is named.
    pub fn observed_with(&self, request: &Request<'_>, response: &HeaderList) -> DecisionRecord {
        let mut seen = self.record();
        match self.apply(request) {
            Applied::Forward(upstream) => {
                let mut seen_headers = response.clone();
                self.apply_to_response(request, 200, &mut seen_headers);
                seen.status = Some(200);
                seen.response_headers = texts(&seen_headers);
                for (name, _) in response.iter() {
                    if seen_headers.joined(name) == response.joined(name) {
                        seen.response_headers.remove(name);
                    }
                }
                seen.upstream_request = Some(self.changes(request, &upstream));
            }
            Applied::Answer(Answer {
                status,
                headers,
                body,
            }) => {
                seen.status = Some(status);
                seen.response_headers = texts(&headers);
                // What a proxy adds by itself is left out: also the body of a redirect or fault, and its type.
                if seen.outcome == "direct_response" {
                    seen.body = (!body.is_empty()).then(|| text(&body));
                } else if matches!(
                    headers.get("content-type"),
                    Some(b"text/plain" | b"application/grpc")
                ) {
                    seen.response_headers.remove("content-type");
                }
            }
            Applied::ForwardBytes if request.connection.tls == Tls::None => {
                seen.status = Some(200);
                let mut host = sent(request.authority);
                request.for_each_value("host", &mut |value| {
                    host = format!("{host},{}", text(value));
                });
                seen.upstream_request = Some(UpstreamRequestRecord {
                    path: sent(Some(request.target)),
                    host,
                    ..UpstreamRequestRecord::default()
                });
            }
            Applied::ForwardBytes => {}
            Applied::Close => seen.status = self.cluster().map(|_| 503),
        }
        seen
    }

    /// What is different upstream.
    fn changes(&self, request: &Request<'_>, upstream: &UpstreamRequest) -> UpstreamRequestRecord {
        let mut given = HeaderList::new();
        request.for_each_header(&mut |name, value| given.append(name, value));
        let headers = upstream
            .headers
            .iter()
            .map(|(name, _)| name)
            .filter(|name| upstream.headers.joined(name) != given.joined(name))
            .map(|name| {
                let value = upstream.headers.joined(name).unwrap_or_default();
                (name.to_owned(), text(&value))
            })
            .collect();
        let mut removed: Vec<String> = given
            .iter()
            .map(|(name, _)| name.to_owned())
            .filter(|name| !upstream.headers.contains(name))
            .collect();
        removed.sort();
        removed.dedup();
        UpstreamRequestRecord {
            path: upstream.path.clone(),
            host: upstream.authority.clone(),
            headers,
            removed_headers: removed,
        }
    }
}

fn sent(text: Option<Sent<'_>>) -> String {
    match text {
        Some(Sent::Text(text)) => text.to_owned(),
        // As recordings have them: one character for each byte.
        Some(Sent::Bytes(bytes)) => bytes.iter().copied().map(char::from).collect(),
        None => String::new(),
    }
}

fn texts(headers: &HeaderList) -> BTreeMap<String, String> {
    headers
        .iter()
        .map(|(name, _)| {
            (
                name.to_owned(),
                text(&headers.joined(name).unwrap_or_default()),
            )
        })
        .collect()
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}
