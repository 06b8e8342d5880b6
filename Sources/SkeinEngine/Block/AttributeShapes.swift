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
