// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// Log records beside the spans of a data folder.
@Suite struct LogRecordStoreTests {
    typealias S = EngineSupport
    private static let folder = "/data/records"

    private static func record(_ trace: UInt64, span: UInt64, at time: UInt64, _ text: String) -> LogRecord {
        LogRecord(
            traceID: TraceID(high: 1, low: trace),
            spanID: SpanID(span),
            timeUnixNanos: time,
            body: .string(text)
        )
    }

    private static func texts(
        _ trace: UInt64,
        span: SpanID? = nil,
        limit: Int = 100,
        in store: EmbeddedStore
    ) async throws -> [String] {
        let records = try #require(store.logRecords)
        let list = try await records.logRecords(ofTrace: TraceID(high: 1, low: trace), span: span, limit: limit)
        return list.batch.records.map { record in if case .string(let text) = record.body { text } else { "" } }
            + (list.isCut ? ["…"] : [])
    }

    private static func append(_ records: [LogRecord], to store: EmbeddedStore) async throws {
        try await #require(store.logRecords).append(LogBatch(records: records))
    }

    @Test func `records come back by trace and by span, in the order of their time`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 1))
        try await Self.append(
            [Self.record(1, span: 7, at: 30, "c"), Self.record(2, span: 7, at: 5, "other")],
            to: store
        )
        try await Self.append(
            [
                Self.record(1, span: 7, at: 10, "a"), Self.record(1, span: 8, at: 20, "b"),
                Self.record(1, span: 0, at: 40, "d"),
            ],
            to: store
        )
        #expect(try await Self.texts(1, in: store) == ["a", "b", "c", "d"])
        #expect(try await Self.texts(1, span: SpanID(7), in: store) == ["a", "c"])
        #expect(try await Self.texts(1, limit: 2, in: store) == ["a", "b", "…"])
        #expect(try await Self.texts(3, in: store).isEmpty)
        #expect(await store.status().figures["log_records"] == 5)
        #expect(await store.status().spanCount == 0)
        await store.close()
    }

    @Test func `a folder of which nobody sends records has none`() async throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        #expect(try await Self.texts(1, in: store).isEmpty)
        await store.close()
        #expect(!disk.paths.contains { $0.hasPrefix(Self.folder) })
    }

    @Test func `records survive a stop, and one that comes again is kept once`() async throws {
        let disk = SimulatedDisk(seed: 2)
        let records = [Self.record(1, span: 7, at: 10, "a"), Self.record(1, span: 7, at: 10, "a")]
        let store = try await S.open(disk)
        try await Self.append(records, to: store)
        let later = try await S.open(disk.copy())
        try await Self.append(records, to: later)
        #expect(try await Self.texts(1, in: later) == ["a", "a"])
        await later.close()
        await store.close()
    }

    @Test func `who deletes a trace deletes its records`() async throws {
        let disk = SimulatedDisk(seed: 3)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1), S.span(2, 2)))
        try await Self.append(
            [Self.record(1, span: 1, at: 5, "gone"), Self.record(2, span: 2, at: 5, "kept")],
            to: store
        )
        let name = SpanPredicate.compare(.name, .equal, .string("work 1"))
        _ = try await store.remove(Removal(.delete, predicate: name))
        #expect(try await Self.texts(1, in: store).isEmpty)
        #expect(try await Self.texts(2, in: store) == ["kept"])
        await store.close()
        #expect(!disk.paths.contains { disk[$0].map { Self.holds($0, "gone") } ?? false })
    }

    @Test func `a trace of which nothing but records is stored is deleted by its id`() async throws {
        let disk = SimulatedDisk(seed: 6)
        let store = try await S.open(disk)
        try await Self.append(
            [
                Self.record(1, span: 1, at: 5, "gone"), Self.record(1, span: 1, at: 6, "gone too"),
                Self.record(2, span: 2, at: 5, "kept"),
            ],
            to: store
        )
        func named(_ trace: UInt64) -> SpanPredicate {
            .compare(.traceID, .equal, .string(Self.record(trace, span: 1, at: 5, "").traceID.description))
        }
        let outside = Removal(.delete, range: TimeRange(start: 7, end: 9), predicate: named(1))
        #expect(try await store.remove(outside) == Removal.Outcome())
        let outcome = try await store.remove(Removal(.delete, predicate: .or([named(1), named(3)])))
        #expect(outcome.traceCount == 1 && outcome.spanCount == 0 && outcome.logRecordCount == 2)
        #expect(try await Self.texts(1, in: store).isEmpty)
        #expect(try await Self.texts(2, in: store) == ["kept"])
        await store.close()
    }

    @Test func `who redacts a key redacts it in the records of the traces`() async throws {
        let disk = SimulatedDisk(seed: 7)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1), S.span(2, 2)))
        func record(_ trace: UInt64, _ value: String) -> LogRecord {
            var record = Self.record(trace, span: trace, at: 5, "body")
            record.attributes = [Attribute("secret", .string(value)), Attribute("other", "x")]
            return record
        }
        try await Self.append([record(1, "hunter1"), record(2, "hunter2")], to: store)
        let name = SpanPredicate.compare(.name, .equal, .string("work 1"))
        let outcome = try await store.remove(Removal(.redact(keys: ["secret"]), predicate: name))
        #expect(outcome.logRecordCount == 1 && outcome.spanCount == 0)
        func attributes(_ trace: UInt64) async throws -> [Attribute] {
            let id = Self.record(trace, span: 1, at: 5, "").traceID
            let list = try await store.logRecords?.logRecords(ofTrace: id, span: nil, limit: 9)
            return list?.batch.records.flatMap(\.attributes) ?? []
        }
        #expect(try await attributes(1) == [Attribute("secret", "[redacted]"), Attribute("other", "x")])
        #expect(try await attributes(2)["secret"] == "hunter2")
        await store.close()
        #expect(!disk.paths.contains { disk[$0].map { Self.holds($0, "hunter1") } ?? false })
    }

    @Test func `a deletion that cannot reach the records is not done until it can`() async throws {
        let disk = SimulatedDisk(seed: 5)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        try await Self.append([Self.record(1, span: 1, at: 5, "gone")], to: store)
        disk.brokenFolder = Self.folder + "/blocks"
        let name = SpanPredicate.compare(.name, .equal, .string("work 1"))
        await #expect(throws: StoreError.self) { _ = try await store.remove(Removal(.delete, predicate: name)) }
        await store.thin()
        #expect(await !store.status().problems.isEmpty)
        disk.brokenFolder = nil
        await store.thin()
        #expect(try await Self.texts(1, in: store).isEmpty)
        #expect(try await S.trace(1, of: store).isEmpty)
        #expect(await store.status().problems.isEmpty)
        await store.close()
    }

    @Test func `a backup has the records, and verifying reads them`() async throws {
        let disk = SimulatedDisk(seed: 4)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        try await Self.append([Self.record(1, span: 1, at: 5, "a")], to: store)
        await store.close()
        #expect(try DataFolder("/data", disk: disk).verify().findings.isEmpty)
        _ = try DataFolder("/data", disk: disk).backUp(to: "/backup", copies: true, clock: SimulatedClock())
        _ = try await DataFolder("/restored", disk: disk).restore(from: "/backup")
        let restored = try await S.open(disk) { $0.directory = "/restored" }
        #expect(try await Self.texts(1, in: restored) == ["a"])
        await restored.close()
        let segment = try #require(disk.paths.first { $0.hasPrefix("/data/records/log/") })
        let size = disk[segment]?.count ?? 0
        disk[segment]?[size / 2] ^= 1
        let findings = try DataFolder("/data", disk: disk).verify().findings
        #expect(findings.contains { $0.file.hasPrefix("records/log/") })
    }

    private static func holds(_ bytes: [UInt8], _ text: String) -> Bool {
        let wanted = Array(text.utf8)
        return bytes.indices.contains { bytes[$0...].starts(with: wanted) }
    }
}
