//! Envoy's format strings for header values: `%REQ(x-env)%`, `%PROTOCOL%`, `%%`, ... parsed once (R-H-120).

/// A header value to be written: literal text and commands.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HeaderFormat {
    source: Box<str>,
    parts: Box<[FormatPart]>,
}

short_debug! { HeaderFormat {source, parts} }

/// One piece of a [`HeaderFormat`].
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FormatPart {
    /// Text as it is.
    Literal(Box<str>),
    /// A command, and the longest value of it in bytes.
    Command(Command, Option<usize>),
}

short_debug! { enum FormatPart {Literal(part), Command(part, second)} }

/// What a command stands for.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Command {
    /// `%REQ(name?alternative)%`, `%REQUEST_HEADER(..)%`: a header of the request; on responses, of the request as it was
    /// forwarded.
    RequestHeader(HeaderNames),
    /// `%RESP(name?alternative)%`, `%RESPONSE_HEADER(..)%`: a header of the response. A request has none yet.
    ResponseHeader(HeaderNames),
    /// `%PROTOCOL%`: `HTTP/1.1` or `HTTP/2`.
    Protocol,
    /// `%RESPONSE_CODE%`: the status; `0` as long as there is none.
    ResponseCode,
    /// `%ROUTE_NAME%`: the name of the rule.
    RouteName,
    /// `%REQUESTED_SERVER_NAME%`: what TLS asks for.
    RequestedServerName,
    /// `%DOWNSTREAM_LOCAL_PORT%`: where the connection arrives.
    LocalPort,
    /// `%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%`: where the connection arrives.
    LocalAddress,
    /// `%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%`: the address that stands for the client.
    RemoteAddress,
    /// `%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%`: where the connection comes from.
    DirectRemoteAddress,
    /// Any other command, without the percent signs: only the embedder knows its value; see `Decision::apply_with`.
    Other(Box<str>),
}

short_debug! {
    enum Command {RequestHeader(part), ResponseHeader(part), Protocol, ResponseCode, RouteName,
    RequestedServerName, LocalPort, LocalAddress, RemoteAddress, DirectRemoteAddress, Other(part)}
}

/// Header names in lower case.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HeaderNames {
    /// The header.
    pub name: Box<str>,
    /// Looked up where it is absent.
    pub alternative: Option<Box<str>>,
}

short_debug! { HeaderNames {name, alternative} }

