// SPDX-License-Identifier: Apache-2.0
import SkeinModel
package import SkeinStore

/// What the attributes of some spans say, and how it differs from what those of the others say.
package struct AttributeDifferences: Sendable {
    /// Spans of the selection and of the rest, each as often as it stands for.
    package var selectionCount = 0.0
    package var restCount = 0.0
    /// Those that differ most first, ties by name.
    package var fields: [FieldDifference] = []

    /// What one attribute says.
    package struct FieldDifference: Sendable {
        package var field: Field
        /// 0…1: half of what the shares of all values differ by, those without a value counted as one; 1 when the value alone
        /// tells a span of the selection from another.
        package var difference: Double
        /// Values that differ most first, ties by text.
        package var values: [ValueShares]
        /// Whether there are more values than are told apart, so that the difference may be greater.
        package var isCut: Bool
    }

    /// How often a value is met.
    package struct ValueShares: Sendable {
        package var value: Value
        package var selectionCount: Double
        package var restCount: Double
    }
}

extension SpanStore {
    /// How the spans of `selection` among those of `query` differ from the rest.
    ///
    /// Without a selection all spans are selected: then it says what values there are. Where `fields` are chosen, it says so of each of
    /// them, in their order, and of nothing else.
    package func differences(
        _ query: Query,
        selection: Query?,
        range: TimeRange,
        fields: [Field]? = nil,
        fieldCountMax: Int,
        valueCountMax: Int
    ) async throws(StoreError) -> AttributeDifferences {
        let whole = SelectedSpans(query)
        let picked = selection.map { SelectedSpans($0) }
        let compared: ComparedFields
        if let fields {
            compared = ComparedFields(chosen: fields)
        } else {
            compared = try await comparedFields()
        }
        let fold = AttributeFold(whole: whole, picked: picked, compared: compared)
        let table = TableQuery(
            range: range,
            predicate: whole.predicate,
            needsWholeTraces: whole.needsWholeTraces || (picked?.needsWholeTraces ?? false)
                || compared.needsWholeTraces,
            columns: .all
        )
        let sum = try await self.fold(table, by: fold)
        return fields.map { sum.differences(of: $0, valueCountMax) } ?? sum.differences(fieldCountMax, valueCountMax)
    }
}

/// Counts what attributes say of spans that are selected, and of the others.
private struct AttributeFold: TableFold {
    let whole: SelectedSpans
    let picked: SelectedSpans?
    let compared: ComparedFields

    /// Distinct values of an attribute that are told apart.
    static let valueCountMax = 10_000

    struct Counts: Sendable {
        var selection = 0.0
        var rest = 0.0
    }

    struct Sum: Sendable {
        var total = Counts()
        var fields: [Field: FieldCounts] = [:]
        /// Values that are told apart, of all fields.
        var valueCount = 0
        /// Bytes of their texts.
        var valueByteCount = 0

        mutating func add(_ field: Field, _ body: (inout FieldCounts, _ room: Int) -> Void) {
            var known = fields.removeValue(forKey: field) ?? FieldCounts()
            let (count, byteCount) = (known.values.count, known.byteCount)
            body(&known, ComparedFields.valueCountMax - valueCount + count)
            valueCount += known.values.count - count
            valueByteCount += known.byteCount - byteCount
            fields[field] = known
        }
    }

    struct FieldCounts: Sendable {
        var values: [Value: Counts] = [:]
        /// Of values that are not told apart.
        var others = Counts()

        /// Bytes of the values that are told apart.
        private(set) var byteCount = 0

        /// - Parameter room: Values that may be told apart.
        mutating func add(_ value: Value, _ counts: Counts, room: Int) {
            if value.isLong || values[value] == nil && values.count >= min(room, AttributeFold.valueCountMax) {
                others.selection += counts.selection
                others.rest += counts.rest
            } else {
                if values[value] == nil { byteCount += value.byteCount }
                values[value, default: Counts()].selection += counts.selection
                values[value, default: Counts()].rest += counts.rest
            }
        }
    }

    func zero() -> Sum { Sum() }

    func byteCount(of sum: Sum) -> Int { sum.fields.count * 256 + sum.valueCount * 96 + sum.valueByteCount }

