// SPDX-License-Identifier: Apache-2.0

/// An OTLP receiver (OTLP exporter, "Configuration Options"). Each variable has a form for traces alone, such as
/// `OTEL_EXPORTER_OTLP_TRACES_TIMEOUT`, which wins over the one named here.
public struct OTLPConfiguration: Hashable, Sendable {
    /// How spans are encoded and sent.
    public enum Transport: String, Hashable, Sendable, CaseIterable {
        case httpProtobuf = "http/protobuf"
        case httpJSON = "http/json"
        case grpc
    }

    public enum Compression: String, Hashable, Sendable, CaseIterable {
        case none
        case gzip
    }

    /// Protocol Buffers over HTTP by default; `OTEL_EXPORTER_OTLP_PROTOCOL`: `http/protobuf`, `http/json` or `grpc`.
    public var transport = Transport.httpProtobuf
    /// The whole address that spans are sent to. `http://localhost:4318/v1/traces` by default, for gRPC
    /// `http://localhost:4317`. To `OTEL_EXPORTER_OTLP_ENDPOINT` the path `/v1/traces` is added unless it is for gRPC;
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is taken as it is.
    public var endpoint: String?
    /// Whether gRPC goes without TLS where ``endpoint`` has no scheme to say it. `false` by default;
    /// `OTEL_EXPORTER_OTLP_INSECURE`.
    public var isInsecure = false
    /// Path of the certificates, PEM, that are trusted in place of the system's; `OTEL_EXPORTER_OTLP_CERTIFICATE`.
    public var certificateFile: String?
    /// Path of the client's private key, PEM; `OTEL_EXPORTER_OTLP_CLIENT_KEY`.
    public var clientKeyFile: String?
    /// Path of the client's certificates, PEM; `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE`.
    public var clientCertificateFile: String?
    /// Sent with each request, names in lower case; `OTEL_EXPORTER_OTLP_HEADERS` (`key=value,…`, percent-encoded).
    public var headers: [String: String] = [:]
    /// None by default; `OTEL_EXPORTER_OTLP_COMPRESSION`: `gzip` or `none`.
    public var compression = Compression.none
    /// How long one export may take with all that is tried again. 10 s by default, 0 for no limit;
    /// `OTEL_EXPORTER_OTLP_TIMEOUT` in milliseconds.
    public var timeout = Duration.seconds(10)

    public init() {}

    /// Where spans are sent; `nil` for an ``endpoint`` that is none.
    package var target: Endpoint? {
        let standard = transport == .grpc ? "http://localhost:4317" : "http://localhost:4318/v1/traces"
        return Endpoint(endpoint ?? standard, scheme: transport == .grpc ? (isInsecure ? .http : .https) : nil)
    }

    /// What traces are sent to where `base` takes all signals.
    static func endpoint(base: String, _ transport: Transport) -> String {
        guard transport != .grpc else { return base }
        let front = base.prefix { $0 != "?" && $0 != "#" }
        return front + (front.hasSuffix("/") ? "v1/traces" : "/v1/traces") + base[front.endIndex...]
    }
}

extension OTLPConfiguration: CustomStringConvertible {
    /// Without the values of headers and the query of the address, which may be secrets.
    public var description: String {
        let names = headers.keys.sorted().joined(separator: ", ")
        return
            "OTLP \(transport.rawValue) to \(target?.name ?? "nowhere")\(names.isEmpty ? "" : " with \(names)")"
    }
}
