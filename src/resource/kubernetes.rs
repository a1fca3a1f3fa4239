//! The Kubernetes kinds that routing needs: Service, Deployment, Pod, Node, EndpointSlice; of each the fields that matter here.
//! Their other fields have no effect on routing, which is not reported; fields that Kubernetes does not have are.

use super::Labels;

message! {
    /// `v1` Service.
    pub struct Service as "Service" (open) {
        /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
        "type" r#type: String,
        /// Its address, or `None` for a headless service.
        "clusterIP" cluster_ip: String,
        /// Its addresses, one for each IP family.
        "clusterIPs" cluster_ips: Vec<String>,
        /// The name that it stands for, if it is an `ExternalName`.
        "externalName" external_name: String,
        /// Addresses outside of the cluster.
        "externalIPs" external_ips: Vec<String>,
        /// Its ports.
        "ports" ports: Vec<KubernetesServicePort>,
        /// Labels of its pods.
        "selector" selector: Labels,
        /// Whether pods that are not ready are published.
        "publishNotReadyAddresses" publish_not_ready_addresses: bool,
        /// Preference of near endpoints.
        "trafficDistribution" traffic_distribution: String,
    }
    ignored [
        "allocateLoadBalancerNodePorts",
        "externalTrafficPolicy",
        "healthCheckNodePort",
        "internalTrafficPolicy",
        "ipFamilies",
        "ipFamily",
        "ipFamilyPolicy",
        "loadBalancerClass",
        "loadBalancerIP",
        "loadBalancerSourceRanges",
        "sessionAffinity",
        "sessionAffinityConfig",
        "topologyKeys",
    ]
}

message! {
    /// A port of a Service.
    pub struct KubernetesServicePort as "ServicePort" (open) {
        /// Its name.
        "name" name: String,
        /// `TCP`, `UDP` or `SCTP`; empty means `TCP`.
        "protocol" protocol: String,
        /// What is spoken on it.
        "appProtocol" app_protocol: Option<String>,
        /// Its number.
        "port" port: i32,
        /// The pods' port by number or name; none means the same.
        "targetPort" target_port: Option<IntOrString>,
        /// The port on each node.
        "nodePort" node_port: i32,
    }
}

/// A port by number or by name.
#[derive(Clone, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "Kubernetes has two forms")]
pub enum IntOrString {
    /// By number.
    Int(i32),
    /// By name.
    String(String),
}

short_debug! { enum IntOrString {Int(number), String(name)} }

impl Default for IntOrString {
    fn default() -> Self {
        Self::Int(0)
    }
}

message! {
    /// `apps/v1` Deployment.
    pub struct Deployment as "Deployment" (open) {
        /// How many pods; none means 1.
        "replicas" replicas: Option<i32>,
        /// Labels of its pods.
        "selector" selector: Option<KubernetesLabelSelector>,
        /// What its pods are like.
        "template" template: Option<PodTemplate>,
    }
    ignored [
        "minReadySeconds",
        "paused",
        "progressDeadlineSeconds",
        "revisionHistoryLimit",
        "rollbackTo",
        "strategy",
    ]
}

message! {
    /// Labels that select pods.
    pub struct KubernetesLabelSelector as "LabelSelector" (open) {
        /// Labels that a pod must have.
        "matchLabels" match_labels: Labels,
    }
    ignored [
        "matchExpressions",
    ]
}

message! {
    /// What the pods of a Deployment are like.
    pub struct PodTemplate as "PodTemplateSpec" (open) {
        /// Their metadata.
        "metadata" metadata: ObjectMeta,
        /// Their containers.
        "spec" spec: PodSpec,
    }
}

message! {
    /// `metadata` as written.
    pub struct ObjectMeta as "ObjectMeta" (open) {
        /// The name.
        "name" name: String,
        /// The namespace.
        "namespace" namespace: String,
        /// Labels.
        "labels" labels: Labels,
        /// Annotations.
        "annotations" annotations: Labels,
        /// The time of creation.
        "creationTimestamp" creation_timestamp: String,
    }
    ignored [
        "clusterName",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "initializers",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    ]
}

message! {
    /// `v1` Pod.
    pub struct Pod as "Pod" (open) {
        /// What it runs.
        "spec" spec: PodSpec,
        /// What has become of it.
        "status" status: PodStatus,
    }
}

