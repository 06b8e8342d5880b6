// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

/// The shapes of a row group's spans, events or links: which keys each owner has.
struct AttributeShapes: Sendable {
    /// Numbers among the group's keys, all shapes one behind the other.
    let keys: [UInt32]
    /// Where each shape begins in ``keys``, and behind them the end.
    let starts: [Int]

    /// The keys of a shape.
    subscript(shape: Int) -> ArraySlice<UInt32> { keys[starts[shape]..<starts[shape + 1]] }

    var count: Int { starts.count - 1 }

    init(parsing bytes: UnsafeRawBufferPointer, _ columns: AttributeColumns) throws(ByteError) {
        var reader = ByteReader(bytes)
        guard columns.shapeCount <= bytes.count else { throw ByteError(.truncated, at: 0) }
        var keys: [UInt32] = []
        var starts = [0]
        for _ in 0..<columns.shapeCount {
            let count = try reader.readCount(max: reader.remaining)
            for _ in 0..<count { keys.append(UInt32(try reader.readCount(max: columns.keys.count - 1))) }
            starts.append(keys.count)
        }
        guard reader.isAtEnd else { throw ByteError(.truncated, at: reader.position) }
        self.keys = keys
        self.starts = starts
    }
}

extension ChunkReader {
    func shapes(_ columns: AttributeColumns) throws(StoreError) -> AttributeShapes {
        try part(columns.shapes, byteCount: { (shapes: AttributeShapes) in shapes.keys.count * 4 + shapes.count * 8 }) {
            bytes throws(ByteError) in try AttributeShapes(parsing: bytes, columns)
        }
    }

    /// The shape of each owner, every one below the number of shapes.
    func shapeNumbers(_ columns: AttributeColumns) throws(StoreError) -> Numbers {
        let numbers = try numbers(columns.shapeNumbers)
        let count = UInt64(columns.shapeCount)
        guard numbers.values.allSatisfy({ $0 < count }), numbers.constant < count else {
            throw corrupt("an owner has a shape that the group lacks", at: columns.shapes.offset)
        }
        return numbers
    }
}

/// Walks the attributes of successive owners, in their order, reading columns as they are met.
struct AttributeCursor {
    private let columns: AttributeColumns
    private let reader: ChunkReader
    private let shapes: AttributeShapes
    private let numbers: Numbers
    /// By column: the next value.
    private var next: [Int]
    private var texts: [Texts?]

    /// A cursor before owner `owner`; `nil` when no owner of the group has attributes.
    init?(_ columns: AttributeColumns, at owner: Int, _ reader: ChunkReader) throws(StoreError) {
        guard columns.shapeCount > 0 else { return nil }
        self.columns = columns
        self.reader = reader
        shapes = try reader.shapes(columns)
        numbers = try reader.shapeNumbers(columns)
        next = [Int](repeating: 0, count: columns.columns.count)
        texts = [Texts?](repeating: nil, count: columns.columns.count)
        var counts = [Int](repeating: 0, count: shapes.count)
        for before in 0..<owner { counts[Int(truncatingIfNeeded: numbers[before])] += 1 }
        for shape in 0..<shapes.count where counts[shape] > 0 {
            for key in shapes[shape] { next[columns.keys[Int(key)].column] += counts[shape] }
        }
    }

    /// Visits the attributes of `owner`, the one after the owner of the last call: number of the key in the block's
    /// table, column, its texts, and the place of the value in them.
    mutating func visit(
        _ owner: Int,
        _ body: (_ key: UInt32, _ column: Int, _ texts: Texts, _ index: Int) throws(StoreError) -> Void
    ) throws(StoreError) {
        for local in shapes[Int(truncatingIfNeeded: numbers[owner])] {
            let (key, column) = columns.keys[Int(local)]
            let values: Texts
            if let known = texts[column] {
                values = known
            } else {
                values = try reader.texts(columns.columns[column])
                texts[column] = values
            }
            let index = next[column]
            guard index < values.count else {
                throw reader.corrupt("a column has fewer values than owners", at: columns.shapes.offset)
            }
            next[column] = index + 1
            try body(key, column, values, index)
        }
    }
}
