// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Runs a pipeline over traces and describes what is left.
///
/// Filters, relations and aggregates see the whole trace; of what is left at the end the spans count that start in the
/// range.
struct SpansetEvaluator: TraceEvaluator {
    let program: SpansetProgram
    let range: TimeRange
    /// Spans described of each spanset.
    let spanCountMax: Int

    final class Prepared {
        let table: any SpanTable
        let program: SpansetProgram.Prepared
        let starts: [UInt64]
        /// `nil` until a trace matches.
        var description: Description?

        init(_ table: any SpanTable, _ program: SpansetProgram.Prepared, _ starts: [UInt64]) {
            self.table = table
            self.program = program
            self.starts = starts
        }
    }

    /// The columns that matching spans are described from.
    struct Description {
        let spanIDs: [UInt64]
        let names: FieldColumn
        let services: FieldColumn
        let durations: [UInt64]
        let reader: FieldReader
    }

    func prepare(_ table: any SpanTable) throws(StoreError) -> Prepared {
        Prepared(table, try program.prepare(table), try table.starts())
    }

    func evaluate(
        _ trace: TableTrace,
        of table: any SpanTable,
        _ prepared: Prepared
    ) throws(StoreError) -> (answer: TraceMatch, matchedSpanCount: Int)? {
        let sets = try spansets(trace, prepared)
        guard !sets.isEmpty else { return nil }
        var matched = Set<Int>()
        for set in sets { matched.formUnion(set.rows) }
        let description = try description(prepared)
        var match = TraceMatch(spansets: [])
        for set in sets {
            var spans: [MatchedSpan] = []
            for row in set.rows.prefix(spanCountMax) { spans.append(try span(row, prepared, description)) }
            match.spansets.append(
                SpansetMatch(matchedSpanCount: set.rows.count, spans: spans, attributes: set.attributes)
            )
        }
        return (match, matched.count)
    }

    /// The spansets of a trace that are left, and of them the spans that start in the range.
    func spansets(_ trace: TableTrace, _ prepared: Prepared) throws(StoreError) -> [Spanset] {
        var sets = try program.run(trace, prepared.program)
        if range == .all { return sets }
        for place in sets.indices { sets[place].rows.removeAll { !range.contains(prepared.starts[$0]) } }
        sets.removeAll { $0.rows.isEmpty }
        return sets
    }

    private func description(_ prepared: Prepared) throws(StoreError) -> Description {
        if let known = prepared.description { return known }
        let table = prepared.table
        let made = Description(
            spanIDs: try table.spanIDs(),
            names: try table.column(.name),
            services: try table.column(.serviceName),
            durations: try table.durations(),
            reader: FieldReader(table, program.shownFields)
        )
        prepared.description = made
        return made
    }

    private func span(
        _ row: Int,
        _ prepared: Prepared,
        _ description: Description
    ) throws(StoreError) -> MatchedSpan {
        var span = MatchedSpan(
            spanID: SpanID(description.spanIDs[row]),
            name: description.names[row]?.text ?? "",
            serviceName: description.services[row]?.text ?? "",
            startUnixNanos: prepared.starts[row],
            durationNanos: description.durations[row],
            attributes: []
        )
        for (place, field) in program.shownFields.enumerated() where field.isShown {
            let value = try description.reader.value(place, row: row)
            if value != .none { span.attributes.append((field, value)) }
        }
        return span
    }
}

extension Field {
    /// Whether it is shown among the attributes of a span; the others have a place of their own in answers.
    fileprivate var isShown: Bool {
        switch self {
        case .intrinsic(.name), .intrinsic(.duration), .intrinsic(.traceDuration), .intrinsic(.rootName),
            .intrinsic(.rootServiceName), .intrinsic(.traceID), .intrinsic(.spanID):
            false
        default: true
        }
    }
}
