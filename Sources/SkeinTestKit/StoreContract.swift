// SPDX-License-Identifier: Apache-2.0
import SkeinModel
package import SkeinStore

/// What every ``SpanStore`` promises, as checks that any implementation can be put through.
///
/// A test runs each of ``cases`` against a new, empty store:
///
///     @Test(arguments: StoreContract.cases)
///     func `the memory store keeps the contract`(check: StoreContract.Case) async throws {
///         try await check.run(MemoryStore())
///     }
package enum StoreContract {
    /// One promise.
    package struct Case: Sendable, CustomStringConvertible {
        /// What is promised, as a sentence.
        package let name: String
        /// Throws a ``Violation`` when the store breaks the promise.
        package let run: @Sendable (any SpanStore) async throws -> Void

        package var description: String { name }

        init(_ name: String, _ run: @escaping @Sendable (any SpanStore) async throws -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// A broken promise.
    package struct Violation: Error, CustomStringConvertible {
        package let description: String
    }

    /// Every promise.
    package static let cases: [Case] = keeping + windows + searching + naming + rollups + removing + random + tables

    static func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
        if !condition { throw Violation(description: message()) }
    }

    static func expectEqual<T: Equatable>(_ found: T, _ wanted: T, _ what: String) throws {
        guard found != wanted else { return }
        throw Violation(description: "\(what): found \(brief(found)), wanted \(brief(wanted))")
    }

    private static func brief(_ value: Any) -> String {
        let text = String(describing: value)
        return text.count > 600 ? text.prefix(600) + "…" : text
    }

    /// A span of trace `trace` with as much said as a check needs.
    static func span(
        _ trace: UInt64,
        _ id: UInt64,
        parent: UInt64 = 0,
        at start: UInt64 = 1_000,
        for duration: UInt64 = 10,
        name: String = "work",
        kind: Span.Kind = .internal,
        service: String = "shop",
        attributes: [Attribute] = []
    ) -> Span {
        var span = Span(
            traceID: TraceID(high: 0, low: trace),
            spanID: SpanID(id),
            parentSpanID: SpanID(parent),
            name: name,
            kind: kind,
            startUnixNanos: start,
            durationNanos: duration
        )
        span.attributes = attributes
        if !service.isEmpty { span.resource = Resource(attributes: [Attribute("service.name", .string(service))]) }
        return span
    }

    /// Appends each list of spans as one batch.
    static func append(_ batches: [Span]..., to store: any SpanStore) async throws {
        for (number, spans) in batches.enumerated() {
            try await store.append(SpanBatch(spans: spans, receivedUnixNanos: UInt64(number + 1)))
        }
    }

    /// All pages of a search, in order.
    static func pages(_ query: SpanQuery, of store: any SpanStore) async throws -> [TraceSummary] {
        var query = query
        var found: [TraceSummary] = []
        while true {
            let page = try await store.search(query)
            try expect(page.traces.count <= query.limit, "a page of \(query.limit) holds \(page.traces.count) traces")
            found += page.traces
            guard let next = page.next else { return found }
            try expect(page.traces.count == query.limit, "a page that is not the last is not full")
            query.cursor = next
        }
    }
}
