// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

extension TracingConfiguration {
    /// What makes the spans: what is set, above what is found out (OpenTelemetry resource SDK). Sorted by key. Never fails, and
    /// waits for nothing but small local files.
    package func resource(in surroundings: Surroundings) -> Resource {
        var attributes: [String: AttributeValue] = [:]
        for detector in ResourceDetectorName.allCases where detectors.contains(detector) {
            for (key, value) in detect(detector, surroundings) where detectedAttributes.takes(key) {
                attributes[key] = value
            }
        }
        attributes.merge(resourceAttributes) { $1 }
        if let serviceName {
            attributes["service.name"] = .string(serviceName)
        } else if attributes["service.name"] == nil {
            let name = surroundings.executableName.map { ":\($0)" } ?? ""
            attributes["service.name"] = .string("unknown_service\(name)")
        }
        attributes["telemetry.sdk.name"] = "skein"
        attributes["telemetry.sdk.language"] = "swift"
        attributes["telemetry.sdk.version"] = .string(Version.current)
        return Resource(
            attributes: attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) },
            schemaURL: resourceSchemaURL
        )
    }

    private func detect(_ name: ResourceDetectorName, _ surroundings: Surroundings) -> DetectedAttributes {
        switch name {
        case .service:
            let id = surroundings.instanceID
            return id.isEmpty ? [:] : ["service.instance.id": .string(id)]
        case .process: return surroundings.process(describesArguments: describesCommandArguments)
        case .host: return surroundings.host
        case .os: return surroundings.os
        case .container: return ContainerID.find(surroundings).map { ["container.id": .string($0)] } ?? [:]
        case .kubernetes: return KubernetesDetector.detect(surroundings)
        }
    }
}

/// What was found out. Empty where nothing was.
typealias DetectedAttributes = [String: AttributeValue]