/// The other commands that Envoy 1.40 has for header values. It refuses a configuration with any that it does not know.
const OTHERS: &[&str] = &[
    "ACCESS_LOG_TYPE",
    "BYTES_RECEIVED",
    "BYTES_SENT",
    "CEL",
    "COMMON_DURATION",
    "CONNECTION_ID",
    "CONNECTION_TERMINATION_DETAILS",
    "COALESCE",
    "CUSTOM_FLAGS",
    "DOWNSTREAM_DETECTED_CLOSE_TYPE",
    "DOWNSTREAM_DIRECT_LOCAL_ADDRESS",
    "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_DIRECT_LOCAL_PORT",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
    "DOWNSTREAM_DIRECT_REMOTE_PORT",
    "DOWNSTREAM_HANDSHAKE_DURATION",
    "DOWNSTREAM_HEADER_BYTES_RECEIVED",
    "DOWNSTREAM_HEADER_BYTES_SENT",
    "DOWNSTREAM_LOCAL_ADDRESS",
    "DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID",
    "DOWNSTREAM_LOCAL_DNS_SAN",
    "DOWNSTREAM_LOCAL_EMAIL_SAN",
    "DOWNSTREAM_LOCAL_IP_SAN",
    "DOWNSTREAM_LOCAL_OTHERNAME_SAN",
    "DOWNSTREAM_LOCAL_SUBJECT",
    "DOWNSTREAM_LOCAL_URI_SAN",
    "DOWNSTREAM_PEER_CERT",
    "DOWNSTREAM_PEER_CERT_V_END",
    "DOWNSTREAM_PEER_CERT_V_START",
    "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1",
    "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256",
    "DOWNSTREAM_PEER_CHAIN_SERIALS",
    "DOWNSTREAM_PEER_DNS_SAN",
    "DOWNSTREAM_PEER_EMAIL_SAN",
    "DOWNSTREAM_PEER_FINGERPRINT_1",
    "DOWNSTREAM_PEER_FINGERPRINT_256",
    "DOWNSTREAM_PEER_IP_SAN",
    "DOWNSTREAM_PEER_ISSUER",
    "DOWNSTREAM_PEER_OTHERNAME_SAN",
    "DOWNSTREAM_PEER_SERIAL",
    "DOWNSTREAM_PEER_SUBJECT",
    "DOWNSTREAM_PEER_URI_SAN",
    "DOWNSTREAM_REMOTE_ADDRESS",
    "DOWNSTREAM_REMOTE_PORT",
    "DOWNSTREAM_TLS_CIPHER",
    "DOWNSTREAM_TLS_SESSION_ID",
    "DOWNSTREAM_TLS_VERSION",
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
    "DOWNSTREAM_WIRE_BYTES_RECEIVED",
    "DOWNSTREAM_WIRE_BYTES_SENT",
    "DURATION",
    "DYNAMIC_METADATA",
    "EMIT_TIME",
    "ENVIRONMENT",
    "FILTER_CHAIN_NAME",
    "FILTER_STATE",
    "GRPC_STATUS",
    "GRPC_STATUS_NUMBER",
    "HOSTNAME",
    "LOCAL_REPLY_BODY",
    "METADATA",
    "PATH",
    "PER_REQUEST_STATE",
    "QUERY_PARAM",
    "QUERY_PARAMS",
    "REQUEST_DURATION",
    "REQUEST_HEADERS_BYTES",
    "REQUEST_TX_DURATION",
    "RESPONSE_CODE_DETAILS",
    "RESPONSE_DURATION",
    "RESPONSE_FLAGS",
    "RESPONSE_FLAGS_LONG",
    "RESPONSE_HEADERS_BYTES",
    "RESPONSE_TRAILERS_BYTES",
    "RESPONSE_TX_DURATION",
    "ROUNDTRIP_DURATION",
    "START_TIME",
    "START_TIME_LOCAL",
    "STREAM_ID",
    "TLS_JA3_FINGERPRINT",
    "TLS_JA4_FINGERPRINT",
    "TRACE_ID",
    "SPAN_ID",
    "TRAILER",
    "UNIQUE_ID",
    "UPSTREAM_CLUSTER",
    "UPSTREAM_CLUSTER_RAW",
    "UPSTREAM_CONNECTION_ID",
    "UPSTREAM_CONNECTION_POOL_READY_DURATION",
    "UPSTREAM_DETECTED_CLOSE_TYPE",
    "UPSTREAM_FILTER_STATE",
    "UPSTREAM_HEADER_BYTES_RECEIVED",
    "UPSTREAM_HEADER_BYTES_SENT",
    "UPSTREAM_HOST",
    "UPSTREAM_HOST_NAME",
    "UPSTREAM_HOST_NAME_WITHOUT_PORT",
    "UPSTREAM_HOSTS_ATTEMPTED",
    "UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT",
    "UPSTREAM_HOST_NAMES_ATTEMPTED",
    "UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT",
    "UPSTREAM_CONNECTION_IDS_ATTEMPTED",
    "UPSTREAM_LOCAL_ADDRESS",
    "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
    "UPSTREAM_LOCAL_CLOSE_REASON",
    "UPSTREAM_LOCAL_PORT",
    "UPSTREAM_METADATA",
    "UPSTREAM_PEER_CERT",
    "UPSTREAM_PEER_CERT_V_END",
    "UPSTREAM_PEER_CERT_V_START",
    "UPSTREAM_PEER_DNS_SAN",
    "UPSTREAM_PEER_IP_SAN",
    "UPSTREAM_PEER_ISSUER",
    "UPSTREAM_PEER_SUBJECT",
    "UPSTREAM_PEER_URI_SAN",
    "UPSTREAM_PROTOCOL",
    "UPSTREAM_REMOTE_ADDRESS",
    "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
    "UPSTREAM_REMOTE_PORT",
    "UPSTREAM_REQUEST_ATTEMPT_COUNT",
    "UPSTREAM_TLS_CIPHER",
    "UPSTREAM_TLS_SESSION_ID",
    "UPSTREAM_TLS_VERSION",
    "UPSTREAM_TRANSPORT_FAILURE_REASON",
    "UPSTREAM_WIRE_BYTES_RECEIVED",
    "UPSTREAM_WIRE_BYTES_SENT",
    "VIRTUAL_CLUSTER_NAME",
];

