//! `proxyProtocol`: the endpoints are told the client's address first (R-M-116).

/// `proxyProtocol.version`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyProtocol {
    /// `V1`, also where it is unset: text.
    #[default]
    V1,
    /// `V2`: binary.
    V2,
}
