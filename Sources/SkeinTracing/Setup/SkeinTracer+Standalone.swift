// SPDX-License-Identifier: Apache-2.0
package import Logging
package import SkeinRecording

extension SkeinTracer {
    /// A tracer as `configuration`, the environment and the file of `OTEL_CONFIG_FILE` say, which is not the process's own: nobody
    /// ends it but who made it, and no signal is watched for it. `overrides` stand above the environment. It never writes to the
    /// standard output, which belongs to somebody else. Its words go to `logger`.
    package static func standalone(
        _ configuration: TracingConfiguration,
        overrides: [String: String],
        logger: Logger
    ) -> SkeinTracer {
        var surroundings = Surroundings.current()
        surroundings.environment.merge(overrides) { $1 }
        var resolved = ResolvedConfiguration(configuration, in: surroundings)
        resolved.configuration.processors.removeAll { $0.exporter == .console }
        var assembly = TracerAssembly(resolved, in: surroundings, logger: logger)
        let tracer = assembly.tracer(sampler: nil, processors: [])
        for problem in assembly.problems { logger.warning("\(problem)") }
        return tracer
    }
}