    func add(_ other: Sum, to sum: inout Sum) {
        sum.total.selection += other.total.selection
        sum.total.rest += other.total.rest
        for (field, counts) in other.fields {
            sum.add(field) { known, room in
                for (value, count) in counts.values { known.add(value, count, room: room) }
                known.others.selection += counts.others.selection
                known.others.rest += counts.others.rest
            }
        }
    }

    func add(_ rows: RowSet, of table: any SpanTable, to sum: inout Sum) throws(StoreError) {
        let all = try whole.rows(rows, of: table)
        guard !all.isEmpty else { return }
        var selected = all
        if let picked {
            var candidates = try table.rows(matching: CompiledPredicate(picked.predicate))
            candidates.formIntersection(all)
            selected = try picked.rows(candidates, of: table)
        }
        let weights = try table.weights()
        var total = Counts()
        all.forEach { row in
            let weight = weights.isEmpty ? 1 : weights[row]
            if selected[row] { total.selection += weight } else { total.rest += weight }
        }
        sum.total.selection += total.selection
        sum.total.rest += total.rest
        let intrinsics: Set<Field> = [
            .intrinsic(.name), .intrinsic(.kind), .intrinsic(.status), .intrinsic(.statusMessage),
            .attribute(.resource, "service.name"),
        ]
        for field in try compared.fields(of: table, with: intrinsics) {
            let codes = try GroupCodes([field], of: table, all)
            var counts = [Counts](repeating: Counts(), count: codes.keyCount)
            all.forEach { row in
                let weight = weights.isEmpty ? 1 : weights[row]
                let code = codes.code(of: row)
                if selected[row] { counts[code].selection += weight } else { counts[code].rest += weight }
            }
            sum.add(field) { known, room in
                for (code, count) in counts.enumerated() where count.selection > 0 || count.rest > 0 {
                    guard let value = codes.key(code).first, value != .none, value != .string("") else { continue }
                    known.add(value, count, room: room)
                }
            }
        }
    }
}

extension AttributeFold.Sum {
    /// The fields that differ most.
    func differences(_ fieldCountMax: Int, _ valueCountMax: Int) -> AttributeDifferences {
        var result = AttributeDifferences(selectionCount: total.selection, restCount: total.rest)
        for (field, counts) in fields where !counts.values.isEmpty {
            result.fields.append(difference(of: field, counts, valueCountMax))
        }
        result.fields.sort { a, b in
            a.difference != b.difference ? a.difference > b.difference : a.field.text < b.field.text
        }
        result.fields.removeLast(max(0, result.fields.count - fieldCountMax))
        return result
    }

    /// These fields, in this order.
    func differences(of fields: [Field], _ valueCountMax: Int) -> AttributeDifferences {
        var result = AttributeDifferences(selectionCount: total.selection, restCount: total.rest)
        result.fields = fields.map { difference(of: $0, self.fields[$0] ?? .init(), valueCountMax) }
        return result
    }

    private func difference(
        of field: Field,
        _ counts: AttributeFold.FieldCounts,
        _ valueCountMax: Int
    ) -> AttributeDifferences.FieldDifference {
        func share(_ count: Double, of total: Double) -> Double { total > 0 ? count / total : 0 }
        var distance = 0.0
        var (selected, rest) = (counts.others.selection, counts.others.rest)
        var values: [(shares: AttributeDifferences.ValueShares, distance: Double)] = []
        for (value, count) in counts.values {
            let part = abs(share(count.selection, of: total.selection) - share(count.rest, of: total.rest))
            distance += part
            selected += count.selection
            rest += count.rest
            let shares = AttributeDifferences.ValueShares(
                value: value,
                selectionCount: count.selection,
                restCount: count.rest
            )
            values.append((shares, part))
        }
        distance += abs(
            share(total.selection - selected, of: total.selection) - share(total.rest - rest, of: total.rest)
        )
        // Without a rest the most frequent value tells most.
        values.sort { a, b in
            let (x, y) =
                total.rest > 0 ? (a.distance, b.distance) : (a.shares.selectionCount, b.shares.selectionCount)
            return x != y ? x > y : a.shares.value.text < b.shares.value.text
        }
        return .init(
            field: field,
            difference: total.rest > 0 ? distance / 2 : share(selected, of: total.selection),
            values: values.prefix(valueCountMax).map(\.shares),
            isCut: counts.values.count > valueCountMax || counts.others.selection + counts.others.rest > 0
        )
    }
}
