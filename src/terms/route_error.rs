//! Why a host leads nowhere by the simple door, and the same as a number, as tables hold it.

/// Why a host leads nowhere by the simple door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// No Gateway of that name is bound to this proxy.
    #[error("no gateway of this name is bound to this proxy")]
    UnknownGateway,
    /// The Gateway has no server with HTTP routes for the host.
    #[error("no server of the gateway admits the host")]
    HostNotAdmitted,
    /// Nothing listens where the host would be asked for.
    #[error("nothing listens for this connection")]
    NoListener,
    /// No virtual host answers for the host.
    #[error("no virtual host answers for the host")]
    NoVirtualHost,
    /// No rule of the virtual host takes `GET /`.
    #[error("no rule of the host takes `GET /`")]
    NoRule,
    /// The host name cannot be asked for at all.
    #[error("this is no host name")]
    BadHost,
    /// The rule redirects.
    #[error("the rule redirects with status {0}")]
    Redirect(u16),
    /// The rule answers directly, as a sidecar does for an unknown host under `REGISTRY_ONLY`.
    #[error("the rule answers directly with status {0}")]
    DirectResponse(u16),
    /// An injected fault answers.
    #[error("an injected fault answers with status {0}")]
    Fault(u16),
    /// Nothing claims the host, so a sidecar lets the connection through to wherever it was going.
    #[error("nothing claims the host: the connection passes through to its original destination")]
    Passthrough,
    /// The connection is closed, as it is for an unknown destination under `REGISTRY_ONLY`.
    #[error("the connection is closed")]
    Blocked,
    /// The rule names a service, port or subset that does not exist: 503, of some rules 500.
    #[error("the destination does not exist")]
    NoSuchDestination,
}

impl RouteError {
    /// As a number.
    pub(crate) fn code(self) -> u32 {
        let (kind, status) = match self {
            RouteError::UnknownGateway => (0, 0),
            RouteError::HostNotAdmitted => (1, 0),
            RouteError::NoListener => (2, 0),
            RouteError::NoVirtualHost => (3, 0),
            RouteError::NoRule => (4, 0),
            RouteError::BadHost => (5, 0),
            RouteError::Redirect(status) => (6, status),
            RouteError::DirectResponse(status) => (7, status),
            RouteError::Fault(status) => (8, status),
            RouteError::Passthrough => (9, 0),
            RouteError::Blocked => (10, 0),
            RouteError::NoSuchDestination => (11, 0),
        };
        kind | u32::from(status) << 16
    }

    /// From [`code`](Self::code).
    #[inline]
    pub(crate) fn from_code(code: u32) -> Self {
        let status = (code >> 16) as u16;
        match code as u16 {
            0 => RouteError::UnknownGateway,
            1 => RouteError::HostNotAdmitted,
            2 => RouteError::NoListener,
            3 => RouteError::NoVirtualHost,
            4 => RouteError::NoRule,
            5 => RouteError::BadHost,
            6 => RouteError::Redirect(status),
            7 => RouteError::DirectResponse(status),
            8 => RouteError::Fault(status),
            9 => RouteError::Passthrough,
            10 => RouteError::Blocked,
            _ => RouteError::NoSuchDestination,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back() {
        for kind in 0..12 {
            for status in [0, 200, u16::MAX] {
                let error = RouteError::from_code(kind | u32::from(status) << 16);
                assert_eq!(RouteError::from_code(error.code()), error);
                assert_eq!(error.code() & 0xFFFF, kind);
            }
        }
        assert_eq!(
            RouteError::from_code(RouteError::Fault(418).code()),
            RouteError::Fault(418)
        );
    }
}
