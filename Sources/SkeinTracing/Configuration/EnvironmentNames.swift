// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The names of variables.
package enum EnvironmentNames {
    /// Those that are read.
    package static let read = general + batch + limits + otlp + others

    private static let general = [
        "OTEL_SDK_DISABLED", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME", "OTEL_LOG_LEVEL", "OTEL_PROPAGATORS",
        "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_TRACES_EXPORTER", "OTEL_CONFIG_FILE",
    ]
    private static let batch = [
        "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    ]
    private static let limits = [
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_EVENT_COUNT_LIMIT", "OTEL_SPAN_LINK_COUNT_LIMIT",
        "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    ]
    private static let otlp = ["", "TRACES_"].flatMap { signal in
        otlpSettings.map { "OTEL_EXPORTER_OTLP_\(signal)\($0)" }
    }
    private static let others = [
        "OTEL_EXPORTER_ZIPKIN_ENDPOINT", "OTEL_EXPORTER_ZIPKIN_TIMEOUT", "OTEL_EXPORTER_JAEGER_AGENT_HOST",
        "OTEL_EXPORTER_JAEGER_AGENT_PORT", "OTEL_EXPORTER_JAEGER_ENDPOINT", "OTEL_EXPORTER_JAEGER_TIMEOUT",
        "OTEL_EXPORTER_JAEGER_USER", "OTEL_EXPORTER_JAEGER_PASSWORD", "SKEIN_RECORD_STACK_TRACES",
    ]
    private static let otlpSettings = [
        "ENDPOINT", "INSECURE", "CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE", "HEADERS", "COMPRESSION", "TIMEOUT",
        "PROTOCOL",
    ]

    /// Beginnings of names that are somebody else's, and look like ours.
    private static let foreign = [
        "OTEL_BLRP_", "OTEL_LOGS_", "OTEL_METRICS_", "OTEL_METRIC_", "OTEL_LOGRECORD_", "OTEL_EXPORTER_OTLP_LOGS_",
        "OTEL_EXPORTER_OTLP_METRICS_",
    ]

    /// Tells of names that are almost those of variables that are read. The environment belongs to others too, so that what is
    /// like none of them is no problem.
    static func misspelt(in environment: [String: String]) -> [(name: String, meant: String)] {
        let known = Set(read)
        return environment.keys.sorted().compactMap { name in
            guard name.hasPrefix("OTEL_"), !known.contains(name), !foreign.contains(where: name.hasPrefix) else {
                return nil
            }
            return Spelling.nearest(to: name, among: read).map { (name, $0) }
        }
    }
}
