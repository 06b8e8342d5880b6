// SPDX-License-Identifier: Apache-2.0
import SkeinEngine
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinTraceQL

/// Random queries over random traces, answered over columns as over plain spans.
@Suite struct ExecutorTests {
    /// A store with random spans, sealed in part, and all its traces.
    private static func store(seed: UInt64) async throws -> (EmbeddedStore, [SpanBatch]) {
        let store = try await EngineSupport.open(SimulatedDisk(seed: seed))
        let model = MemoryStore()
        var nasty = NastySpans(seed: seed, traceCount: 6)
        for round in 0..<6 as Range<UInt64> {
            let batch = SpanBatch(spans: nasty.spans(10 + Int(nasty.below(20))), receivedUnixNanos: round + 1)
            try await store.append(batch)
            try await model.append(batch)
            if nasty.below(2) == 0 { try await store.seal() }
        }
        var traces: [SpanBatch] = []
        for high in [0, UInt64.max] {
            for low in 1...6 as ClosedRange<UInt64> {
                if let trace = try await model.trace(TraceID(high: high, low: low)) { traces.append(trace) }
            }
        }
        return (store, traces)
    }

    @Test(arguments: 0..<24 as Range<UInt64>)
    func `a search finds what a plain reading finds`(seed: UInt64) async throws {
        let (store, traces) = try await Self.store(seed: seed)
        var generator = QueryGenerator(NastySpans(seed: seed &+ 1_000))
        var queryCount = 0
        for _ in 0..<60 {
            let text = generator.query()
            guard let query = try? TraceQL.parse(text) else { continue }
            queryCount += 1
            let range = generator.nasty.range()
            let found = try await pages(query, range, of: store)
            var wanted: [String] = []
            for trace in traces.sorted(by: Self.isNewer) {
                let plain = PlainExecutor(trace)
                let sets = plain.run(query.pipeline, source: query.source, range: range)
                if !sets.isEmpty { wanted.append(Self.text(plain, sets)) }
            }
            let (surplus, lacking) = (found.filter { !wanted.contains($0) }, wanted.filter { !found.contains($0) })
            #expect(found == wanted, "\(text) in \(range): \(surplus) instead of \(lacking)")
            if found != wanted { break }
        }
        #expect(queryCount > 20)
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func `series count what a plain reading counts`(seed: UInt64) async throws {
        let (store, traces) = try await Self.store(seed: seed)
        var generator = QueryGenerator(NastySpans(seed: seed &+ 2_000))
        for _ in 0..<40 {
            let text = generator.series()
            guard let query = try? TraceQL.parse(text), case .series(.query(let series)) = query.statement else {
                continue
            }
            let grid = try #require(SeriesGrid(start: 1_010, end: 1_190, step: 20))
            let request = SeriesRequest(query, grid: grid, exemplarCountMax: 3)
            let answer = try #require(try await store.series(request))
            let found = answer.series.map { series in
                let labels = series.labels.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
                return labels + " " + series.values.map { $0.map(Self.text) ?? "-" }.joined(separator: " ")
            }
            let wanted = PlainSeries(series, traces, grid, source: query.source).lines
            let (surplus, lacking) = (Set(found).subtracting(wanted), Set(wanted).subtracting(found))
            #expect(surplus.isEmpty && lacking.isEmpty, "\(text): \(surplus) instead of \(lacking)")
            if !surplus.isEmpty || !lacking.isEmpty { break }
        }
    }

    /// All pages of a search, a trace a line.
    private func pages(_ query: Query, _ range: TimeRange, of store: EmbeddedStore) async throws -> [String] {
        var lines: [String] = []
        var request = TraceSearchRequest(query, range: range, limit: 3, spanCountMax: 1_000, order: .newest)
        while true {
            let page = try await store.search(request)
            for trace in page.traces {
                let sets = trace.match.spansets.map { set -> String in
                    let rows = set.spans.map { "\($0.spanID) \($0.startUnixNanos) \($0.name.count)" }.sorted()
                    let attributes = set.attributes.map { "\($0.name)=\($0.value.text)" }.sorted()
                    return "\(set.matchedSpanCount) \(rows) \(attributes)"
                }
                lines.append("\(trace.summary.traceID) \(sets.sorted())")
            }
            guard let next = page.next else { return lines }
            request.cursor = next
        }
    }

    private static func text(_ plain: PlainExecutor, _ sets: [PlainExecutor.Set]) -> String {
        let lines = sets.map { set -> String in
            let rows = set.rows.map {
                "\(plain.spans[$0].spanID) \(plain.spans[$0].startUnixNanos) \(plain.spans[$0].name.count)"
            }
            let attributes = set.attributes.map { "\($0.key)=\($0.value.text)" }.sorted()
            return "\(set.rows.count) \(rows.sorted()) \(attributes)"
        }
        return "\(plain.spans[0].traceID) \(lines.sorted())"
    }

    private static func isNewer(_ a: SpanBatch, _ b: SpanBatch) -> Bool {
        let (x, y) = (a.startUnixNanos.min() ?? 0, b.startUnixNanos.min() ?? 0)
        return x != y ? x > y : a.traceIDs[0] < b.traceIDs[0]
    }

    /// Sums of doubles depend on their order a little, and so does which of two zeros is the least.
    static func text(_ number: Double) -> String {
        if number.isNaN || number.isInfinite { return "\(number)" }
        return number == 0 ? "0" : "\(Float(number))"
    }
}

/// Counts spans of a query of series one by one.
private struct PlainSeries {
    var lines: [String] = []

