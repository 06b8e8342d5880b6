// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinEngine
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTestKit
import Testing

/// A tail sampler that has less memory than what waits, and a folder to spill it into.
@Suite struct TailSpillTests {
    private static let folder = "/data/sampling"
    private static let errors = SamplingPolicy.Rule.condition(.status(in: [.error]))
    private static let memory = 2 << 20

    private func spill(_ disk: SimulatedDisk, bytes: Int = 1 << 30) throws -> SpillFolder {
        try SpillFolder(Self.folder, disk: disk, byteCountMax: bytes, freeByteCountMin: 0)
    }

    /// Requests of many spans with much text, of which a tenth has errors.
    private func requests(_ count: Int) -> [[Span]] {
        var generator = TraceGenerator(seed: 5)
        return (0..<count).map { request in
            generator.spans(200).enumerated().map { index, span in
                var span = span
                span.attributes.append(Attribute("text", .string(String(repeating: "\(request)-\(index) ", count: 30))))
                span.status = .init(index % 50 == 0 ? .error : .unset)
                return span
            }
        }
    }

    private func files(_ disk: SimulatedDisk) throws -> [String] { try disk.list(Self.folder) }

    @Test(arguments: [true, false])
    func `more than memory holds waits its time, and comes back as it was`(keepsAll: Bool) async throws {
        let disk = SimulatedDisk(seed: 1)
        let policy = keepsAll ? SamplingPolicy.Rule.always : Self.errors
        let tight = try TailSamplerTests.Bench(policy, bytes: Self.memory, spill: try spill(disk))
        let roomy = try TailSamplerTests.Bench(policy)
        for request in requests(60) {
            try await tight.take(request)
            try await roomy.take(request)
            #expect(tight.budget.used <= Self.memory)
        }
        #expect(!(try files(disk).isEmpty))
        #expect(tight.sampler.waitingTraceCount == roomy.sampler.waitingTraceCount)
        await tight.wait(10)
        await roomy.wait(10)
        func sorted(_ spans: [Span]) -> [Span] {
            spans.sorted { ($0.traceID.high, $0.traceID.low, $0.spanID) < ($1.traceID.high, $1.traceID.low, $1.spanID) }
        }
        #expect(!tight.spans.isEmpty)
        #expect(sorted(tight.spans) == sorted(roomy.spans))
        #expect(tight.waitingByteCount == 0)
        #expect(!tight.metrics.contains(#"skein_sampling_forced_traces_total{reason="memory"} 1"#))
        #expect(tight.notes.isEmpty)
    }

    @Test func `files are removed when nothing in them waits any more`() async throws {
        let disk = SimulatedDisk(seed: 2)
        let spill = try spill(disk, bytes: 8 << 20)
        let bench = try TailSamplerTests.Bench(Self.errors, bytes: Self.memory, spill: spill)
        for request in requests(60) {
            try await bench.take(request)
            await bench.wait(0.5)
        }
        await bench.wait(10)
        // What is written to next is still there.
        #expect(try files(disk).count <= 1)
        #expect(spill.byteCount <= 2 << 20)
    }

    @Test func `a folder that is full makes decisions early, and says so`() async throws {
        let disk = SimulatedDisk(seed: 3)
        let spill = try spill(disk, bytes: 2 << 20)
        let bench = try TailSamplerTests.Bench(.always, bytes: Self.memory, spill: spill)
        var sent = 0
        for request in requests(60) {
            try await bench.take(request)
            sent += request.count
            #expect(bench.budget.used <= Self.memory)
            #expect(spill.byteCount <= 2 << 20)
        }
        #expect(bench.metrics.contains(#"skein_sampling_forced_traces_total{reason="spill_full"}"#))
        #expect(!bench.metrics.contains(#"skein_sampling_forced_traces_total{reason="spill_full"} 0"#))
        #expect(bench.notes.first?.contains("tail-spill-bytes-max") == true)
        await bench.wait(10)
        #expect(bench.spans.count == sent)
    }

