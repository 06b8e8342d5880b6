// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// A ``SpanPredicate`` made ready for columns: its leaves numbered, cheap ones first.
///
/// Made once per query and used for any number of batches and blocks. It means what `SpanPredicate.matches(_:)` says.
package struct CompiledPredicate: Sendable {
    /// The condition as given.
    package let source: SpanPredicate
    package let root: Node
    package private(set) var leaves: [Leaf] = []

    package indirect enum Node: Sendable {
        case all
        case leaf(Int)
        case and([Node])
        case or([Node])
        case not(Node)
    }

    /// One field and what is asked of it.
    package struct Leaf: Sendable {
        package var field: SpanField
        /// `nil` asks whether the field has a value.
        package var test: EncodedTest?

        init(_ field: SpanField, _ test: EncodedTest? = nil) {
            self.field = field
            self.test = test
        }
    }

    /// Compiles `source`.
    package init(_ source: SpanPredicate) {
        self.source = source
        var leaves: [Leaf] = []
        root = Self.compile(source, &leaves)
        self.leaves = leaves
    }

    private static func compile(_ predicate: SpanPredicate, _ leaves: inout [Leaf]) -> Node {
        switch predicate {
        case .true: return .all
        case .compare(let field, let comparison, let literal):
            leaves.append(Leaf(field, EncodedTest(ValueTest(comparison, literal))))
            return .leaf(leaves.count - 1)
        case .exists(let field):
            leaves.append(Leaf(field))
            return .leaf(leaves.count - 1)
        case .and(let parts): return .and(parts.sorted { cost($0) < cost($1) }.map { compile($0, &leaves) })
        case .or(let parts): return .or(parts.map { compile($0, &leaves) })
        case .not(let part): return .not(compile(part, &leaves))
        }
    }

    /// How much must be read and done for a condition, roughly.
    private static func cost(_ predicate: SpanPredicate) -> Int {
        switch predicate {
        case .true: 0
        case .compare(let field, _, _), .exists(let field):
            switch field {
            case .serviceName, .scopeName, .scopeVersion, .kind, .status: 1
            case .attribute(.resource, _), .attribute(.instrumentation, _): 1
            case .duration, .name, .traceID: 2
            case .statusMessage: 3
            case .attribute(.span, _): 4
            case .attribute, .eventName, .linkTraceID: 5
            case .spanID, .parentSpanID: 6
            }
        case .and(let parts), .or(let parts): parts.reduce(0) { $0 + cost($1) }
        case .not(let part): cost(part)
        }
    }
}

/// A comparison asked of encoded values, see ``EncodedValue``.
package struct EncodedTest: Sendable {
    package let test: ValueTest
    /// The one encoding of a text that satisfies `=`; empty for every other comparison.
    private let equalText: [UInt8]

    package init(_ test: ValueTest) {
        self.test = test
        if test.comparison == .equal, case .string = test.literal {
            var length = UInt64(test.literalBytes.count)
            var bytes = [EncodedValue.Kind.string.rawValue]
            while length >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: length) | 0x80)
                length >>= 7
            }
            equalText = bytes + [UInt8(length)] + test.literalBytes
        } else {
            equalText = []
        }
    }

    /// Whether the value with these bytes satisfies the comparison.
    package func holds(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if !equalText.isEmpty, bytes.first == EncodedValue.Kind.string.rawValue {
            return bytes.count == equalText.count && bytes.elementsEqual(equalText)
        }
        switch EncodedValue.kind(of: bytes) {
        case .string: return EncodedValue.text(bytes).map(test.holds(text:)) ?? false
        case .int: return EncodedValue.int(bytes).map(test.holds(int:)) ?? false
        case .double: return EncodedValue.doubleBits(bytes).map { test.holds(double: Double(bitPattern: $0)) } ?? false
        case .bool, .array: return test.holds(EncodedValue.decode(bytes))
        case .null, .bytes, .map, nil: return false
        }
    }
}

/// The durations that satisfy a comparison: a range, or all but a range.
@frozen
public struct NanosRange {
    @usableFromInline var range: ClosedRange<UInt64>?
    @usableFromInline var isInverted = false

    /// Whether a duration satisfies it.
    @inlinable
    public func contains(_ nanos: UInt64) -> Bool { (range?.contains(nanos) ?? false) != isInverted }

    /// Whether any duration of `bounds` satisfies it.
    package func overlaps(_ bounds: ClosedRange<UInt64>) -> Bool {
        guard let range else { return isInverted }
        if isInverted { return !(range.contains(bounds.lowerBound) && range.contains(bounds.upperBound)) }
        return range.overlaps(bounds)
    }

    /// The durations that satisfy `test`.
    package init(_ test: ValueTest) {
        // The least number that is not below the literal, and the greatest that is not above it.
        let atLeast: UInt64?
        let atMost: UInt64?
        switch test.literal {
        case .int(let literal):
            atLeast = UInt64(clamping: literal)
            atMost = literal < 0 ? nil : UInt64(literal)
        case .double(let literal) where !literal.isNaN:
            let (up, down) = (literal.rounded(.up), literal.rounded(.down))
            atLeast = up <= 0 ? 0 : up < 0x1p64 ? UInt64(up) : nil
            atMost = down < 0 ? nil : down < 0x1p64 ? UInt64(down) : .max
        case .double:
            isInverted = test.comparison == .notEqual
            return
        default: return
        }
        switch test.comparison {
        case .equal, .notEqual:
            if let atLeast, let atMost, atLeast == atMost { range = atLeast...atMost }
            isInverted = test.comparison == .notEqual
        case .less: range = atLeast.map { $0 > 0 ? 0...($0 - 1) : nil } ?? (0...UInt64.max)
        case .lessOrEqual: range = atMost.map { 0...$0 }
        case .greater: range = atMost.map { $0 < .max ? ($0 + 1)...UInt64.max : nil } ?? (0...UInt64.max)
        case .greaterOrEqual: range = atLeast.map { $0...UInt64.max }
        case .matches, .notMatches: break
        }
    }
}

/// Columns that leaves can be asked of: a batch, or a row group of a block.
package protocol PredicateColumns {
    var rowCount: Int { get }
    /// The rows that satisfy leaf `index`.
    mutating func select(_ leaf: CompiledPredicate.Leaf, _ index: Int) throws(StoreError) -> RowSet
}

extension PredicateColumns {
    /// The rows that satisfy `predicate`. Stops reading as soon as a conjunction can hold no row.
    package mutating func select(_ predicate: CompiledPredicate) throws(StoreError) -> RowSet {
        try select(predicate.root, predicate)
    }

    private mutating func select(
        _ node: CompiledPredicate.Node,
        _ predicate: CompiledPredicate
    ) throws(StoreError) -> RowSet {
        switch node {
        case .all: return RowSet(count: rowCount, all: true)
        case .leaf(let index): return try select(predicate.leaves[index], index)
        case .and(let parts):
            var rows = RowSet(count: rowCount, all: true)
            for part in parts {
                rows.formIntersection(try select(part, predicate))
                if rows.isEmpty { break }
            }
            return rows
        case .or(let parts):
            var rows = RowSet(count: rowCount)
            for part in parts { rows.formUnion(try select(part, predicate)) }
            return rows
        case .not(let part):
            var rows = try select(part, predicate)
            rows.invert()
            return rows
        }
    }
}