    init(_ query: SeriesQuery, _ traces: [SpanBatch], _ grid: SeriesGrid, source: [UInt8]) {
        var values: [[String]: [[(Double, Double)]]] = [:]
        for trace in traces {
            let plain = PlainExecutor(trace)
            let sets = plain.run(query.pipeline, source: source, range: grid.range)
            for row in Set(sets.flatMap(\.rows)) {
                let span = plain.spans[row]
                var number = 1.0
                if let operand = query.function.operand {
                    guard let found = plain.number(operand, row) else { continue }
                    number = found
                }
                var key = query.groups.compactMap { group -> String? in
                    let value = plain.fieldValue(group.field, row)
                    return value == .none ? nil : "\(group.field.text)=\(value)"
                }
                if key.isEmpty, let first = query.groups.first { key = ["\(first.field.text)=\(Value.string("nil"))"] }
                let moment = (0..<grid.count).first { span.startUnixNanos <= grid.moment($0) } ?? 0
                values[key, default: [[(Double, Double)]](repeating: [], count: grid.count)][moment]
                    .append((number, span.weight))
            }
        }
        let counts = query.function.operand == nil
        if values.isEmpty, query.groups.isEmpty, counts {
            values[[]] = [[(Double, Double)]](repeating: [], count: grid.count)
        }
        for (key, moments) in values {
            let numbers = moments.map { entries -> Double? in
                let weight = entries.reduce(0) { $0 + $1.1 }
                switch query.function {
                case .rate: return weight / grid.stepSeconds
                case .count: return weight
                case .sum: return weight > 0 ? entries.reduce(0) { $0 + $1.0 * $1.1 } : nil
                case .average: return weight > 0 ? entries.reduce(0) { $0 + $1.0 * $1.1 } / weight : nil
                case .minimum: return weight > 0 ? entries.map(\.0).min() : nil
                default: return weight > 0 ? entries.map(\.0).max() : nil
                }
            }
            let counted = numbers.map { $0.flatMap { $0.isNaN ? nil : $0 } }
            if !counts, counted.allSatisfy({ $0 == nil }) { continue }
            let labels = key.isEmpty ? ["__name__=\(Value.string(query.function.name))"] : key
            let text = counted.map { $0.map(ExecutorTests.text) ?? "-" }.joined(separator: " ")
            lines.append(labels.joined(separator: ",") + " " + text)
        }
    }
}