    @Test func `a disk that fails loses nothing, and is tried again`() async throws {
        let disk = SimulatedDisk(seed: 4)
        let bench = try TailSamplerTests.Bench(.always, bytes: Self.memory, spill: try spill(disk))
        disk.faults.appendsFailing = 1_000
        var sent = 0
        for request in requests(30) {
            try await bench.take(request)
            sent += request.count
        }
        #expect(!bench.metrics.contains(#"skein_sampling_forced_traces_total{reason="spill_failed"} 0"#))
        #expect(bench.notes.count == 1, "\(bench.notes)")
        disk.faults.appendsFailing = 0
        await bench.wait(2)
        for request in requests(30) {
            try await bench.take(request)
            sent += request.count
        }
        #expect(!bench.metrics.contains("skein_sampling_spilled_spans_total 0"))
        await bench.wait(10)
        #expect(bench.spans.count == sent)
    }

    @Test func `damaged bytes lose the spans in them, counted and told`() async throws {
        let disk = SimulatedDisk(seed: 5)
        let bench = try TailSamplerTests.Bench(.always, bytes: Self.memory, spill: try spill(disk))
        var sent = 0
        for request in requests(30) {
            try await bench.take(request)
            sent += request.count
        }
        let path = Self.folder + "/" + (try #require(try files(disk).first))
        disk.flip(path, byte: try #require(disk[path]).count / 2, bit: 3)
        await bench.wait(10)
        let lost = sent - bench.spans.count
        #expect(lost > 0 && lost < sent / 4)
        #expect(bench.metrics.contains("skein_sampling_lost_spans_total{reason=\"spill_unreadable\"} \(lost)"))
        #expect(bench.notes.count == 1)
    }

    @Test func `while the store takes nothing, what was spilled stays on the disk`() async throws {
        let disk = SimulatedDisk(seed: 6)
        let bench = try TailSamplerTests.Bench(.always, bytes: Self.memory, spill: try spill(disk))
        var sent = 0
        for request in requests(60) {
            try await bench.take(request)
            sent += request.count
        }
        bench.refuseNext(.storeUnavailable, .storeUnavailable, .storeUnavailable)
        for _ in 0..<3 {
            await bench.wait(10)
            #expect(bench.spans.isEmpty)
            // A batch in the making is beyond the budget.
            #expect(bench.sampler.byteCount < Self.memory + (6 << 20))
        }
        await bench.wait(1)
        #expect(bench.spans.count == sent)
        #expect(bench.waitingByteCount == 0)
    }

    @Test func `values that make traces alike and decisions that are remembered count as memory`() async throws {
        let traces = (1...200).map { TraceSketch.one($0, [Attribute("shop", .string("shop \($0)"))]).spans }
        let alike = SamplingPolicy.Rule.dynamic(
            DynamicSampling(.rate(2), fields: [.attribute(.any, "shop"), .name])
        )
        let bench = try TailSamplerTests.Bench(alike)
        let plain = try TailSamplerTests.Bench(.always)
        try await bench.take(traces.flatMap(\.self))
        try await plain.take(traces.flatMap(\.self))
        #expect(bench.waitingByteCount >= plain.waitingByteCount + 200 * 2 * 40)
        await bench.wait(10)
        #expect(bench.waitingByteCount == 0)
        #expect(bench.sampler.cacheByteCount > 200 * MemoryLayout<TraceID>.stride)
        #expect(bench.budget.used == bench.sampler.cacheByteCount)
    }

    @Test func `a file in place of the folder is told at the start`() throws {
        let path = FileManager.default.temporaryDirectory.appending(
            path: "skein-spill-\(UInt64.random(in: 0 ... .max))"
        ).path()
        #expect(FileManager.default.createFile(atPath: path, contents: Data()))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: StoreError.self) {
            try SpillFolder(path, disk: PosixDisk(), byteCountMax: 1 << 30, freeByteCountMin: 0)
        }
    }

    @Test func `what a process left is removed by the next, and other files stay`() throws {
        let disk = SimulatedDisk(seed: 7)
        try disk.createDirectory(Self.folder)
        for name in ["0000000000000001.spill", "notes.txt"] { _ = try disk.open(Self.folder + "/" + name, .create) }
        _ = try spill(disk)
        #expect(try files(disk) == ["notes.txt"])
    }
}
