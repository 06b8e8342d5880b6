// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Single fields, out of the rows of the table.
extension SpanReader {
    /// The text that the first usable row of a field says.
    mutating func text(_ field: Mapping.Field, _ span: AgentSpan) -> String? {
        for row in rows[field.rawValue] where values.has(row.key) && reads(row.mapping, span) {
            guard let text = text(of: row) else { continue }
            return text
        }
        return nil
    }

    private mutating func text(of row: (key: Int, mapping: Int)) -> String? {
        if let member = Mapping.table[row.mapping].member {
            guard let text = values.member(member, of: row.key)?.scalarText, !text.isEmpty else { return nil }
            return text
        }
        guard let text = values.text(row.key) else { return nil }
        if case .word = Mapping.table[row.mapping].reading, Int64(text) != nil { return nil }
        guard case .lastPart = Mapping.table[row.mapping].reading, let stop = text.utf8.lastIndex(of: UInt8(ascii: "."))
        else {
            return text
        }
        let part = String(text[text.utf8.index(after: stop)...])
        return part.isEmpty ? text : part
    }

    /// What the first row of a field says of which `use` can make something.
    mutating func first<T>(_ field: Mapping.Field, _ span: AgentSpan, _ use: (AttributeValue) -> T?) -> T? {
        for row in rows[field.rawValue] where values.has(row.key) && reads(row.mapping, span) {
            let value = value(of: row)
            if let value, let made = use(value) { return made }
        }
        return nil
    }

    private mutating func value(of row: (key: Int, mapping: Int)) -> AttributeValue? {
        if let member = Mapping.table[row.mapping].member { return values.member(member, of: row.key) }
        return values.value(row.key)
    }

    /// A count, or nanoseconds; of rows that sum up other spans only when `isSum` says so.
    mutating func number(_ field: Mapping.Field, _ span: AgentSpan, isSum: Bool = false) -> Number? {
        for row in rows[field.rawValue] where values.has(row.key) && reads(row.mapping, span) {
            let reading = Mapping.table[row.mapping].reading
            if case .sum = reading, !isSum { continue }
            guard let value = value(of: row) else { continue }
            let count: UInt64? =
                switch reading {
                case .seconds: value.amount.flatMap { UInt64(exactly: ($0 * 1e9).rounded()) }
                case .milliseconds: value.amount.flatMap { UInt64(exactly: ($0 * 1e6).rounded()) }
                default: value.count
                }
            if let count { return Number(count: count, reading: reading) }
        }
        return nil
    }

    struct Number {
        var count: UInt64
        var reading: Mapping.Reading
    }

    /// US dollars.
    mutating func dollars(_ span: AgentSpan) -> Double? {
        for row in rows[Mapping.Field.usd.rawValue] where values.has(row.key) && reads(row.mapping, span) {
            if case .dollarsInParts = Mapping.table[row.mapping].reading {
                let parts = values.members(of: row.key).compactMap { $0.value.amount }
                if !parts.isEmpty { return parts.reduce(0, +) }
            } else if let amount = value(of: row)?.amount {
                return amount
            }
        }
        return nil
    }

    /// Whether a row is for spans such as this one.
    func reads(_ mapping: Int, _ span: AgentSpan) -> Bool {
        // Most rows are for all spans; a copy of a row costs more than the question.
        if isForAll[mapping] { return true }
        if Mapping.table[mapping].isOwn, !own.contains(Mapping.table[mapping].dialect) { return false }
        guard !Mapping.table[mapping].kinds.isEmpty else { return true }
        return span.kind.map { Mapping.table[mapping].kinds.contains($0) } ?? false
    }

    /// What a span's name, or the message that Logfire makes of it, says of a field.
    mutating func part(_ field: Mapping.Field, _ span: AgentSpan, _ name: NameFacts) -> String? {
        if let part = part(field, span.kind, name) { return part }
        guard own.contains(.logfire), let message = values.text(keys.logfireMessage) else { return nil }
        return part(field, span.kind, NameFacts(message))
    }

    private func part(_ field: Mapping.Field, _ kind: AgentSpan.Kind?, _ name: NameFacts) -> String? {
        for match in name.matches {
            let rule = NameRule.table[match.rule]
            guard rule.field == field, let kind, rule.kinds.contains(kind), !rule.isOwn || own.contains(rule.dialect),
                let known = match.part.unquoted.known
            else { continue }
            return known
        }
        return nil
    }

    /// The key of work that belongs together; never the trace's own id, which is no more than where it is stored.
    mutating func sessionKey(_ span: AgentSpan) -> String? {
        for row in rows[Mapping.Field.sessionKey.rawValue] where values.has(row.key) && reads(row.mapping, span) {
            guard let key = text(of: row), key != "null", !Self.isTraceID(key, span.traceID) else { continue }
            return key
        }
        return nil
    }

    /// Whether `text` is the trace's id, also when it is written as a UUID.
    private static func isTraceID(_ text: String, _ id: TraceID) -> Bool {
        guard text.utf8.count == 32 || text.utf8.count == 36 else { return false }
        return TraceID(hex: String(decoding: text.utf8.filter { $0 != UInt8(ascii: "-") }, as: UTF8.self)) == id
    }
}
