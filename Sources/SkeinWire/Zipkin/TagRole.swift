// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension Zipkin {
    /// What a tag is in OpenTelemetry's terms, by its key.
    enum TagRole: UInt8 {
        /// An attribute of the span.
        case plain
        /// An attribute of the resource.
        case resource
        /// There was an error, whatever it says. But for "true", which the status says as well, the tag stays, since that is what
        /// clients of Zipkin look for; but for "false" its text is the status message.
        case error
        /// The name of the service where the local endpoint has none; the same name says nothing, another is an attribute.
        case serviceName
        /// `OK` or `ERROR`: the status code.
        case statusCode
        /// The status message of an error, otherwise an attribute.
        case statusDescription
        case traceState
        case scopeName
        case scopeVersion
        /// `internal` for a span without a kind: its kind. Otherwise an attribute.
        case spanKind
        /// A link, see ``LinkTag``.
        case link
        case droppedAttributesCount, droppedEventsCount, droppedLinksCount
        /// An attribute that goes before what an endpoint says.
        case hostAddress, hostPort, peerService, peerAddress, peerPort

        init(_ key: UnsafeRawBufferPointer) {
            self =
                switch JSONKey(bytes: key) {
                case "error": .error
                case "service.name": .serviceName
                case "span.kind": .spanKind
                case "otel.status_code": .statusCode
                case "otel.status_description": .statusDescription
                case "w3c.tracestate": .traceState
                case "otel.scope.name", "otel.library.name": .scopeName
                case "otel.scope.version", "otel.library.version": .scopeVersion
                case "otel.dropped_attributes_count": .droppedAttributesCount
                case "otel.dropped_events_count": .droppedEventsCount
                case "otel.dropped_links_count": .droppedLinksCount
                case "net.host.ip": .hostAddress
                case "net.host.port": .hostPort
                case "peer.service": .peerService
                case "net.peer.ip": .peerAddress
                case "net.peer.port": .peerPort
                default:
                    Self.resourceKeys.contains { $0.elementsEqual(key) }
                        || Self.resourcePrefixes.contains { key.starts(with: $0) }
                        ? .resource : key.starts(with: "otlp.link.".utf8) ? .link : .plain
                }
        }

        /// A set of roles has a bit for each.
        var bit: UInt32 { 1 << UInt32(rawValue) }

        /// Keys that only resources have (OpenTelemetry semantic conventions 1.37, "Resource semantic conventions").
        private static let resourceKeys = [
            "service.version", "service.namespace", "service.instance.id", "faas.name", "faas.version", "faas.instance",
            "faas.max_memory", "host.id", "host.name", "host.type", "host.arch", "host.ip", "host.mac",
        ]
        .map { Array($0.utf8) }

        private static let resourcePrefixes = [
            "cloud.", "container.", "deployment.", "k8s.", "os.", "process.", "telemetry.", "webengine.", "host.image.",
            "host.cpu.", "aws.ecs.", "aws.eks.", "aws.log.",
        ]
        .map { Array($0.utf8) }
    }

    /// The roles of the keys that came last in a batch. Refs share places: another key there costs that its role is looked up
    /// anew.
    struct TagRoles {
        private static let size = 256
        private var refs = [SpanBatch.Ref](repeating: 0, count: size)
        private var roles = [TagRole](repeating: .plain, count: size)

        /// The role of the key that has this ref; `key` is its text.
        @inline(__always)
        mutating func role(of ref: SpanBatch.Ref, _ key: UnsafeRawBufferPointer) -> TagRole {
            let place = Int(truncatingIfNeeded: ref) & (Self.size - 1)
            if refs[place] != ref {
                refs[place] = ref
                roles[place] = TagRole(key)
            }
            return roles[place]
        }

        /// Forgets the refs of the last batch; the empty key, which is plain, has 0 in all.
        mutating func removeAll() {
            for place in refs.indices { refs[place] = 0 }
            roles[0] = .plain
        }
    }
}
