// SPDX-License-Identifier: Apache-2.0
import SkeinEngine
import SkeinModel
import SkeinStore
import SkeinTestKit

/// Where the spans of an API lie; it must answer the same whichever it is.
enum StoreUnderTest: CaseIterable {
    case memory
    /// In the engine's memory.
    case head
    /// In blocks on its disk, the spans of a trace in one.
    case blocks
    /// Some in blocks and some in memory, so that a trace may be in both.
    case both

    /// An API over such a store that holds `spans`.
    func api(_ spans: [SkeinModel.Span]) async throws -> APIUnderTest {
        let received = APIUnderTest.now - 3_600_000_000_000
        guard self != .memory else { return try await APIUnderTest(spans, receivedUnixNanos: received) }
        let store = try await EngineSupport.open(SimulatedDisk(seed: 1))
        let first = self == .head ? 0 : self == .blocks ? spans.count : (spans.count + 1) / 2
        if first > 0 {
            try await store.append(SpanBatch(spans: Array(spans[..<first]), receivedUnixNanos: received))
            try await store.seal()
        }
        if first < spans.count {
            try await store.append(SpanBatch(spans: Array(spans[first...]), receivedUnixNanos: received))
        }
        return APIUnderTest(over: store)
    }
}
