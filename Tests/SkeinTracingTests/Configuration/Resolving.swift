// SPDX-License-Identifier: Apache-2.0
import SkeinRecording
import SkeinTracing

/// What holds when `code`, the environment and the file `/otel.yaml` say this, and what is wrong with that.
func resolve(
    _ environment: [String: String] = [:],
    file: String? = nil,
    code: TracingConfiguration = TracingConfiguration()
) -> (configuration: TracingConfiguration, problems: [String]) {
    var surroundings = Surroundings()
    surroundings.environment = environment
    if let file {
        surroundings.environment["OTEL_CONFIG_FILE"] = "/otel.yaml"
        surroundings.file = { path, byteCountMax in
            guard path == "/otel.yaml" else { return .unreadable("there is no such file") }
            return file.utf8.count > byteCountMax ? .tooLong : .bytes(Array(file.utf8))
        }
    }
    let resolved = ResolvedConfiguration(code, in: surroundings)
    return (resolved.configuration, resolved.problems.map(\.description))
}

extension TracingConfiguration {
    /// The first of its exporters that is OTLP's.
    var otlp: OTLPConfiguration? {
        for case .otlp(let configuration) in processors.map(\.exporter) { return configuration }
        return nil
    }

    /// How the first of its processors gathers spans.
    var batch: BatchConfiguration? { processors.first?.batch }
}
