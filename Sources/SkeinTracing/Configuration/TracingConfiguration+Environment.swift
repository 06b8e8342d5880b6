// SPDX-License-Identifier: Apache-2.0
import Logging
import SkeinModel
import SkeinRecording

extension TracingConfiguration {
    /// Takes over what the environment says.
    mutating func take(_ reader: inout EnvironmentReader) {
        for (name, meant) in EnvironmentNames.misspelt(in: reader.environment) {
            reader.report(name, "it is the name of no variable: did you mean \(meant)?")
        }
        reader.read("OTEL_SDK_DISABLED", as: .boolean, into: &isDisabled)
        reader.read("OTEL_LOG_LEVEL", as: .logLevel, into: &logLevel)
        reader.read("OTEL_SERVICE_NAME", as: ValueForm<String>.text.optional, into: &serviceName)
        takeResourceAttributes(&reader)
        propagators =
            reader.words(
                "OTEL_PROPAGATORS",
                as: .choice,
                instead: "\(propagators.map(\.rawValue).joined(separator: ",")) is used"
            ) ?? propagators
        sampler = SamplerConfiguration(&reader, instead: sampler)
        limits.take(&reader)
        reader.read("SKEIN_RECORD_STACK_TRACES", as: .boolean, into: &recordsStackTraces)
        takeExporters(&reader)
    }

    /// A mistake in one member leaves out all (OpenTelemetry resource SDK, "Specifying resource information via an environment
    /// variable").
    private mutating func takeResourceAttributes(_ reader: inout EnvironmentReader) {
        let name = "OTEL_RESOURCE_ATTRIBUTES"
        guard let text = reader.text(name) else { return }
        do throws(KeyValueList.Failure) {
            let read = try Self.attributes(text)
            resourceAttributes.merge(read) { code, _ in code }
        } catch {
            reader.report(name, error.reason, instead: "none of its attributes is set")
        }
    }

    static func attributes(_ text: String) throws(KeyValueList.Failure) -> [String: AttributeValue] {
        var attributes: [String: AttributeValue] = [:]
        for member in KeyValueList.members(text) {
            let (key, value) = try member.get()
            attributes[key] = .string(value)
        }
        return attributes
    }

    private mutating func takeExporters(_ reader: inout EnvironmentReader) {
        let used = processors.isEmpty ? "none" : processors.map(\.exporter.name).joined(separator: ",")
        let form = ValueForm<String>.choice(["otlp", "zipkin", "jaeger", "console"].map { ($0, $0) })
        if let names = reader.words("OTEL_TRACES_EXPORTER", as: form, instead: "\(used) is used") {
            let (code, environment) = (processors, reader)
            // What code says of an exporter of that name holds on.
            processors = names.map { name in
                code.first { $0.exporter.name == name } ?? .standard(name, environment)
            }
        }
        for index in processors.indices { processors[index].take(&reader) }
    }
}

extension ValueForm where Value == Logger.Level {
    /// The names of OpenTelemetry, and those of swift-log.
    static var logLevel: Self {
        .choice([
            ("trace", .trace), ("debug", .debug), ("info", .info), ("notice", .notice), ("warn", .warning),
            ("warning", .warning), ("error", .error), ("fatal", .critical), ("critical", .critical),
        ])
    }
}

extension SpanLimits {
    fileprivate mutating func take(_ reader: inout EnvironmentReader) {
        reader.read(
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
            "OTEL_ATTRIBUTE_COUNT_LIMIT",
            as: .limit,
            into: &attributeCount
        )
        reader.read(
            "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            as: .limit,
            into: &attributeValueLength
        )
        reader.read("OTEL_SPAN_EVENT_COUNT_LIMIT", as: .limit, into: &eventCount)
        reader.read("OTEL_SPAN_LINK_COUNT_LIMIT", as: .limit, into: &linkCount)
        reader.read("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", as: .limit, into: &attributeCountPerEvent)
        reader.read("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", as: .limit, into: &attributeCountPerLink)
    }
}
