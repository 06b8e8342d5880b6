// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Which attributes a comparison looks at, and how much of what they say is told apart: whatever spans carry, it takes a
/// bounded amount of memory.
struct ComparedFields: Sendable {
    /// Attributes that are looked at: those that most spans have.
    static let countMax = 500
    /// Distinct values of all attributes together that are told apart.
    static let valueCountMax = 200_000
    /// UTF-8 bytes of a value that is told apart.
    static let valueByteCountMax = 1_024

    private let attributes: Set<Field>
    /// In place of what there is to look at.
    private let chosen: Set<Field>?

    /// Fields that somebody chose, whatever they are.
    init(chosen fields: [Field]) {
        attributes = []
        chosen = Set(fields)
    }

    /// Those of the attributes of a store that are in use most.
    init(_ keys: [AttributeKey]) {
        let ofSpans = keys.filter { $0.scope != .event && $0.scope != .link }
        let first = ofSpans.sorted { a, b in
            a.spanCount != b.spanCount ? a.spanCount > b.spanCount : a.name.precedes(b.name)
        }
        attributes = Set(first.prefix(Self.countMax).map { .attribute($0.scope, $0.name) })
        chosen = nil
    }

    /// Whether tables must hold whole traces.
    var needsWholeTraces: Bool { chosen?.contains(where: \.needsWholeTrace) ?? false }

    /// Those of the attributes that some span of a table may have, with `others`; where fields are chosen, these alone.
    func fields(of table: any SpanTable, with others: Set<Field>) throws(StoreError) -> Set<Field> {
        if let chosen { return chosen }
        var fields = others
        for case .attribute(let scope, let key) in try table.attributeFields() {
            let field = Field.attribute(scope, key)
            if attributes.contains(field) { fields.insert(field) }
        }
        return fields
    }
}

extension SpanStore {
    /// The attributes that a comparison of stored spans looks at.
    func comparedFields() async throws(StoreError) -> ComparedFields {
        ComparedFields(try await attributeKeys(prefix: "", limit: NameList<AttributeKey>.countMax).names)
    }
}

extension Value {
    /// Whether it is too long to be told apart from others.
    var isLong: Bool { byteCount > ComparedFields.valueByteCountMax }

    /// UTF-8 bytes of its text, about; 8 for what has a fixed size.
    var byteCount: Int {
        switch self {
        case .string(let text): text.utf8.count
        case .array, .other: text.utf8.count
        default: 8
        }
    }
}
