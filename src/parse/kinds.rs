//! What reading makes of each kind, also of those that become no resource.

use crate::diagnostic::{Code, nearest};
use crate::resource::Kind;

/// What reading makes of a document of some kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// It becomes a resource.
    Resource(Kind),
    /// It may hold the configuration of the mesh.
    ConfigMap,
    /// It holds further documents.
    List,
    /// It has no part in routing.
    PassedOver,
    /// It may change where requests go, and is not evaluated.
    NotEvaluated,
}

/// A document whose kind does not exist.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoSuchKind {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// An API group all of whose kinds are known.
struct Group {
    name: &'static str,
    versions: &'static [&'static str],
    /// The kinds that become no resource.
    kinds: &'static [(&'static str, Class)],
}

use Class::{ConfigMap, List, NotEvaluated, PassedOver, Resource};

const GROUPS: &[Group] = &[
    Group {
        name: "networking.istio.io",
        versions: &["v1", "v1beta1", "v1alpha3"],
        kinds: &[
            ("WorkloadGroup", PassedOver),
            ("EnvoyFilter", NotEvaluated),
            ("ProxyConfig", PassedOver),
        ],
    },
    Group {
        name: "security.istio.io",
        versions: &["v1", "v1beta1"],
        kinds: &[
            ("AuthorizationPolicy", NotEvaluated),
            ("RequestAuthentication", NotEvaluated),
        ],
    },
    Group {
        name: "telemetry.istio.io",
        versions: &["v1", "v1alpha1"],
        kinds: &[("Telemetry", PassedOver)],
    },
    Group {
        name: "extensions.istio.io",
        versions: &["v1", "v1alpha1"],
        kinds: &[("WasmPlugin", NotEvaluated)],
    },
    Group {
        name: "",
        versions: &["v1"],
        kinds: &[
            ("ConfigMap", ConfigMap),
            ("List", List),
            ("Binding", PassedOver),
            ("ComponentStatus", PassedOver),
            ("Endpoints", PassedOver),
            ("Event", PassedOver),
            ("LimitRange", PassedOver),
            ("PersistentVolume", PassedOver),
            ("PersistentVolumeClaim", PassedOver),
            ("PodTemplate", PassedOver),
            ("ReplicationController", PassedOver),
            ("ResourceQuota", PassedOver),
            ("ServiceAccount", PassedOver),
        ],
    },
    Group {
        name: "apps",
        versions: &["v1", "v1beta1", "v1beta2"],
        kinds: &[
            ("ControllerRevision", PassedOver),
            ("DaemonSet", PassedOver),
            ("ReplicaSet", PassedOver),
            ("StatefulSet", PassedOver),
        ],
    },
    Group {
        name: "discovery.k8s.io",
        versions: &["v1", "v1beta1"],
        kinds: &[],
    },
    Group {
        name: "gateway.networking.k8s.io",
        versions: &["v1", "v1beta1", "v1alpha3", "v1alpha2"],
        kinds: &[("UDPRoute", NotEvaluated)],
    },
];

/// Groups of which no kind is evaluated, and which may change where requests go.
const NOT_EVALUATED_GROUPS: &[&str] = &[
    "gateway.networking.x-k8s.io",
    "inference.networking.k8s.io",
    "inference.networking.x-k8s.io",
];

/// What reading makes of a document.
pub(super) fn classify(api_version: &str, kind: &str) -> Result<Class, NoSuchKind> {
    let (group_name, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    if let Some(group) = GROUPS.iter().find(|group| group.name == group_name) {
        return group.classify(version, api_version, kind);
    }
    let is_evaluated = !NOT_EVALUATED_GROUPS.contains(&group_name);
    if kind.ends_with("List") && is_evaluated {
        return Ok(List);
    }
    Ok(match is_evaluated {
        true => PassedOver,
        false => NotEvaluated,
    })
}

impl Group {
    fn classify(&self, version: &str, api_version: &str, kind: &str) -> Result<Class, NoSuchKind> {
        let of_element = kind
            .strip_suffix("List")
            .filter(|element| self.class_of(element).is_some());
        let class = match self.class_of(kind) {
            Some(class) => class,
            None if of_element.is_some() => List,
            None => return Err(self.no_such_kind(api_version, kind)),
        };
        if self.versions.contains(&version) {
            return Ok(class);
        }
        Err(NoSuchKind {
            code: Code::UNKNOWN_VERSION,
            message: format!("`{kind}` has no version `{version}`"),
            help: Some(format!("write `apiVersion: {}`", self.newest())),
        })
    }

    fn class_of(&self, kind: &str) -> Option<Class> {
        let mut kinds = self.kinds();
        kinds
            .find(|(name, _)| *name == kind)
            .map(|(_, class)| class)
    }

    fn kinds(&self) -> impl Iterator<Item = (&'static str, Class)> {
        let resources = Kind::ALL.iter().filter(|kind| kind.group() == self.name);
        let resources = resources.map(|kind| (kind.as_str(), Resource(*kind)));
        // A ConfigMap may be more than a resource.
        self.kinds.iter().copied().chain(resources)
    }

    fn newest(&self) -> String {
        match self.name {
            "" => self.versions[0].to_owned(),
            name => format!("{name}/{}", self.versions[0]),
        }
    }

    fn no_such_kind(&self, api_version: &str, kind: &str) -> NoSuchKind {
        let elsewhere = GROUPS.iter().find(|group| group.class_of(kind).is_some());
        let help = match elsewhere {
            Some(group) => Some(format!(
                "`{kind}` belongs to `apiVersion: {}`",
                group.newest()
            )),
            None => nearest(kind, self.kinds().map(|(name, _)| name))
                .map(|near| format!("did you mean `{near}`?")),
        };
        NoSuchKind {
            code: Code::UNKNOWN_KIND,
            message: format!("`{api_version}` has no kind `{kind}`"),
            help,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_of_a_kind_is_known() {
        for version in ["v1", "v1beta1", "v1alpha3"] {
            let api_version = format!("networking.istio.io/{version}");
            assert_eq!(
                classify(&api_version, "Gateway"),
                Ok(Resource(Kind::Gateway))
            );
            assert_eq!(classify(&api_version, "VirtualServiceList"), Ok(List));
        }
        assert_eq!(classify("v1", "Service"), Ok(Resource(Kind::Service)));
        assert_eq!(classify("v1", "List"), Ok(List));
        assert_eq!(
            classify("gateway.networking.k8s.io/v1", "Gateway"),
            Ok(Resource(Kind::KubernetesGateway))
        );
        assert_eq!(
            classify(
                "gateway.networking.x-k8s.io/v1alpha1",
                "XBackendTrafficPolicy"
            ),
            Ok(NotEvaluated)
        );
        assert_eq!(
            classify("cert-manager.io/v1", "Certificate"),
            Ok(PassedOver)
        );
    }

    #[test]
    fn what_does_not_exist_is_refused_with_help() {
        let help = |api_version, kind| {
            classify(api_version, kind)
                .unwrap_err()
                .help
                .unwrap_or_default()
        };
        assert_eq!(
            help("networking.istio.io/v1", "VirtualServce"),
            "did you mean `VirtualService`?"
        );
        assert_eq!(
            help("v1", "Deployment"),
            "`Deployment` belongs to `apiVersion: apps/v1`"
        );
        assert_eq!(
            help("networking.istio.io/v2", "Gateway"),
            "write `apiVersion: networking.istio.io/v1`"
        );
    }
}
