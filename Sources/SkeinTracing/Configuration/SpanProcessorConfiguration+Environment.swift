// SPDX-License-Identifier: Apache-2.0
import SkeinRecording

extension SpanProcessorConfiguration {
    /// An exporter by its name in `OTEL_TRACES_EXPORTER`. Jaeger's is the collector's where its address is set, otherwise the
    /// agent's.
    static func standard(_ name: String, _ environment: EnvironmentReader) -> SpanProcessorConfiguration {
        switch name {
        case "zipkin": Self(.zipkin(ZipkinConfiguration()))
        case "jaeger" where environment.text("OTEL_EXPORTER_JAEGER_ENDPOINT") != nil:
            Self(.jaegerHTTP(JaegerHTTPConfiguration()))
        case "jaeger": Self(.jaegerUDP(JaegerUDPConfiguration()))
        case "console": Self(.console)
        default: Self(.otlp(OTLPConfiguration()))
        }
    }

    /// Takes over what the environment says.
    mutating func take(_ reader: inout EnvironmentReader) {
        batch?.take(&reader)
        switch exporter {
        case .otlp(var configuration):
            configuration.take(&reader)
            exporter = .otlp(configuration)
        case .zipkin(var configuration):
            reader.read("OTEL_EXPORTER_ZIPKIN_ENDPOINT", as: .endpoint(), into: &configuration.endpoint)
            reader.read("OTEL_EXPORTER_ZIPKIN_TIMEOUT", as: .milliseconds, into: &configuration.timeout)
            exporter = .zipkin(configuration)
        case .jaegerUDP(var configuration):
            reader.read("OTEL_EXPORTER_JAEGER_AGENT_HOST", as: .text, into: &configuration.host)
            reader.read("OTEL_EXPORTER_JAEGER_AGENT_PORT", as: .wholeNumber(1...65535), into: &configuration.port)
            exporter = .jaegerUDP(configuration)
        case .jaegerHTTP(var configuration):
            reader.read("OTEL_EXPORTER_JAEGER_ENDPOINT", as: .endpoint(), into: &configuration.endpoint)
            reader.read("OTEL_EXPORTER_JAEGER_TIMEOUT", as: .milliseconds, into: &configuration.timeout)
            reader.read("OTEL_EXPORTER_JAEGER_USER", as: ValueForm<String>.secret.optional, into: &configuration.user)
            reader.read(
                "OTEL_EXPORTER_JAEGER_PASSWORD",
                as: ValueForm<String>.secret.optional,
                into: &configuration.password
            )
            exporter = .jaegerHTTP(configuration)
        case .console: break
        }
    }
}

extension BatchConfiguration {
    mutating func take(_ reader: inout EnvironmentReader) {
        let sizes = ValueForm.wholeNumber(Self.queueSizes)
        reader.read("OTEL_BSP_MAX_QUEUE_SIZE", as: sizes, into: &queueSizeMax)
        reader.read("OTEL_BSP_SCHEDULE_DELAY", as: .milliseconds, into: &scheduledDelay)
        reader.read("OTEL_BSP_EXPORT_TIMEOUT", as: .milliseconds, into: &exportTimeout)
        reader.read("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", as: sizes, into: &exportBatchSizeMax)
    }
}

extension OTLPConfiguration {
    mutating func take(_ reader: inout EnvironmentReader) {
        func names(_ setting: String) -> (String, String) {
            ("OTEL_EXPORTER_OTLP_TRACES_\(setting)", "OTEL_EXPORTER_OTLP_\(setting)")
        }
        func read<Value>(_ setting: String, as form: ValueForm<Value>, into value: inout Value) {
            let (traces, all) = names(setting)
            reader.read(traces, all, as: form, into: &value)
        }
        let path = ValueForm<String>.text.optional
        read("PROTOCOL", as: .choice, into: &transport)
        read("INSECURE", as: .boolean, into: &isInsecure)
        read("CERTIFICATE", as: path, into: &certificateFile)
        read("CLIENT_KEY", as: path, into: &clientKeyFile)
        read("CLIENT_CERTIFICATE", as: path, into: &clientCertificateFile)
        read("COMPRESSION", as: .choice, into: &compression)
        read("TIMEOUT", as: .milliseconds, into: &timeout)
        takeEndpoint(&reader)
        takeHeaders(&reader)
    }

    private mutating func takeEndpoint(_ reader: inout EnvironmentReader) {
        let scheme: Endpoint.Scheme? = transport == .grpc ? (isInsecure ? .http : .https) : nil
        let form = ValueForm<String>.endpoint(scheme).optional
        var base: String?
        reader.read("OTEL_EXPORTER_OTLP_ENDPOINT", as: form, into: &base)
        if let base { endpoint = Self.endpoint(base: base, transport) }
        reader.read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", as: form, into: &endpoint)
    }

    /// What can be sent; one mistake leaves the others.
    private mutating func takeHeaders(_ reader: inout EnvironmentReader) {
        for name in ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"] {
            guard let text = reader.text(name) else { continue }
            let (read, faults) = Self.headers(text)
            for fault in faults { reader.report(name, fault, instead: "the other headers are sent") }
            headers.merge(read) { $1 }
            return
        }
    }

    /// The headers of a list, and what is wrong with the others.
    static func headers(_ text: String) -> (headers: [String: String], faults: [String]) {
        var headers: [String: String] = [:]
        var faults: [String] = []
        for (index, member) in KeyValueList.members(text).enumerated() {
            switch member {
            case .success(let (name, value)):
                if let fault = HeaderList.fault(name: name, value: value) {
                    faults.append("member \(index + 1) \(fault)")
                } else {
                    headers[name.lowercased()] = value
                }
            case .failure(let failure): faults.append(failure.reason)
            }
        }
        return (headers, faults)
    }
}
