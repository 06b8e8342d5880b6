// SPDX-License-Identifier: Apache-2.0
import Instrumentation
import SkeinPropagation
import SkeinRecording
import Testing
import Tracing

@Suite struct SuppressedTests {
    private struct Setter: Injector {
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    }

    @Test func `where tracing is suppressed no span is recorded, and no header written`() {
        let exporter = InMemoryExporter()
        let tracer = SkeinTracer(sampler: AlwaysOnSampler(), processors: [exporter], hasStrictSpanIDs: true)
        tracer.withSpan("outer") { outer in
            ServiceContext.$current.withValue(outer.context.suppressingTracing) {
                tracer.withSpan("inner") { inner in
                    #expect(!inner.isRecording)
                    #expect(inner.spanContext?.spanID == outer.spanContext?.spanID)
                    var headers: [String: String] = [:]
                    tracer.inject(inner.context, into: &headers, using: Setter())
                    #expect(headers.isEmpty)
                }
            }
        }
        #expect(exporter.spans.map(\.name) == ["outer"])
    }

    @Test func `tracing may be suppressed outside of spans too`() {
        let exporter = InMemoryExporter()
        let tracer = SkeinTracer(processors: [exporter])
        ServiceContext.$current.withValue(ServiceContext.topLevel.suppressingTracing) {
            tracer.withSpan("any") { _ in }
        }
        #expect(exporter.spans.isEmpty)
    }
}
