//! The crate `http` (feature `http`): what hyper, axum, tonic and reqwest speak.
//!
//! | from | to |
//! |---|---|
//! | `http::request::Parts` | [`Request::parts`], nothing copied |
//! | `http::HeaderMap` | a [`HeaderSource`] |
//! | [`Answer`] | `http::Response<Vec<u8>>` by `into()` |
//! | [`UpstreamRequest`] | `http::request::Parts` by [`UpstreamRequest::write_to`] |
//! | a response | changed in place by [`Decision::apply_to_parts`] |
//!
//! ```
//! use meshroute::{Mesh, Proxy, Request, Resources, Router, decision::Applied};
//!
//! # #[cfg(feature = "yaml")] {
//! let yaml = "
//! apiVersion: networking.istio.io/v1
//! kind: VirtualService
//! metadata: {name: shop, namespace: default}
//! spec:
//!   hosts: [shop.example.com]
//!   http:
//!   - match: [{uri: {prefix: /cart}}]
//!     rewrite: {uri: /v2/cart}
//!     headers: {response: {set: {x-by: shop}}}
//!     route: [{destination: {host: cart}}]
//! ";
//! let mesh = Mesh::resolve(Resources::from_yaml(yaml)?)?;
//! let router = Router::compile(&mesh, &Proxy::default());
//!
//! let arrived = http::Request::get("/cart/7").header("Host", "shop.example.com").body(()).unwrap();
//! let (mut parts, _body) = arrived.into_parts();
//! let original = parts.clone();
//! let request = Request::parts(&original);
//! let decision = router.decide(&request, 42);
//! let Applied::Forward(upstream) = decision.apply(&request) else { panic!() };
//! upstream.write_to(&mut parts).unwrap();
//! assert_eq!(parts.uri, "/v2/cart/7");
//!
//! let (mut response, _body) = http::Response::new(()).into_parts();
//! decision.apply_to_parts(&request, &mut response).unwrap();
//! assert_eq!(response.headers["x-by"], "shop");
//! # }
//! # Ok::<(), meshroute::Report>(())
//! ```

use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Uri, Version, request, response};

use crate::decision::{Answer, Decision, UpstreamRequest};
use crate::terms::header_list::HeaderList;
use crate::terms::request::{HeaderSource, Protocol, Request};

impl HeaderSource for HeaderMap {
    fn for_each_value<'s>(&'s self, name: &str, visit: &mut dyn FnMut(&'s [u8])) {
        let values = self.get_all(name).iter();
        values.for_each(|value| visit(value.as_bytes()));
    }

    fn for_each<'s>(&'s self, visit: &mut dyn FnMut(&'s str, &'s [u8])) {
        for (name, value) in self {
            visit(name.as_str(), value.as_bytes());
        }
    }
}

impl<'a> Request<'a> {
    /// A request as `http` has it: in origin form (`/path`) with its `Host`, in absolute form (`http://host/path`; `Host` does not
    /// count then), over HTTP/2 with its authority, `*`, or `CONNECT`. It arrives at port 80 in plain text: give it its
    /// [`connection`](Self::connection). Nothing is copied.
    ///
    /// Of a target in absolute form `http` keeps no more than scheme, authority and path, and none of its fragment.
    pub fn parts(parts: &'a request::Parts) -> Self {
        let (uri, method) = (&parts.uri, parts.method.as_str());
        let target = match uri.path_and_query() {
            Some(target) => target.as_str(),
            // `CONNECT host:port`
            None => uri.authority().map_or("", |authority| authority.as_str()),
        };
        let mut request = Request::new(method, "").target(target);
        let is_http1 = !has_streams(parts.version);
        // `http://host?query`: `http` has no `/` before it either.
        request.target_is_query = is_http1 && uri.authority().is_some() && target.starts_with('?');
        let request = request.protocol(match is_http1 {
            true => Protocol::Http1,
            false => Protocol::Http2,
        });
        let request = request.header_source(&parts.headers);
        let request = match uri.authority() {
            Some(authority) => request.authority(authority.as_str()),
            None => request,
        };
        match uri.scheme_str() {
            Some(scheme) => request.scheme(scheme),
            None => request,
        }
    }
}

