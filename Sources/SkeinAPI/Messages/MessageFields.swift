// SPDX-License-Identifier: Apache-2.0
import SkeinWire

/// The fields of a message of Protocol Buffers that came as a request. Fields that nobody asks for are passed over.
struct MessageFields {
    private enum Value {
        case number(UInt64)
        case bytes([UInt8])
    }

    private var fields: [(number: UInt64, value: Value)] = []

    /// Reads a message; throws when the bytes are none.
    init(_ bytes: [UInt8]) throws(APIError) {
        do throws(WireError) {
            fields = try bytes.withUnsafeBytes { bytes in
                Result { () throws(WireError) in try Self.read(bytes) }
            }.get()
        } catch {
            throw APIError(400, "malformed", "The request is no message: \(error)")
        }
    }

    private static func read(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> [(number: UInt64, value: Value)] {
        var fields: [(number: UInt64, value: Value)] = []
        var reader = ProtobufReader(bytes)
        while let tag = try reader.nextTag() {
            switch tag & 7 {
            case 0: fields.append((tag >> 3, .number(try reader.readVarint())))
            case 2: fields.append((tag >> 3, .bytes(Array(try reader.readBytes()))))
            default: try reader.skip(tag)
            }
        }
        return fields
    }

    /// A number; of several the last, 0 for none.
    func number(_ number: UInt64) -> UInt64 {
        for field in fields.reversed() where field.number == number {
            if case .number(let value) = field.value { return value }
        }
        return 0
    }

    /// A number of 32 bits, of which more are cut off.
    func uint32(_ number: UInt64) -> UInt64 { UInt64(UInt32(truncatingIfNeeded: self.number(number))) }

    /// A string; of several the last, the empty one for none. What is no UTF-8 is repaired.
    func text(_ number: UInt64) -> String { bytes(number).last.map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// A map from strings to strings.
    func map(_ number: UInt64) throws(APIError) -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        for entry in bytes(number) {
            let entry = try MessageFields(entry)
            pairs.append((entry.text(1), entry.text(2)))
        }
        return pairs
    }

    private func bytes(_ number: UInt64) -> [[UInt8]] {
        fields.compactMap { field in
            guard field.number == number, case .bytes(let bytes) = field.value else { return nil }
            return bytes
        }
    }
}