impl HeaderFormat {
    /// Parses `source`.
    ///
    /// # Errors
    /// A `%` that neither opens a well-formed command nor is doubled; the text says where.
    pub fn parse(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = source;
        while let Some(at) = rest.find('%') {
            literal.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(tail) = after.strip_prefix('%') {
                literal.push('%');
                rest = tail;
                continue;
            }
            let offset = source.len() - after.len();
            let (command, tail) = split_command(after).ok_or_else(|| {
                format!("`%` at byte {offset} opens no command; write `%%` for a percent sign")
            })?;
            if !literal.is_empty() {
                parts.push(FormatPart::Literal(std::mem::take(&mut literal).into()));
            }
            parts.push(command.parse());
            rest = tail;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(FormatPart::Literal(literal.into()));
        }
        Ok(HeaderFormat {
            source: source.into(),
            parts: parts.into(),
        })
    }

    /// What Envoy refuses, as it was written: one command that it does not know.
    pub(crate) fn refused(source: &str) -> Self {
        let command = Command::Other(source.into());
        HeaderFormat {
            source: source.into(),
            parts: Box::new([FormatPart::Command(command, None)]),
        }
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Its pieces in order.
    pub fn parts(&self) -> &[FormatPart] {
        &self.parts
    }

    /// The first command that Envoy does not know: it refuses the whole configuration for it.
    pub fn unknown_command(&self) -> Option<&str> {
        self.parts.iter().find_map(|part| match part {
            FormatPart::Command(Command::Other(text), _) => {
                let name = text.split(['(', ':']).next().unwrap_or_default();
                (!OTHERS.contains(&name)).then_some(&**text)
            }
            _ => None,
        })
    }
}

/// A command as written: `NAME(argument):length`.
struct Written<'s> {
    whole: &'s str,
    name: &'s str,
    argument: Option<&'s str>,
    length: Option<&'s str>,
}

/// Cuts `NAME(argument):length%` at its closing percent sign; arguments may hold percent signs.
fn split_command(text: &str) -> Option<(Written<'_>, &str)> {
    let end_of_name = text
        .find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
        .filter(|&end| end > 0)?;
    let (mut end, mut argument, mut length) = (end_of_name, None, None);
    if text[end..].starts_with('(') {
        let close = end + text[end..].find(')')?;
        argument = Some(&text[end + 1..close]);
        end = close + 1;
    }
    if text[end..].starts_with(':') {
        let digits = text[end + 1..]
            .find(|c: char| !c.is_ascii_digit())
            .filter(|&n| n > 0)?;
        length = Some(&text[end + 1..=end + digits]);
        end += 1 + digits;
    }
    let written = Written {
        whole: &text[..end],
        name: &text[..end_of_name],
        argument,
        length,
    };
    text[end..].strip_prefix('%').map(|tail| (written, tail))
}

impl Written<'_> {
    fn parse(&self) -> FormatPart {
        let names = |argument: &str| {
            let (name, alternative) = match argument.split_once('?') {
                Some((name, alternative)) => (name, Some(alternative.to_ascii_lowercase().into())),
                None => (argument, None),
            };
            HeaderNames {
                name: name.to_ascii_lowercase().into(),
                alternative,
            }
        };
        let command = match (self.name, self.argument) {
            ("REQ" | "REQUEST_HEADER", Some(argument)) => Command::RequestHeader(names(argument)),
            ("RESP" | "RESPONSE_HEADER", Some(argument)) => {
                Command::ResponseHeader(names(argument))
            }
            ("PROTOCOL", None) => Command::Protocol,
            ("RESPONSE_CODE", None) => Command::ResponseCode,
            ("ROUTE_NAME", None) => Command::RouteName,
            ("REQUESTED_SERVER_NAME", _) => Command::RequestedServerName,
            ("DOWNSTREAM_LOCAL_PORT", None) => Command::LocalPort,
            ("DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", None) => Command::LocalAddress,
            ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", None) => Command::RemoteAddress,
            ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", None) => Command::DirectRemoteAddress,
            _ => return FormatPart::Command(Command::Other(self.whole.into()), None),
        };
        FormatPart::Command(command, self.length.and_then(|length| length.parse().ok()))
    }
}
