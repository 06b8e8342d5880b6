// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Synchronization
import Testing
import Tracing

@testable import SkeinRecording

@Suite struct BatchSpanProcessorTests {
    /// An exporter that a test holds up, lets fail, and looks into.
    private final class TestExporter: SpanExporter {
        struct State {
            var batches: [[String]] = []
            var isExporting = false
            var hasOverlapped = false
            var shutdownCount = 0
            var result = ExportResult.done
        }

        let state = Mutex(State())
        /// Each export waits for one of these; `nil` to wait for nothing.
        let gate: DispatchSemaphore?
        /// Signalled when an export begins.
        let began = DispatchSemaphore(value: 0)

        init(isHeldUp: Bool = false) { gate = isHeldUp ? DispatchSemaphore(value: 0) : nil }

        var typeName: String { "test_exporter" }
        var batches: [[String]] { state.withLock(\.batches) }
        var names: [String] { batches.flatMap(\.self) }

        func export(_ spans: [FinishedSpan], by deadline: ContinuousClock.Instant) -> ExportResult {
            state.withLock { state in
                state.hasOverlapped = state.hasOverlapped || state.isExporting
                state.isExporting = true
            }
            began.signal()
            gate?.wait()
            return state.withLock { state in
                state.isExporting = false
                state.batches.append(spans.map(\.name))
                return state.result
            }
        }

        func shutdown() { state.withLock { $0.shutdownCount += 1 } }
    }

    private func configuration(
        queue: Int = 2_048,
        batch: Int = 512,
        delay: Duration = .seconds(3_600)
    ) -> BatchConfiguration {
        var configuration = BatchConfiguration()
        (configuration.queueSizeMax, configuration.exportBatchSizeMax) = (queue, batch)
        configuration.scheduledDelay = delay
        return configuration
    }

    private func end(_ count: Int, in tracer: SkeinTracer, named name: String = "span") {
        for index in 0..<count { tracer.startSpan("\(name) \(index)").end() }
    }

    @Test func `a full batch is exported without waiting for the delay`() {
        let exporter = TestExporter()
        let processor = BatchSpanProcessor(exporter, configuration: configuration(batch: 3))
        end(3, in: SkeinTracer(processors: [processor]))
        exporter.began.wait()
        #expect(processor.shutdown(by: .now + .seconds(60)) == .done)
        #expect(exporter.batches == [["span 0", "span 1", "span 2"]])
    }

    @Test func `a batch that does not fill is exported after the delay`() {
        let exporter = TestExporter()
        let processor = BatchSpanProcessor(exporter, configuration: configuration(delay: .milliseconds(1)))
        end(2, in: SkeinTracer(processors: [processor]))
        exporter.began.wait()
        #expect(processor.shutdown(by: .now + .seconds(60)) == .done)
        #expect(exporter.names == ["span 0", "span 1"])
    }

    @Test func `without a delay spans are exported at once`() {
        let exporter = TestExporter()
        let processor = BatchSpanProcessor(exporter, configuration: configuration(delay: .zero))
        end(1, in: SkeinTracer(processors: [processor]))
        exporter.began.wait()
        #expect(processor.shutdown(by: .now + .seconds(60)) == .done)
    }

    @Test
    func `a burst into a queue that does not empty is exported or counted, and one export is under way at a time`() {
        let exporter = TestExporter(isHeldUp: true)
        let processor = BatchSpanProcessor(exporter, configuration: configuration())
        let tracer = SkeinTracer(processors: [processor])
        end(10_000, in: tracer)
        // The queue and at most one batch on its way are what is left of the burst.
        let dropped = processor.droppedCount
        #expect(dropped >= 10_000 - 2_048 - 512 && dropped <= 10_000 - 2_048)
        for _ in 0..<10 { exporter.gate?.signal() }
        #expect(processor.shutdown(by: .now + .seconds(60)) == .done)
        #expect(exporter.names.count + processor.droppedCount == 10_000)
        #expect(exporter.batches.allSatisfy { $0.count <= 512 } && !exporter.state.withLock(\.hasOverlapped))
    }

