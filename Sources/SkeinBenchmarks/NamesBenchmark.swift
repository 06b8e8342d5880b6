// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinEngine
import SkeinModel
import SkeinStore

/// What names and top values cost: cold, by a store just opened, and warm; on the blocks that the head makes and on merged
/// ones.
struct NamesBenchmark {
    private let batches: [SpanBatch]
    private let folder: String

    /// Spans as in ``EngineBenchmark``.
    init(_ batches: [SpanBatch], folder: String) {
        self.batches = batches
        self.folder = folder
    }

    func run() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let configuration = EmbeddedStore.Configuration(directory: folder)
        let store = try await EmbeddedStore.open(configuration)
        for batch in batches { try await store.append(batch) }
        try await ask(store, "blocks, and spans in memory")
        try await store.seal()
        await store.close()
        let sealed = try await EmbeddedStore.open(configuration)
        try await ask(sealed, "blocks as the head makes them")
        try await sealed.compact()
        await sealed.close()
        let merged = try await EmbeddedStore.open(configuration)
        try await ask(merged, "merged blocks")
        await merged.close()
    }

    private func ask(_ store: EmbeddedStore, _ what: String) async throws {
        let figures = await store.status().figures
        print("\(what): \(figures["blocks"] ?? 0) blocks, \(figures["head_spans"] ?? 0) spans in memory")
        try await time("services") { _ = try await store.services(prefix: "", limit: 1_000) }
        try await time("operations of a service") {
            _ = try await store.operations(ofService: "checkout", prefix: "", limit: 1_000)
        }
        try await time("attribute keys") { _ = try await store.attributeKeys(prefix: "", limit: 20) }
        let fields: [(String, SpanField, String)] = [
            ("values of http.request.method", .attribute(.any, "http.request.method"), ""),
            ("values of span.user.id", .attribute(.span, "user.id"), ""),
            ("values of user.id with a prefix", .attribute(.any, "user.id"), "1"),
            ("values of order.id", .attribute(.any, "order.id"), ""),
            ("span names", .name, ""), ("values of host.name", .attribute(.any, "host.name"), ""),
        ]
        for (name, field, prefix) in fields {
            let list = try await time(name) { try await store.values(of: field, prefix: prefix, limit: 20) }
            let counts = list.values.prefix(3).map { "\($0.count)" }.joined(separator: ", ")
            print("            \(list.values.count) values: \(counts) …, error at most \(list.countErrorMax)")
        }
    }

    @discardableResult
    private func time<T>(_ name: String, _ body: () async throws -> T) async throws -> T {
        var micros: [Double] = []
        var answer: T?
        for _ in 0..<101 {
            let start = SystemClock().monotonicNanos
            answer = try await body()
            micros.append(Double(SystemClock().monotonicNanos - start) / 1e3)
        }
        let first = micros.removeFirst()
        micros.sort()
        print(String(format: "%10.0f µs first %8.0f µs then  ", first, micros[50]) + name)
        guard let answer else { preconditionFailure("it was asked") }
        return answer
    }
}
