// SPDX-License-Identifier: Apache-2.0
import SkeinEngine
import SkeinModel
import SkeinStore

/// What the store did wrong.
struct Wrong: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Spans acknowledged, those of which nobody knows, and those that damage may have taken.
struct Model {
    private(set) var acknowledged: [TraceID: [SpanID: Span]] = [:]
    private(set) var unknown: [TraceID: [SpanID: Span]] = [:]
    /// Acknowledged spans that were in a file of which bits were flipped, and in no other.
    private var excused: Set<SpanID> = []
    /// Traces with spans in such a file.
    private var touched: Set<TraceID> = []
    /// Bits that were flipped, by file.
    private var flipCounts: [String: Int] = [:]
    /// Whether bits of any file were flipped.
    var isDamaged: Bool { !flipCounts.isEmpty }
    /// Files in quarantine, when that was looked at last.
    private var quarantinedCount = 0
    /// Excused spans of which no start has said since that something is damaged, or was cut off.
    private var unreported: Set<SpanID> = []

    /// Traces that were not touched and may still not be read: a filter takes one for another now and then.
    private static let falsePositivesMax = 2

    var traceIDs: Set<TraceID> { Set(acknowledged.keys).union(unknown.keys) }

    /// Whether some span may be gone or be one that cannot be read.
    var mayMiss: Bool { !touched.isEmpty }

    mutating func acknowledge(_ spans: [Span]) {
        for span in spans {
            acknowledged[span.traceID, default: [:]][span.spanID] = span
            // Sent again, it is in another file too.
            excused.remove(span.spanID)
        }
    }

    mutating func doubt(_ spans: [Span]) {
        for span in spans { unknown[span.traceID, default: [:]][span.spanID] = span }
    }

    /// Forgets the traces that hold a span of this name, for sure or perhaps.
    mutating func remove(name: String, isCertain: Bool) {
        func holds(_ spans: [SpanID: Span]?) -> Bool { spans?.values.contains { $0.name == name } ?? false }
        for (id, spans) in acknowledged where holds(spans) || holds(unknown[id]) {
            // Whether what nobody knows was there to be found, nobody knows either.
            if !isCertain || !holds(spans) || mayMiss { unknown[id, default: [:]].merge(spans) { known, _ in known } }
            acknowledged[id] = nil
        }
    }

    /// Notes that a bit of the file `path` is about to be flipped; `without` has all but that file, `alone` no other spans. What
    /// cannot be read, since bits were flipped before, counts as taken.
    mutating func damage(_ path: String, without store: EmbeddedStore, alone: EmbeddedStore) async throws {
        flipCounts[path, default: 0] += 1
        for id in traceIDs {
            do throws(StoreError) {
                if try await alone.trace(id) != nil { touched.insert(id) }
            } catch {
                guard error.code == .corrupt else { throw error }
                touched.insert(id)
            }
        }
        for (id, spans) in acknowledged {
            let left: Set<SpanID>
            do throws(StoreError) {
                left = Set(try await store.trace(id)?.spans.map(\.spanID) ?? [])
            } catch {
                guard error.code == .corrupt else { throw error }
                left = []
            }
            let taken = Set(spans.keys).subtracting(left)
            guard !taken.isEmpty else { continue }
            unreported.formUnion(taken.subtracting(excused))
            excused.formUnion(taken)
        }
    }

    /// Notes that a start said what is damaged.
    mutating func noteReport() { unreported = [] }

    /// Notes what a store says of blocks that it put aside or wrote anew while it was in use.
    private mutating func noteMending(_ store: EmbeddedStore) async {
        // What is under way is told when it is done.
        try? await store.compact()
        let status = await store.status()
        let count = status.figures["quarantined"] ?? 0
        // A file that could not be put aside is told of all the same.
        if count > quarantinedCount || status.figures["blocks_mended"] ?? 0 > 0 { noteReport() }
        quarantinedCount = count
    }

    /// Compares the store with the model: all that was acknowledged is there, once, and nothing never sent is. What it says
    /// wrongly is wrong whatever happened; an error is not, where bits were flipped or `mayFail`. `mayMiss` says that the
    /// start left blocks out.
    mutating func check(_ store: EmbeddedStore, mayFail: Bool = false, mayMiss: Bool = false) async throws {
        var failures: [StoreError] = []
        for id in traceIDs {
            let found: [Span]
            do throws(StoreError) {
                found = try await store.trace(id)?.spans ?? []
            } catch {
                try allow(error, mayFail)
                if !mayFail, !mayMiss, !touched.contains(id) { failures.append(error) }
                continue
            }
            let ids = found.map(\.spanID)
            guard Set(ids).count == ids.count else { throw Wrong("shows a span twice") }
            for span in found {
                let sent = acknowledged[id]?[span.spanID] ?? unknown[id]?[span.spanID]
                guard sent == span else { throw Wrong("shows a span that was never sent: \(span)") }
            }
            let missing = Set((acknowledged[id] ?? [:]).keys).subtracting(ids)
            guard mayMiss || missing.isSubset(of: excused) else {
                throw Wrong("lost \(missing.count) acknowledged spans")
            }
            if !missing.isDisjoint(with: unreported) { await noteMending(store) }
            guard mayMiss || missing.isDisjoint(with: unreported) else { throw Wrong("lost spans and did not say so") }
        }
        // A block of which a filter and a table of traces are damaged cannot say what is not in it.
        guard flipCounts.values.contains(where: { $0 > 1 }) || failures.count <= Self.falsePositivesMax else {
            throw Wrong("could not read \(failures.count) undamaged traces, such as for: \(failures[0])")
        }
        try await checkList(store, mayFail, mayMiss)
    }

    /// Every trace is listed once, with the right number of spans.
    private func checkList(_ store: EmbeddedStore, _ mayFail: Bool, _ mayMiss: Bool) async throws {
        var query = SpanQuery(limit: 50)
        var listed: [TraceID: Int] = [:]
        while true {
            let page: SearchPage
            do throws(StoreError) {
                page = try await store.search(query)
            } catch {
                return try allow(error, mayFail)
            }
            for trace in page.traces {
                guard listed[trace.traceID] == nil else { throw Wrong("lists a trace twice") }
                listed[trace.traceID] = trace.spanCount
            }
            guard let next = page.next else { break }
            query.cursor = next
        }
        for (id, spans) in acknowledged {
            let most = Set(spans.keys).union((unknown[id] ?? [:]).keys).count
            let least = mayMiss ? 0 : spans.keys.count { !excused.contains($0) }
            guard (least...most).contains(listed[id] ?? 0) else { throw Wrong("lists a trace wrongly") }
        }
    }

    private func allow(_ error: StoreError, _ mayFail: Bool) throws {
        let isAllowed = error.code == .corrupt && isDamaged || error.code == .io && mayFail
        guard isAllowed else { throw error }
    }
}