impl From<Answer> for http::Response<Vec<u8>> {
    /// Status, header lines and body; lengths and dates are the server's business. A status that no response has is 500, and lines
    /// that `http` cannot hold are not there: [`Router`](crate::Router) answers with neither.
    fn from(answer: Answer) -> Self {
        let mut response = http::Response::new(answer.body);
        *response.status_mut() =
            StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let pairs = answer.headers.iter().filter_map(|line| pair(line).ok());
        for (name, value) in pairs {
            // Of a map that is full: no more.
            let _ = response.headers_mut().try_append(name, value);
        }
        response
    }
}

impl UpstreamRequest {
    /// Makes `parts` the request that the upstream is to get: path, authority and header lines. The target is in origin form over
    /// HTTP/1.1, with `Host`; over HTTP/2 and HTTP/3 it has scheme and authority, and there is no `host` line.
    ///
    /// # Errors
    /// Where path, authority or a header line is none that `http` holds, as a name with a blank that a rule sets, or there are too many
    /// names: `parts` are as they were.
    ///
    /// # Complexity
    /// Linear in the header lines.
    pub fn write_to(&self, parts: &mut request::Parts) -> Result<(), http::Error> {
        let has_streams = has_streams(parts.version);
        let uri = match has_streams {
            true => Uri::builder()
                .scheme(parts.uri.scheme_str().unwrap_or("http"))
                .authority(self.authority.as_str())
                .path_and_query(self.path.as_str())
                .build()?,
            false => Uri::builder().path_and_query(self.path.as_str()).build()?,
        };
        let mut headers = map_of(&self.headers)?;
        if !has_streams {
            headers.try_insert(HOST, HeaderValue::from_str(&self.authority)?)?;
        }
        (parts.uri, parts.headers) = (uri, headers);
        Ok(())
    }
}

impl Decision<'_> {
    /// [`apply_to_response`](Self::apply_to_response) for a response of `http`, in place. Where the rule does nothing to
    /// responses, nothing is looked at.
    ///
    /// # Errors
    /// Where `http` cannot hold a header line that a rule adds, as a name with a blank, or there are too many names: `response` is as
    /// it was.
    ///
    /// # Complexity
    /// Constant where nothing [changes](Self::changes_response); else linear in the header lines.
    pub fn apply_to_parts(
        &self,
        request: &Request<'_>,
        response: &mut response::Parts,
    ) -> Result<(), http::Error> {
        if !self.changes_response() {
            return Ok(());
        }
        let mut lines = HeaderList::new();
        for (name, value) in &response.headers {
            lines.append(name.as_str(), value.as_bytes());
        }
        self.apply_to_response(request, response.status.as_u16(), &mut lines);
        response.headers = map_of(&lines)?;
        Ok(())
    }
}

/// Whether authority and scheme stand beside the path, and not in lines.
fn has_streams(version: Version) -> bool {
    matches!(version, Version::HTTP_2 | Version::HTTP_3)
}

/// The lines, if `http` can hold them all.
fn map_of(lines: &HeaderList) -> Result<HeaderMap, http::Error> {
    let mut map = HeaderMap::new();
    for line in lines.iter() {
        let (name, value) = pair(line)?;
        // Many lines of a name take the place of one name: what is full is only known here.
        map.try_append(name, value)?;
    }
    Ok(map)
}

fn pair((name, value): (&str, &[u8])) -> Result<(HeaderName, HeaderValue), http::Error> {
    let name = HeaderName::from_bytes(name.as_bytes())?;
    Ok((name, HeaderValue::from_bytes(value)?))
}

#[cfg(all(test, feature = "yaml"))]
mod tests {
    use super::*;
    use crate::{Mesh, Proxy, Resources, Router};

    const SHOP: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec:
  hosts: [shop.example.com]
  http:
  - {match: [{headers: {x-user: {exact: jane}}}], route: [{destination: {host: beta}}]}
  - {match: [{uri: {prefix: /plain}}], route: [{destination: {host: plain}}]}
  - {headers: {response: {add: {x-by: shop}}}, route: [{destination: {host: shop}}]}
";

