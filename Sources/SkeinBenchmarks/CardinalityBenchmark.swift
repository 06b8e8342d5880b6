// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinEngine
import SkeinModel
import SkeinStore

/// What distinct services, span names, attribute keys and values cost, one a span: memory, blocks, answers.
struct CardinalityBenchmark {
    /// What is another in every span.
    enum Kind: String, CaseIterable {
        case service, name, key, value
    }

    private static let batchSpanCount = 500

    let kind: Kind
    let count: Int
    let folder: String

    func run() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        print("\(count) spans, another \(kind.rawValue) in each")
        let configuration = EmbeddedStore.Configuration(directory: folder)
        try await measure("append and seal") {
            let store = try await EmbeddedStore.open(configuration)
            for first in stride(from: 0, to: count, by: Self.batchSpanCount) {
                try await store.append(batch(first..<min(count, first + Self.batchSpanCount)))
            }
            try await store.seal()
            await report(store)
            await store.close()
        }
        try openApart()
        let store = try await EmbeddedStore.open(configuration)
        try await ask(store)
        try await measure("merge") { try await store.compact() }
        await report(store)
        await store.close()
        try openApart()
        let merged = try await EmbeddedStore.open(configuration)
        try await ask(merged)
        await merged.close()
    }

    /// Opens the folder in a process of its own, whose memory is nothing but the store's.
    private func openApart() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["open", folder]
        try process.run()
        process.waitUntilExit()
    }

    /// Opens a folder once.
    static func open(_ folder: String) async throws {
        try await measure("open") {
            let store = try await EmbeddedStore.open(EmbeddedStore.Configuration(directory: folder))
            // The opening of rollups goes on behind it.
            _ = try await store.rollup(TimeRange(start: 0, end: 1), step: nil)
            await store.close()
        }
    }

    private func report(_ store: EmbeddedStore) async {
        let status = await store.status()
        let names = ["blocks", "block_bytes", "rollup_bytes", "service_numbers", "rollup_overflow_spans"]
        print("    " + names.map { "\($0) \(status.figures[$0] ?? 0)" }.joined(separator: ", "))
        for problem in status.problems { print("    \(problem)") }
    }

    // MARK: Spans

    private func name(_ number: Int) -> String { "distinct \(kind.rawValue) \(number)" }

    private func batch(_ numbers: Range<Int>) -> SpanBatch {
        SpanBatch(
            spans: numbers.map { number in
                var span = Span(
                    traceID: TraceID(high: 1, low: UInt64(number) + 1),
                    spanID: SpanID(UInt64(number) + 1),
                    name: kind == .name ? name(number) : "work",
                    kind: .server,
                    startUnixNanos: 1_790_000_000_000_000_000 + UInt64(number) * 1_000_000,
                    durationNanos: 5_000_000
                )
                span.resource.attributes = [
                    Attribute("service.name", .string(kind == .service ? name(number) : "shop")),
                    Attribute("host.name", "host-1"), Attribute("service.version", "1.2.3"),
                ]
                span.attributes = [
                    Attribute("http.request.method", "GET"),
                    Attribute(kind == .key ? name(number) : "user.id", .string(kind == .value ? name(number) : "ann")),
                ]
                return span
            },
            receivedUnixNanos: 1_790_000_000_000_000_000
        )
    }

    // MARK: Questions

    private func predicate(_ number: Int) -> SpanPredicate {
        switch kind {
        case .service: .compare(.serviceName, .equal, .string(name(number)))
        case .name: .compare(.name, .equal, .string(name(number)))
        case .key: .compare(.attribute(.any, name(number)), .equal, .string("ann"))
        case .value: .compare(.attribute(.any, "user.id"), .equal, .string(name(number)))
        }
    }

    private func ask(_ store: EmbeddedStore) async throws {
        let probes = (0..<5).map { count / 5 * $0 + 7 }.filter { $0 < count }
        try await measure("\(probes.count) searches") {
            for number in probes {
                let found = try await store.search(SpanQuery(predicate: predicate(number), limit: 5)).traces
                let isRight = found.map(\.traceID.low) == [UInt64(number) + 1] && found[0].matchedSpanCount == 1
                if !isRight { print("    WRONG: \(name(number)) finds \(found.count) traces") }
            }
        }
        try await measure("a trace by id") { _ = try await store.trace(TraceID(high: 1, low: 7)) }
        for round in ["first", "then"] {
            try await measure("services, \(round)") {
                try await check(store.services(prefix: "", limit: 1_000), of: .service)
            }
            try await measure("operations, \(round)") {
                let service = kind == .service ? name(7) : "shop"
                try await check(store.operations(ofService: service, prefix: "", limit: 1_000), of: .name)
            }
            try await measure("attribute keys, \(round)") {
                try await check(store.attributeKeys(prefix: "distinct", limit: 1_000), of: .key)
            }
            try await measure("values of user.id, \(round)") {
                let list = try await store.values(of: .attribute(.any, "user.id"), prefix: "", limit: 20)
                if kind == .value, !list.isCut { print("    WRONG: the list is not said to be cut") }
            }
        }
        try await measure("usage") { _ = try await store.usage() }
        try await measure("rollup of all time") { _ = try await store.rollup(.all, step: nil) }
        try await measure("rollup of all time by the minute") { _ = try await store.rollup(.all, step: 60_000_000_000) }
    }

    private func check<Name>(_ list: NameList<Name>, of kind: Kind) {
        let wanted = kind == self.kind ? min(count, 1_000) : kind == .key ? 0 : 1
        if list.names.count != wanted || list.isCut != (kind == self.kind && count > 1_000) {
            print("    WRONG: \(list.names.count) names, cut \(list.isCut)")
        }
    }

    private func measure(_ name: String, _ body: () async throws -> Void) async throws {
        try await Self.measure(name, body)
    }

    private static func measure(_ name: String, _ body: () async throws -> Void) async throws {
        Memory.resetPeak()
        let before = Memory.resident
        let start = SystemClock().monotonicNanos
        try await body()
        let millis = Double(SystemClock().monotonicNanos - start) / 1e6
        print(String(format: "%10.1f ms, peak %5d MiB (%d before)  ", millis, Memory.peak, before) + name)
    }
}

/// The memory of this process, in MiB; 0 where the system does not tell.
private enum Memory {
    static var resident: Int { value("VmRSS") }
    static var peak: Int { value("VmHWM") }

    static func resetPeak() { try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8) }

    private static func value(_ name: String) -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
        return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) / 1024
    }
}