    @Test func `a flush covers what ended before it, and nothing is exported twice`() async {
        let exporter = TestExporter()
        let processor = BatchSpanProcessor(exporter, configuration: configuration(batch: 100))
        let tracer = SkeinTracer(processors: [processor])
        await withTaskGroup { group in
            for task in 0..<4 {
                group.addTask {
                    for round in 0..<20 {
                        end(7, in: tracer, named: "\(task) \(round)")
                        #expect(await tracer.forceFlush(timeout: .seconds(60)) == .done)
                        let names = exporter.names
                        #expect(names.filter { $0.hasPrefix("\(task) \(round) ") }.count == 7)
                    }
                }
            }
        }
        #expect(await tracer.shutdown() == .done)
        #expect(exporter.names.count == 560 && Set(exporter.names).count == 560)
    }

    @Test func `a flush that finds no end in time says what is left`() {
        let exporter = TestExporter(isHeldUp: true)
        let processor = BatchSpanProcessor(exporter, configuration: configuration(batch: 2))
        end(5, in: SkeinTracer(processors: [processor]))
        #expect(processor.forceFlush(by: .now) == .timedOut(remaining: 5))
        for _ in 0..<5 { exporter.gate?.signal() }
        #expect(processor.shutdown(by: .now + .seconds(60)) == .done)
    }

    @Test func `a shutdown is over at its time, happens once, and what ends after it is counted`() {
        let exporter = TestExporter(isHeldUp: true)
        let processor = BatchSpanProcessor(exporter, configuration: configuration(batch: 2))
        let tracer = SkeinTracer(processors: [processor])
        end(5, in: tracer)
        exporter.began.wait()
        #expect(processor.shutdown(by: .now) == .timedOut(remaining: 5))
        #expect(processor.shutdown(by: .now) == .timedOut(remaining: 5))
        end(3, in: tracer)
        #expect(processor.droppedCount == 3)
        // The export that was under way ends late; the rest is given up.
        exporter.gate?.signal()
        #expect(processor.shutdown(by: .now + .seconds(60)) == .timedOut(remaining: 3))
        #expect(exporter.names == ["span 0", "span 1"] && processor.droppedCount == 6)
        #expect(exporter.state.withLock(\.shutdownCount) == 1)
        // Nobody is left to wait for.
        #expect(processor.forceFlush(by: .now + .seconds(60)) == .timedOut(remaining: 3))
    }

    @Test func `a second shutdown waits for the first`() async {
        let exporter = TestExporter(isHeldUp: true)
        let processor = BatchSpanProcessor(exporter, configuration: configuration(batch: 2))
        end(2, in: SkeinTracer(processors: [processor]))
        exporter.began.wait()
        async let first = OwnThread.run { processor.shutdown(by: .now + .seconds(60)) }
        async let second = OwnThread.run { processor.shutdown(by: .now + .seconds(60)) }
        exporter.gate?.signal()
        #expect(await first == .done)
        #expect(await second == .done && exporter.names.count == 2)
    }

    @Test func `what is exported is let go, however the queue and the batches divide`() {
        let exporter = TestExporter(isHeldUp: true)
        let processor = BatchSpanProcessor(exporter, configuration: configuration(queue: 5, batch: 2))
        let tracer = SkeinTracer(processors: [processor])
        end(2, in: tracer)
        exporter.began.wait()
        // Three wait meanwhile. Two of them are exported next, and one is left over with what comes then.
        weak var exported: RecordingSpan?
        do {
            let span = tracer.startSpan("exported")
            exported = span.recording
            span.end()
        }
        end(2, in: tracer)
        exporter.gate?.signal()
        exporter.began.wait()
        end(2, in: tracer)
        exporter.gate?.signal()
        exporter.began.wait()
        #expect(exporter.names.contains("exported") && exported == nil)
        for _ in 0..<2 { exporter.gate?.signal() }
        #expect(processor.shutdown(by: .now + .seconds(60)) == .done)
    }

