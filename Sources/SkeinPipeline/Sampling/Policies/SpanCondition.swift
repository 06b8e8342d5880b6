// SPDX-License-Identifier: Apache-2.0
package import SkeinModel
package import SkeinStore

/// What a policy asks of single spans; a trace satisfies it when any of its spans does.
package enum SpanCondition: Hashable, Sendable {
    case predicate(SpanPredicate)
    /// The W3C flag `sampled` is set.
    case sampledFlag
    /// The `tracestate` has the member `key` with one of these values.
    case traceState(key: String, values: [String])

    /// The span or its resource has a text attribute with one of these values.
    package static func text(_ key: String, in values: [String]) -> SpanCondition {
        // One pattern asks once of each text in a batch, however many values there are.
        if values.count > 1, let pattern = try? TextPattern(values.map(escaped).joined(separator: "|")) {
            return attribute(key) { .compare($0, .matches, .pattern(pattern)) }
        }
        return attribute(key) { field in .or(values.map { .compare(field, .equal, .string($0)) }) }
    }

    /// The span or its resource has a text attribute in which one of these patterns is found.
    package static func text(
        _ key: String,
        containing patterns: [String]
    ) throws(TextPattern.Failure) -> SpanCondition {
        var compiled: [TextPattern] = []
        // A pattern matches the whole text by itself; the collector looks for it anywhere. Each is compiled alone first, so
        // that a failure points into what was written.
        for pattern in patterns {
            _ = try TextPattern(pattern)
            compiled.append(try TextPattern("(?s:.*)(?:\(pattern))(?s:.*)"))
        }
        return attribute(key) { field in .or(compiled.map { .compare(field, .matches, .pattern($0)) }) }
    }

    /// The span or its resource has a number within these bounds.
    package static func number(_ key: String, from low: Int64?, to high: Int64?) -> SpanCondition {
        attribute(key) { field in
            .and(
                [
                    low.map { .compare(field, .greaterOrEqual, .int($0)) },
                    high.map { .compare(field, .lessOrEqual, .int($0)) },
                ].compactMap(\.self)
            )
        }
    }

    /// The span or its resource has this truth value.
    package static func bool(_ key: String, is value: Bool) -> SpanCondition {
        attribute(key) { .compare($0, .equal, .bool(value)) }
    }

    /// The span's status is one of these.
    package static func status(in codes: [Span.Status.Code]) -> SpanCondition {
        .predicate(.or(codes.map { .compare(.status, .equal, .status($0)) }))
    }

    private static func attribute(_ key: String, _ test: (SpanField) -> SpanPredicate) -> SpanCondition {
        .predicate(.or([test(.attribute(.span, key)), test(.attribute(.resource, key))]))
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { escaped, scalar in
            if "\\.+*?()|[]{}^$".unicodeScalars.contains(scalar) { escaped += "\\" }
            escaped.unicodeScalars.append(scalar)
        }
    }
}

/// The distinct conditions of a set of policies, by number.
struct SpanConditions: Sendable {
    private var conditions: [SpanCondition] = []
    private var predicates: [CompiledPredicate?] = []

    var count: Int { conditions.count }

    /// The number of `condition`, which is added when it is new.
    mutating func number(of condition: SpanCondition) -> Int {
        if let number = conditions.firstIndex(of: condition) { return number }
        let predicate: CompiledPredicate? =
            if case .predicate(let predicate) = condition { CompiledPredicate(predicate) } else { nil }
        conditions.append(condition)
        predicates.append(predicate)
        return conditions.count - 1
    }

    /// For each condition the rows that satisfy it.
    func rows(of batch: SpanBatch) -> [RowSet] {
        conditions.indices.map { number in
            switch conditions[number] {
            case .predicate:
                // Columns in memory can be read, or there would be no batch.
                predicates[number].flatMap { try? BatchScan.rows(of: batch, in: .all, matching: $0) }
                    ?? RowSet(count: batch.count)
            case .sampledFlag:
                RowSet(count: batch.count) { SpanBatch.value(batch.flags, $0, default: 0) & 1 == 1 }
            case .traceState(let key, let values):
                RowSet(count: batch.count) { row in
                    let ref = SpanBatch.value(batch.traceStateRefs, row, default: 0)
                    return ref != 0 && Self.holds(key, values, in: batch.dictionary.string(ref))
                }
            }
        }
    }

    private static func holds(_ key: String, _ values: [String], in traceState: String) -> Bool {
        traceState.split(separator: ",").contains { member in
            let parts = member.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, trimmed(parts[0]).elementsEqual(key.utf8) else { return false }
            let value = trimmed(parts[1])
            return values.contains { value.elementsEqual($0.utf8) }
        }
    }

    private static func trimmed(_ text: Substring) -> Substring.UTF8View.SubSequence {
        var text = text.utf8.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = text.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }
}
