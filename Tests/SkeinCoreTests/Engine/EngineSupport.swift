// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTestKit

@testable import SkeinEngine

/// What suites of the engine share.
enum EngineSupport {
    static let directory = "/data"

    /// A small store on a simulated disk.
    static func configuration(_ disk: SimulatedDisk, _ clock: SimulatedClock = .init()) -> EmbeddedStore.Configuration {
        var configuration = EmbeddedStore.Configuration(directory: directory)
        configuration.disk = disk
        configuration.clock = clock
        return configuration
    }

    static func open(
        _ disk: SimulatedDisk,
        _ change: (inout EmbeddedStore.Configuration) -> Void = { _ in }
    ) async throws -> EmbeddedStore {
        var configuration = configuration(disk)
        change(&configuration)
        return try await EmbeddedStore.open(configuration)
    }

    static func span(_ trace: UInt64, _ id: UInt64, start: UInt64 = 1_000, service: String = "shop") -> SkeinModel.Span
    {
        var span = SkeinModel.Span(
            traceID: TraceID(high: 1, low: trace),
            spanID: SpanID(id),
            name: "work \(id)",
            kind: .server,
            startUnixNanos: start,
            durationNanos: 10
        )
        span.resource = Resource(attributes: [Attribute("service.name", .string(service))])
        return span
    }

    static func batch(_ spans: SkeinModel.Span..., received: UInt64 = 0) -> SpanBatch {
        SpanBatch(spans: spans, receivedUnixNanos: received)
    }

    static func trace(_ number: UInt64, of store: EmbeddedStore) async throws -> [SkeinModel.Span] {
        try await store.trace(TraceID(high: 1, low: number))?.spans ?? []
    }

    /// Every span that a search for everything and then reading each trace shows.
    static func everything(in store: EmbeddedStore) async throws -> [SkeinModel.Span] {
        var spans: [SkeinModel.Span] = []
        for trace in try await store.search(SpanQuery(limit: 10_000)).traces {
            spans += try await store.trace(trace.traceID)?.spans ?? []
        }
        return spans
    }
}
