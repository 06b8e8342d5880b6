// SPDX-License-Identifier: Apache-2.0

/// What holds in the end, and what was left out on the way.
package struct ResolvedConfiguration: Sendable {
    package var configuration: TracingConfiguration
    /// To be told once, in the order in which they were met.
    package var problems: [ConfigurationProblem] = []

    /// Code < environment < file. Reads nothing but the file that `OTEL_CONFIG_FILE` names, once; never fails.
    package init(_ code: TracingConfiguration, in surroundings: Surroundings) {
        configuration = code
        var reader = EnvironmentReader(surroundings.environment)
        configuration.take(&reader)
        problems = reader.problems
        if let path = reader.text(Self.variable) { takeFile(path, surroundings) }
        configuration.check(&problems)
    }

    private static let variable = "OTEL_CONFIG_FILE"

    private mutating func takeFile(_ path: String, _ surroundings: Surroundings) {
        let reason: String
        switch surroundings.file(path, TracingConfiguration.fileByteCountMax) {
        case .bytes(let bytes):
            if let text = String(validating: bytes, as: UTF8.self) {
                problems += configuration.take(text, path: path, environment: surroundings.environment)
                return
            }
            reason = "it is no UTF-8 text"
        case .tooLong: reason = "it has more than \(TracingConfiguration.fileByteCountMax) bytes"
        case .unreadable(let cause): reason = cause
        }
        problems.append(
            ConfigurationProblem(
                .environment,
                Self.variable,
                value: path,
                reason: "cannot be read: \(reason)",
                instead: "code and environment are used"
            )
        )
    }
}
