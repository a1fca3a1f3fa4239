//! Messages that listeners, routes and clusters share.

use std::collections::BTreeMap;

use serde_json::Value;

use super::message::messages;
use super::{Any, Empty};

messages! {
    /// `envoy.config.core.v3.Metadata`.
    Metadata {
        /// By the name of the filter (or program) that reads it.
        filter_metadata: BTreeMap<String, Value>,
    }

    /// `envoy.type.matcher.v3.StringMatcher`: one of its tests.
    StringMatcher {
        /// Equal.
        exact: Option<String>,
        /// Begins with it.
        prefix: Option<String>,
        /// Ends with it.
        suffix: Option<String>,
        /// Contains it.
        contains: Option<String>,
        /// The whole text matches.
        safe_regex: Option<RegexMatcher>,
        /// ASCII case is ignored.
        ignore_case: bool,
    }

    /// `envoy.type.matcher.v3.RegexMatcher`: RE2, the whole text.
    RegexMatcher {
        /// The pattern.
        regex: String,
        /// RE2, the only engine.
        google_re2: Option<Empty>,
    }

    /// `envoy.type.matcher.v3.RegexMatchAndSubstitute`.
    RegexMatchAndSubstitute {
        /// What is replaced, wherever it stands.
        pattern: RegexMatcher,
        /// By what: `\1` stands for a group.
        substitution: String,
    }

    /// `envoy.type.v3.FractionalPercent`.
    FractionalPercent {
        /// So many parts.
        numerator: u32,
        /// Of so many: `HUNDRED` (also where it is unset), `TEN_THOUSAND`, `MILLION`.
        denominator: Option<Denominator>,
    }

    /// `envoy.config.core.v3.RuntimeFractionalPercent`.
    RuntimeFractionalPercent {
        /// The chance, unless the runtime says otherwise.
        default_value: FractionalPercent,
        /// Under which key the runtime may say otherwise.
        runtime_key: String,
    }

    /// `envoy.config.core.v3.DataSource`: one of its fields.
    DataSource {
        /// Text.
        inline_string: Option<String>,
        /// Bytes, as base64.
        inline_bytes: Option<String>,
    }

    /// `envoy.config.core.v3.HeaderValueOption`.
    HeaderValueOption {
        /// Name and value.
        header: HeaderValue,
        /// What becomes of lines of that name; another line is added where it is unset.
        append_action: Option<AppendAction>,
        /// The older form of `append_action`.
        append: Option<bool>,
        /// An empty value is written, too.
        keep_empty_value: bool,
    }

    /// `envoy.config.core.v3.HeaderValue`.
    HeaderValue {
        /// The name.
        key: String,
        /// The value: a format.
        value: String,
    }

    /// `envoy.config.core.v3.Address`.
    Address {
        /// Of a network.
        socket_address: SocketAddress,
    }

    /// `envoy.config.core.v3.SocketAddress`.
    SocketAddress {
        /// An IP address, or a name.
        address: String,
        /// The port.
        port_value: u32,
    }

    /// A named part with a configuration of its own: a filter, a transport socket, an extension.
    NamedConfig {
        /// Its name.
        name: String,
        /// Its settings.
        typed_config: Any,
    }
}

/// What a [`FractionalPercent`] counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Denominator {
    /// Parts of a hundred.
    #[default]
    Hundred,
    /// Parts of ten thousand.
    TenThousand,
    /// Parts of a million.
    Million,
}

/// What becomes of lines that there are already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum AppendAction {
    /// They stay, another is added.
    #[default]
    AppendIfExistsOrAdd,
    /// If there is one, nothing is done.
    AddIfAbsent,
    /// They go.
    OverwriteIfExistsOrAdd,
    /// They go; if there is none, nothing is done.
    OverwriteIfExists,
}