message! {
    /// What a pod runs.
    pub struct PodSpec as "PodSpec" (open) {
        /// Its containers.
        "containers" containers: Vec<Container>,
        /// Its node.
        "nodeName" node_name: String,
        /// Its service account.
        "serviceAccountName" service_account_name: String,
        /// Whether it is on the node's network.
        "hostNetwork" host_network: bool,
    }
    ignored [
        "activeDeadlineSeconds",
        "affinity",
        "automountServiceAccountToken",
        "dnsConfig",
        "dnsPolicy",
        "enableServiceLinks",
        "ephemeralContainers",
        "hostAliases",
        "hostIPC",
        "hostPID",
        "hostUsers",
        "hostname",
        "hostnameOverride",
        "imagePullSecrets",
        "initContainers",
        "nodeSelector",
        "os",
        "overhead",
        "preemptionPolicy",
        "priority",
        "priorityClassName",
        "readinessGates",
        "resourceClaims",
        "resources",
        "restartPolicy",
        "runtimeClassName",
        "schedulerName",
        "schedulingGates",
        "securityContext",
        "serviceAccount",
        "setHostnameAsFQDN",
        "shareProcessNamespace",
        "subdomain",
        "terminationGracePeriodSeconds",
        "tolerations",
        "topologySpreadConstraints",
        "volumes",
        "workloadRef",
    ]
}

message! {
    /// A container.
    pub struct Container as "Container" (open) {
        /// Its name.
        "name" name: String,
        /// Its ports.
        "ports" ports: Vec<ContainerPort>,
    }
    ignored [
        "args",
        "command",
        "env",
        "envFrom",
        "image",
        "imagePullPolicy",
        "lifecycle",
        "livenessProbe",
        "readinessProbe",
        "resizePolicy",
        "resources",
        "restartPolicy",
        "restartPolicyRules",
        "securityContext",
        "startupProbe",
        "stdin",
        "stdinOnce",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "tty",
        "volumeDevices",
        "volumeMounts",
        "workingDir",
    ]
}

message! {
    /// A port of a container.
    pub struct ContainerPort as "ContainerPort" (open) {
        /// Its name.
        "name" name: String,
        /// Its number.
        "containerPort" container_port: i32,
        /// `TCP`, `UDP` or `SCTP`; empty means `TCP`.
        "protocol" protocol: String,
    }
    ignored [
        "hostIP",
        "hostPort",
    ]
}

message! {
    /// What has become of a pod.
    pub struct PodStatus as "PodStatus" (open) {
        /// `Running`, `Pending`, `Succeeded`, `Failed`.
        "phase" phase: String,
        /// Its address.
        "podIP" pod_ip: String,
    }
    ignored [
        "allocatedResources",
        "conditions",
        "containerStatuses",
        "ephemeralContainerStatuses",
        "extendedResourceClaimStatus",
        "hostIP",
        "hostIPs",
        "initContainerStatuses",
        "message",
        "nominatedNodeName",
        "observedGeneration",
        "podIPs",
        "qosClass",
        "reason",
        "resize",
        "resourceClaimStatuses",
        "resources",
        "startTime",
    ]
}

message! {
    /// `v1` Node: its labels say where it is.
    pub struct Node as "Node" (open) {}
    ignored [
        "spec",
        "status",
    ]
}

message! {
    /// `discovery.k8s.io/v1` EndpointSlice.
    pub struct EndpointSlice as "EndpointSlice" (open) {
        /// `IPv4`, `IPv6` or `FQDN`.
        "addressType" address_type: String,
        /// The endpoints.
        "endpoints" endpoints: Vec<Endpoint>,
        /// The ports that all of them have.
        "ports" ports: Vec<EndpointPort>,
    }
}

message! {
    /// An endpoint of an EndpointSlice.
    pub struct Endpoint as "Endpoint" (open) {
        /// Its addresses, of which one is enough.
        "addresses" addresses: Vec<String>,
        /// Its state.
        "conditions" conditions: EndpointConditions,
        /// Its host name.
        "hostname" hostname: String,
        /// Its node.
        "nodeName" node_name: String,
        /// Its zone.
        "zone" zone: String,
        /// The object that it is, usually a pod.
        "targetRef" target_ref: Option<ObjectReference>,
    }
    ignored [
        "deprecatedTopology",
        "hints",
        "topology",
    ]
}

message! {
    /// The state of an endpoint.
    pub struct EndpointConditions as "EndpointConditions" (open) {
        /// Whether it takes traffic; none means yes.
        "ready" ready: Option<bool>,
        /// The same, even while it ends.
        "serving" serving: Option<bool>,
        /// Whether it ends.
        "terminating" terminating: Option<bool>,
    }
}

message! {
    /// A port of an EndpointSlice.
    pub struct EndpointPort as "EndpointPort" (open) {
        /// Its name.
        "name" name: String,
        /// Its number; none means all.
        "port" port: Option<i32>,
        /// `TCP`, `UDP` or `SCTP`; empty means `TCP`.
        "protocol" protocol: String,
        /// What is spoken on it.
        "appProtocol" app_protocol: Option<String>,
    }
}

message! {
    /// An object by kind, namespace and name.
    pub struct ObjectReference as "ObjectReference" (open) {
        /// Its kind.
        "kind" kind: String,
        /// Its namespace.
        "namespace" namespace: String,
        /// Its name.
        "name" name: String,
    }
    ignored [
        "apiVersion",
        "fieldPath",
        "resourceVersion",
        "uid",
    ]
}