    @Test func `after a due moment spans wait for others again`() async throws {
        // A machine that stands still for as long as spans wait says nothing; then it is tried once more.
        for _ in 0..<10 {
            let exporter = TestExporter(isHeldUp: true)
            let processor = BatchSpanProcessor(exporter, configuration: configuration(batch: 100, delay: .seconds(2)))
            let tracer = SkeinTracer(processors: [processor])
            end(1, in: tracer)
            exporter.began.wait()
            let began = ContinuousClock.now
            // They end while the first is exported, and are not due for two seconds.
            end(3, in: tracer)
            for _ in 0..<3 { exporter.gate?.signal() }
            try await Task.sleep(for: .milliseconds(50))
            end(2, in: tracer)
            let isInTime = .now - began < .seconds(1)
            #expect(processor.shutdown(by: .now + .seconds(60)) == .done)
            guard isInTime else { continue }
            #expect(exporter.batches.map(\.count) == [1, 5])
            return
        }
        Issue.record("the machine stood still ten times")
    }

    @Test func `one processor that hangs takes no time of another`() async {
        let (hanging, healthy) = (TestExporter(isHeldUp: true), TestExporter())
        let tracer = SkeinTracer(
            processors: [hanging, healthy].map { BatchSpanProcessor($0, configuration: configuration()) }
        )
        end(3, in: tracer)
        #expect(await tracer.shutdown(timeout: .milliseconds(200)) == .timedOut(remaining: 3))
        #expect(healthy.names.count == 3)
        hanging.gate?.signal()
    }

    @Test func `a shutdown exports what waits, and then lets the exporter go`() {
        let exporter = TestExporter()
        let processor = BatchSpanProcessor(exporter, configuration: configuration())
        end(600, in: SkeinTracer(processors: [processor]))
        #expect(processor.shutdown(by: .now + .seconds(60)) == .done)
        #expect(exporter.names.count == 600 && exporter.state.withLock(\.shutdownCount) == 1)
    }

    @Test func `spans whose export fails are counted and told of once, and the rest at the end`() {
        let exporter = TestExporter()
        exporter.state.withLock { $0.result = .failed(reason: "no route") }
        let problems = Mutex<[String]>([])
        let processor = BatchSpanProcessor(exporter, configuration: configuration(batch: 4)) { problem in
            problems.withLock { $0.append(problem) }
        }
        let tracer = SkeinTracer(processors: [processor])
        end(2, in: tracer)
        #expect(processor.forceFlush(by: .now + .seconds(60)) == .failed(count: 2, reason: "no route"))
        end(2, in: tracer)
        #expect(processor.shutdown(by: .now + .seconds(60)) == .failed(count: 2, reason: "no route"))
        #expect(processor.failedCount == 4)
        // Once, and the rest at the end.
        #expect(problems.withLock(\.self).allSatisfy { $0.hasSuffix("no route") } && problems.withLock(\.count) == 2)
    }

    @Test func `spans that are only recorded stay`() {
        struct RecordOnly: Sampler {
            var description: String { "RecordOnly" }
            func sample(_ request: borrowing SamplingRequest) -> SamplingResult { SamplingResult(.recordOnly) }
        }
        let exporter = TestExporter()
        let processor = BatchSpanProcessor(exporter, configuration: configuration())
        end(2, in: SkeinTracer(sampler: RecordOnly(), processors: [processor]))
        #expect(processor.shutdown(by: .now + .seconds(60)) == .done && exporter.names.isEmpty)
    }

    @Test func `numbers that make no sense are brought into bounds`() {
        let exporter = TestExporter()
        var configuration = configuration(queue: -1, batch: 0, delay: .seconds(-1))
        configuration.exportTimeout = .zero
        let processor = BatchSpanProcessor(exporter, configuration: configuration)
        let tracer = SkeinTracer(processors: [processor])
        end(1, in: tracer)
        #expect(processor.shutdown(by: .now + .seconds(60)) == .done && exporter.names.count == 1)
    }

    @Test func `the simple processor exports each span as it ends`() {
        let exporter = TestExporter()
        let processor = SimpleSpanProcessor(exporter)
        let tracer = SkeinTracer(processors: [processor])
        end(2, in: tracer)
        #expect(exporter.batches == [["span 0"], ["span 1"]])
        exporter.state.withLock { $0.result = .failed(reason: "no route") }
        end(1, in: tracer)
        #expect(processor.forceFlush(by: .now) == .failed(count: 1, reason: "no route"))
        #expect(processor.shutdown(by: .now) == .done && processor.shutdown(by: .now) == .done)
        end(1, in: tracer)
        #expect(exporter.batches.count == 3 && exporter.state.withLock(\.shutdownCount) == 1)
    }
}