    fn router() -> Router {
        let resources = Resources::from_yaml(SHOP).expect("sound");
        let mesh = Mesh::resolve(resources).expect("sound");
        Router::compile(&mesh, &Proxy::default())
    }

    fn parts(builder: http::request::Builder) -> request::Parts {
        builder.body(()).expect("a request").into_parts().0
    }

    fn cluster(parts: &request::Parts) -> Option<String> {
        let router = router();
        let decision = router.decide(&Request::parts(parts), 1);
        decision.cluster().map(|cluster| cluster.host().to_owned())
    }

    #[test]
    fn the_authority_comes_from_where_the_version_of_http_has_it() {
        let shop = Some("shop.default.svc.cluster.local".to_owned());
        let get = |uri: &'static str| http::Request::get(uri);
        let host = |uri: &'static str| get(uri).header("host", "shop.example.com");
        assert_eq!(cluster(&parts(host("/cart"))), shop);
        // Absolute form: `Host` does not count.
        let absolute = get("http://shop.example.com/cart").header("host", "other.example.com");
        assert_eq!(cluster(&parts(absolute)), shop);
        let http2 = get("http://shop.example.com/cart").version(Version::HTTP_2);
        assert_eq!(cluster(&parts(http2)), shop);
        // Two `Host` lines are one that no virtual host has.
        let twice = host("/cart").header("host", "shop.example.com");
        assert_ne!(cluster(&parts(twice)), shop);
        let nothing = router();
        let missing = parts(get("/cart"));
        let decision = nothing.decide(&Request::parts(&missing), 1);
        assert_eq!(decision.status(), Some(400));
        let beta = host("/cart").header("X-User", "jane");
        assert_eq!(
            cluster(&parts(beta)).as_deref(),
            Some("beta.default.svc.cluster.local")
        );
    }

    #[test]
    fn header_maps_say_what_lines_say() {
        let router = router();
        let mut written = parts(http::Request::get("/cart").header("host", "shop.example.com"));
        for (name, value) in [
            ("x-user", "joe"),
            ("x-user", "jane"),
            ("cookie", "a=b"),
            ("accept", "*/*"),
        ] {
            written
                .headers
                .append(name, HeaderValue::from_static(value));
        }
        let mut lines = Request::of("GET", "shop.example.com", "/cart");
        for (name, value) in &written.headers {
            if name != HOST {
                lines = lines.header(name.as_str(), value.as_bytes());
            }
        }
        let of_map = Request::parts(&written);
        let (a, b) = (router.decide(&of_map, 7), router.decide(&lines, 7));
        assert_eq!(a.record(), b.record());
        assert_eq!(a.apply(&of_map), b.apply(&lines));
    }

    #[test]
    fn an_upstream_request_is_written_as_its_version_has_it() {
        let router = router();
        for version in [Version::HTTP_11, Version::HTTP_2, Version::HTTP_3] {
            let url = "http://shop.example.com/cart?q=1";
            let mut written = parts(http::Request::get(url).version(version));
            let arrived = written.clone();
            let request = Request::parts(&arrived);
            let crate::decision::Applied::Forward(upstream) =
                router.decide(&request, 1).apply(&request)
            else {
                panic!("not forwarded");
            };
            upstream.write_to(&mut written).expect("a path");
            let has_host = written.headers.contains_key(HOST);
            assert_eq!(has_host, version == Version::HTTP_11);
            assert_eq!(
                written.uri.authority().is_some(),
                version != Version::HTTP_11
            );
            assert_eq!(
                written.uri.path_and_query().map(|path| path.as_str()),
                Some("/cart?q=1")
            );
        }
    }

    #[test]
    fn a_url_without_a_path_says_what_its_parts_say() {
        let router = router();
        for url in [
            "http://shop.example.com",
            "http://shop.example.com?q=1",
            "http://shop.example.com/?q=1",
        ] {
            let arrived = parts(http::Request::get(url));
            let (of_parts, of_url) = (Request::parts(&arrived), Request::get(url));
            assert_eq!(
                router.decide(&of_parts, 1).apply(&of_parts),
                router.decide(&of_url, 1).apply(&of_url),
                "{url}"
            );
        }
    }

