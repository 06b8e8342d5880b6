// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension JSONReader {
    /// Reads any JSON and appends it as a value in its canonical encoding (`EncodedValue`): numbers of 64 bits without a
    /// fraction are integers, `null` is the empty value. Sets `isTooDeep`, and appends what is no value to keep, where lists
    /// and objects nest beyond `EncodedValue.maxDepth`.
    mutating func readPlainValue(
        into out: inout ByteWriter,
        _ isTooDeep: inout Bool,
        depth: Int = 0
    ) throws(WireError) {
        switch try peek() {
        case .string:
            out.append(EncodedValue.Kind.string.rawValue)
            try readText(into: &out)
        case .number:
            switch try readNumber() {
            case .integer(let value):
                out.append(EncodedValue.Kind.int.rawValue)
                out.appendVarint(UInt64(bitPattern: value))
            case .double(let value):
                out.append(EncodedValue.Kind.double.rawValue)
                out.appendLittleEndian(value.bitPattern)
            }
        case .bool:
            out.append(EncodedValue.Kind.bool.rawValue)
            out.append(try readBool() ? 1 : 0)
        case .null: try skipValue()
        case .array, .object:
            guard depth < EncodedValue.maxDepth else {
                isTooDeep = true
                return try skipValue()
            }
            try readPlainElements(into: &out, &isTooDeep, depth: depth)
        }
    }

    private mutating func readPlainElements(
        into out: inout ByteWriter,
        _ isTooDeep: inout Bool,
        depth: Int
    ) throws(WireError) {
        if try peek() == .array {
            let start = out.openMessage(5)
            try openArray()
            while try nextElement() {
                let element = out.openMessage(1)
                try readPlainValue(into: &out, &isTooDeep, depth: depth + 1)
                out.closeMessage(from: element)
            }
            return out.closeMessage(from: start)
        }
        let start = out.openMessage(6)
        try openObject()
        while let key = try nextKey() {
            let pair = out.openMessage(1)
            out.append(0x0a)
            key.append(to: &out)
            let value = out.openMessage(2)
            try readPlainValue(into: &out, &isTooDeep, depth: depth + 1)
            out.closeMessage(from: value)
            out.closeMessage(from: pair)
        }
        out.closeMessage(from: start)
    }
}

extension JSONKey {
    /// Appends the key's length and its UTF-8, repaired where it is none.
    fileprivate func append(to out: inout ByteWriter) {
        guard UTF8Text.isValid(bytes) else {
            let repaired = text
            out.appendVarint(UInt64(repaired.utf8.count))
            return out.append(utf8: repaired)
        }
        out.appendVarint(UInt64(bytes.count))
        out.append(bytes)
    }
}
