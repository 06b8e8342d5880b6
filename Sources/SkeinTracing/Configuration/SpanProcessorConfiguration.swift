// SPDX-License-Identifier: Apache-2.0
public import SkeinRecording

/// Where finished spans go, and how they get there.
public struct SpanProcessorConfiguration: Hashable, Sendable {
    public var exporter: SpanExporterConfiguration
    /// `nil` to export spans at once, without waiting for others. Whoever ends one waits for the terminal, never for the network.
    public var batch: BatchConfiguration?

    /// In batches, but for a terminal, on which each span is printed at once.
    public init(_ exporter: SpanExporterConfiguration) {
        self.exporter = exporter
        batch = exporter == .console ? nil : BatchConfiguration()
    }

    public init(_ exporter: SpanExporterConfiguration, batch: BatchConfiguration?) {
        self.exporter = exporter
        self.batch = batch
    }
}

/// What takes finished spans.
public enum SpanExporterConfiguration: Hashable, Sendable {
    case otlp(OTLPConfiguration)
    case zipkin(ZipkinConfiguration)
    case jaegerUDP(JaegerUDPConfiguration)
    case jaegerHTTP(JaegerHTTPConfiguration)
    /// Lines on the standard output.
    case console

    /// Its name in `OTEL_TRACES_EXPORTER`.
    package var name: String {
        switch self {
        case .otlp: "otlp"
        case .zipkin: "zipkin"
        case .jaegerUDP, .jaegerHTTP: "jaeger"
        case .console: "console"
        }
    }
}

/// Zipkin, version 2.
public struct ZipkinConfiguration: Hashable, Sendable {
    /// `http://localhost:9411/api/v2/spans` by default; `OTEL_EXPORTER_ZIPKIN_ENDPOINT`.
    public var endpoint = "http://localhost:9411/api/v2/spans"
    /// How long one export may take. 10 s by default, 0 for no limit; `OTEL_EXPORTER_ZIPKIN_TIMEOUT` in milliseconds.
    public var timeout = Duration.seconds(10)

    public init() {}
}

/// A Jaeger agent, Thrift in datagrams.
public struct JaegerUDPConfiguration: Hashable, Sendable {
    /// `localhost` by default; `OTEL_EXPORTER_JAEGER_AGENT_HOST`.
    public var host = "localhost"
    /// 6831 by default, 1 to 65535; `OTEL_EXPORTER_JAEGER_AGENT_PORT`.
    public var port = 6831

    public init() {}
}

/// A Jaeger collector, Thrift over HTTP.
public struct JaegerHTTPConfiguration: Hashable, Sendable {
    /// `http://localhost:14268/api/traces` by default; `OTEL_EXPORTER_JAEGER_ENDPOINT`.
    public var endpoint = "http://localhost:14268/api/traces"
    /// For basic authentication, together with ``password``. None by default; `OTEL_EXPORTER_JAEGER_USER`.
    public var user: String?
    /// None by default; `OTEL_EXPORTER_JAEGER_PASSWORD`.
    public var password: String?
    /// How long one export may take. 10 s by default, 0 for no limit; `OTEL_EXPORTER_JAEGER_TIMEOUT` in milliseconds.
    public var timeout = Duration.seconds(10)

    public init() {}
}

extension JaegerHTTPConfiguration: CustomStringConvertible {
    /// Without the password, and the query of the address.
    public var description: String {
        "Jaeger at \(endpoint.withoutAddressSecrets())\(user == nil ? "" : " with a password")"
    }
}
