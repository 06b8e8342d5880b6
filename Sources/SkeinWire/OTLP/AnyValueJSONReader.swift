// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension JSONReader {
    /// Reads an OTLP `AnyValue` object, such as `{"intValue":"5"}`, and appends its canonical encoding (`EncodedValue`).
    /// Of several members the last one counts. Sets `isTooDeep`, and appends what is no value to keep, where arrays and
    /// maps nest beyond `EncodedValue.maxDepth`.
    mutating func readAnyValue(
        into out: inout ByteWriter,
        _ isTooDeep: inout Bool,
        depth: Int = 0
    ) throws(WireError) {
        let start = out.count
        try openObject()
        while let key = try nextMember() {
            switch key {
            case "stringValue":
                out.truncate(to: start)
                out.append(EncodedValue.Kind.string.rawValue)
                try readText(into: &out)
            case "boolValue":
                out.truncate(to: start)
                out.append(EncodedValue.Kind.bool.rawValue)
                out.append(try readBool() ? 1 : 0)
            case "intValue":
                out.truncate(to: start)
                out.append(EncodedValue.Kind.int.rawValue)
                out.appendVarint(UInt64(bitPattern: try readInteger(Int64.self)))
            case "doubleValue":
                out.truncate(to: start)
                out.append(EncodedValue.Kind.double.rawValue)
                out.appendLittleEndian(try readDouble().bitPattern)
            case "bytesValue":
                out.truncate(to: start)
                try readBase64(into: &out)
            case "arrayValue", "kvlistValue":
                out.truncate(to: start)
                try readElements(isMap: key.bytes.first == UInt8(ascii: "k"), into: &out, &isTooDeep, depth: depth)
            default: try skipValue()
            }
        }
    }

    /// Reads `{"values":[…]}`.
    private mutating func readElements(
        isMap: Bool,
        into out: inout ByteWriter,
        _ isTooDeep: inout Bool,
        depth: Int
    ) throws(WireError) {
        let start = out.openMessage(isMap ? 6 : 5)
        try openObject()
        while let key = try nextMember() {
            guard case "values" = key else {
                try skipValue()
                continue
            }
            out.truncate(to: start)
            try openArray()
            while try nextElement() {
                guard depth < EncodedValue.maxDepth else {
                    isTooDeep = true
                    try skipValue()
                    continue
                }
                let element = out.openMessage(1)
                if isMap {
                    try readPair(into: &out, &isTooDeep, depth: depth)
                } else {
                    try readAnyValue(into: &out, &isTooDeep, depth: depth + 1)
                }
                out.closeMessage(from: element)
            }
        }
        out.closeMessage(from: start)
    }

    private mutating func readPair(
        into out: inout ByteWriter,
        _ isTooDeep: inout Bool,
        depth: Int
    ) throws(WireError) {
        // The key goes first whatever order the members have, and both are always there.
        var name = ByteWriter(capacity: 64)
        var value = ByteWriter(capacity: 64)
        name.append(0)
        try openObject()
        while let key = try nextMember() {
            switch key {
            case "key":
                name.removeAll()
                try readText(into: &name)
            case "value":
                value.removeAll()
                try readAnyValue(into: &value, &isTooDeep, depth: depth + 1)
            default: try skipValue()
            }
        }
        out.append(0x0a)
        out.append(name.bytes)
        out.append(0x12)
        out.appendVarint(UInt64(value.count))
        out.append(value.bytes)
    }

    /// Appends a string's length and its UTF-8, repaired where it is none.
    mutating func readText(into out: inout ByteWriter) throws(WireError) {
        let text = try readString()
        guard UTF8Text.isValid(text) else {
            let repaired = UTF8Text.repaired(text)
            out.appendVarint(UInt64(repaired.utf8.count))
            out.append(utf8: repaired)
            return
        }
        out.appendVarint(UInt64(text.count))
        out.append(text)
    }

    private mutating func readBase64(into out: inout ByteWriter) throws(WireError) {
        var bytes = ByteWriter()
        guard Base64.decode(try readString(), to: &bytes) else { throw malformed("a string that is not base64") }
        out.append(EncodedValue.Kind.bytes.rawValue)
        out.appendVarint(UInt64(bytes.count))
        out.append(bytes.bytes)
    }
}
