// SPDX-License-Identifier: Apache-2.0
#if GRPC
    import GRPCCore
    import SkeinModel
    import SkeinRecording
    import Tracing

    /// What the interceptors record.
    public struct CallTracing: Sendable {
        /// Metadata of requests that becomes attributes `rpc.request.metadata.KEY`. None unless it is named, since it may hold
        /// secrets.
        public var requestMetadata: Set<String> = []
        /// The server as its clients name it (`server.address`); the address of the connection unless it is given.
        public var serverAddress: String?
        /// The port that belongs to ``serverAddress``.
        public var serverPort: Int?

        public init() {}

        func attributes(_ method: MethodDescriptor, server peer: Peer?) -> SpanAttributes {
            var attributes: SpanAttributes = [
                "rpc.system.name": "grpc", "rpc.method": .string(method.fullyQualifiedMethod),
            ]
            if let address = serverAddress ?? peer?.address { attributes["server.address"] = address }
            if let port = serverAddress == nil ? peer?.port : serverPort { attributes["server.port"] = port }
            return attributes
        }

        func record(_ metadata: Metadata, on span: SkeinSpan) {
            for key in requestMetadata.map({ $0.lowercased() }).sorted() {
                let values = metadata[stringValues: key].map(AttributeValue.string)
                if !values.isEmpty { span.setAttribute("rpc.request.metadata.\(key)", .array(values)) }
            }
        }
    }

    /// One end of a connection, as transports describe it: `ipv4:127.0.0.1:31415`, `ipv6:[::1]:443`, `unix:/tmp/socket`.
    struct Peer: Equatable {
        var address: String
        var port: Int?

        /// `nil` for what is no address, such as within one process.
        init?(_ description: String) {
            guard let colon = description.firstIndex(of: ":") else { return nil }
            let rest = description[description.index(after: colon)...]
            switch description[..<colon] {
            case "ipv4", "ipv6":
                let (host, port) = HTTPConventions.hostAndPort(rest)
                (address, self.port) = (host, port)
            case "unix": address = String(rest)
            default: return nil
            }
            if address.isEmpty { return nil }
        }
    }

    extension SkeinSpan {
        func setPeer(_ peer: Peer?) {
            guard let peer else { return }
            setAttribute("network.peer.address", peer.address)
            if let port = peer.port { setAttribute("network.peer.port", port) }
        }
    }
#endif
