// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SkeinTracing

@Suite struct TracerAssemblyTests {
    @Test func `an exporter that cannot be made is told with what is missing`() {
        var surroundings = Surroundings()
        surroundings.environment = ["OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere/ca.pem"]
        let resolved = ResolvedConfiguration(TracingConfiguration(), in: surroundings)
        var assembly = TracerAssembly(resolved, in: surroundings)
        _ = assembly.tracer(sampler: nil, processors: [])
        #expect(
            assembly.problems.map(\.description) == [
                "processors[0] of the configuration is ignored: cannot be made: the file \"/nowhere/ca.pem\" of "
                    + "OTEL_EXPORTER_OTLP_CERTIFICATE cannot be read: No such file or directory; its spans go nowhere"
            ]
        )
    }
}