    /// What goes upstream for `lines` of `arrived`, and the parts made of it.
    fn sent(router: &Router, arrived: &request::Parts) -> (request::Parts, bool) {
        let request = Request::parts(arrived);
        let decision = router.decide(&request, 1);
        let crate::decision::Applied::Forward(upstream) = decision.apply(&request) else {
            panic!("not forwarded");
        };
        let mut written = arrived.clone();
        let is_written = upstream.write_to(&mut written).is_ok();
        (written, is_written)
    }

    #[test]
    fn however_many_lines_there_are_nothing_panics() {
        let router = router();
        // `http` holds any number of lines of a name, and some 24 000 names.
        for (names, lines) in [(1, 70_000), (24_000, 1), (24_576, 1)] {
            let shop = http::Request::get("/cart").header("host", "shop.example.com");
            let mut arrived = parts(shop);
            let (mut response, ()) = http::Response::new(()).into_parts();
            for at in 0..names * lines {
                let name: HeaderName = format!("x-{}", at % names).parse().unwrap();
                for map in [&mut arrived.headers, &mut response.headers] {
                    let _ = map.try_append(name.clone(), HeaderValue::from_static("1"));
                }
            }
            let (written, is_written) = sent(&router, &arrived);
            assert_eq!(is_written, names < 24_576, "{names} names");
            if is_written {
                assert!(written.headers.len() >= arrived.headers.len());
            } else {
                assert_eq!(written.headers, arrived.headers);
            }
            let request = Request::parts(&arrived);
            let before = response.headers.len();
            let decision = router.decide(&request, 1);
            let is_changed = decision.apply_to_parts(&request, &mut response).is_ok();
            assert_eq!(response.headers.contains_key("x-by"), is_changed);
            assert!(response.headers.len() >= before);
        }
    }

    #[test]
    fn a_name_that_http_cannot_hold_is_an_error_and_changes_nothing() {
        let yaml = SHOP.replace(
            "{response: {add: {x-by: shop}}}",
            "{request: {set: {a b: c}}}",
        );
        let mesh = Mesh::resolve(Resources::from_yaml(&yaml).expect("sound")).expect("sound");
        let router = Router::compile(&mesh, &Proxy::default());
        let arrived = parts(http::Request::get("/cart").header("host", "shop.example.com"));
        let (written, is_written) = sent(&router, &arrived);
        assert!(!is_written);
        assert_eq!(
            (written.uri, written.headers),
            (arrived.uri, arrived.headers)
        );
    }

    #[test]
    fn a_response_is_looked_at_only_where_a_rule_changes_it() {
        let router = router();
        let plain = Request::of("GET", "shop.example.com", "/plain");
        assert!(!router.decide(&plain, 1).changes_response());
        let (mut response, ()) = http::Response::builder()
            .header("x", "1")
            .body(())
            .unwrap()
            .into_parts();
        let request = Request::of("GET", "shop.example.com", "/");
        let decision = router.decide(&request, 1);
        decision
            .apply_to_parts(&request, &mut response)
            .expect("lines of http");
        assert_eq!(
            (&response.headers["x"], &response.headers["x-by"]),
            (&"1".parse().unwrap(), &"shop".parse().unwrap())
        );
    }

    #[test]
    fn an_answer_is_a_response() {
        let router = router();
        let request = Request::of("GET", "nobody.example.com", "/")
            .gateway("mesh")
            .port(81);
        let decision = router.decide(&request, 1);
        if let crate::decision::Applied::Answer(answer) = decision.apply(&request) {
            let status = answer.status;
            let response: http::Response<Vec<u8>> = answer.into();
            assert_eq!(response.status().as_u16(), status);
        }
        let lost = Answer {
            status: 404,
            headers: HeaderList::new(),
            body: b"no".to_vec(),
        };
        let response: http::Response<Vec<u8>> = lost.into();
        assert_eq!(
            (response.status(), response.body().as_slice()),
            (StatusCode::NOT_FOUND, &b"no"[..])
        );
    }
}
