// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// `k8s.*`, from variables that a pod's description fills by the downward API, since a process cannot see by itself which pod it
/// is in:
///
///     env:
///       - name: K8S_POD_NAME
///         valueFrom: {fieldRef: {fieldPath: metadata.name}}
enum KubernetesDetector {
    /// Of each attribute the variables that are looked at; the first that is set wins. `OTEL_RESOURCE_ATTRIBUTES_…` is what the
    /// OpenTelemetry operator sets. The usual name may mean something else outside of a cluster.
    static let variables: [(attribute: String, names: [String], usual: String?)] = [
        ("k8s.pod.name", ["K8S_POD_NAME", "OTEL_RESOURCE_ATTRIBUTES_POD_NAME"], "POD_NAME"),
        ("k8s.pod.uid", ["K8S_POD_UID", "OTEL_RESOURCE_ATTRIBUTES_POD_UID"], "POD_UID"),
        ("k8s.namespace.name", ["K8S_NAMESPACE_NAME", "K8S_NAMESPACE"], "POD_NAMESPACE"),
        ("k8s.node.name", ["K8S_NODE_NAME", "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME"], "NODE_NAME"),
        ("k8s.container.name", ["K8S_CONTAINER_NAME"], "CONTAINER_NAME"),
        ("k8s.deployment.name", ["K8S_DEPLOYMENT_NAME"], nil),
        ("k8s.statefulset.name", ["K8S_STATEFULSET_NAME"], nil),
        ("k8s.daemonset.name", ["K8S_DAEMONSET_NAME"], nil),
        ("k8s.cluster.name", ["K8S_CLUSTER_NAME"], nil),
    ]

    private static let namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

    static func detect(_ surroundings: Surroundings) -> DetectedAttributes {
        let namespace = surroundings.text(namespaceFile, byteCountMax: 1_024).map { String(KeyValueList.trimmed($0)) }
        let environment = surroundings.environment
        let isInCluster = namespace != nil || environment["KUBERNETES_SERVICE_HOST"]?.isEmpty == false
        var attributes: DetectedAttributes = [:]
        for (attribute, names, usual) in variables {
            let names = names + (isInCluster ? [usual].compactMap(\.self) : [])
            if let value = names.lazy.compactMap({ environment[$0] }).first(where: { !$0.isEmpty }) {
                attributes[attribute] = .string(value)
            }
        }
        if attributes["k8s.namespace.name"] == nil, let namespace, !namespace.isEmpty {
            attributes["k8s.namespace.name"] = .string(namespace)
        }
        return attributes
    }
}
