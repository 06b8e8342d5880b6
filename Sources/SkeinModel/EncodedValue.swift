// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// The byte form of an ``AttributeValue`` in dictionaries, in the log and on disk: the canonical Protocol Buffers
/// encoding of OTLP's `AnyValue` message, without an outer length.
///
/// Canonical means: exactly one field, minimal varints, no unknown fields, nesting at most ``maxDepth``. Equal values
/// have equal bytes, so a dictionary may compare bytes, and OTLP goes in and out without being parsed.
///
///     null    (no bytes)
///     string  0A len utf8        bool  10 00|01          int   18 varint (two's complement, 1…10 bytes)
///     double  21 8 bytes LE      array 2A len { 0A len value }*
///     map     32 len { 0A len { 0A len key, 12 len value } }*                bytes 3A len bytes
package enum EncodedValue {
    /// How deep arrays and maps may nest before a value is refused.
    package static let maxDepth = 32

    /// What the first byte says.
    package enum Kind: UInt8, Sendable {
        case null = 0
        case string = 0x0a
        case bool = 0x10
        case int = 0x18
        case double = 0x21
        case array = 0x2a
        case map = 0x32
        case bytes = 0x3a
    }

    /// The kind of an encoded value; `nil` for bytes that are none.
    @inlinable
    package static func kind(of bytes: UnsafeRawBufferPointer) -> Kind? {
        guard let first = bytes.first else { return .null }
        return Kind(rawValue: first)
    }

    /// The UTF-8 of an encoded string; `nil` for any other value.
    package static func text(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard bytes.first == Kind.string.rawValue else { return nil }
        // A canonical length says how many bytes follow, so the text is what lies behind it.
        var start = 1
        while start < bytes.count, bytes[start] >= 0x80 { start += 1 }
        return start < bytes.count ? UnsafeRawBufferPointer(rebasing: bytes[(start + 1)...]) : nil
    }

    /// The number that an encoded int holds; `nil` for any other value.
    package static func int(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        var reader = ByteReader(bytes)
        guard (try? reader.readByte()) == Kind.int.rawValue, let bits = try? reader.readVarint() else { return nil }
        return Int64(bitPattern: bits)
    }

    /// The bits of an encoded double; `nil` for any other value.
    package static func doubleBits(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        var reader = ByteReader(bytes)
        guard (try? reader.readByte()) == Kind.double.rawValue else { return nil }
        return try? reader.readLittleEndian(UInt64.self)
    }

    /// Appends the encoding of `value`. Values deeper than ``maxDepth`` are cut there with `null`.
    package static func append(_ value: AttributeValue, to out: inout ByteWriter, depth: Int = 0) {
        switch value {
        case .null: break
        case .string(let string): append(.string, utf8: string, to: &out)
        case .bool(let bool):
            out.append(Kind.bool.rawValue)
            out.append(bool ? 1 : 0)
        case .int(let int):
            out.append(Kind.int.rawValue)
            out.appendVarint(UInt64(bitPattern: int))
        case .double(let double):
            out.append(Kind.double.rawValue)
            out.appendLittleEndian(double.bitPattern)
        case .bytes(let bytes):
            out.append(Kind.bytes.rawValue)
            out.appendVarint(UInt64(bytes.count))
            bytes.withUnsafeBytes { out.append($0) }
        case .array(let elements):
            var body = ByteWriter()
            if depth < maxDepth {
                for element in elements { append(field: 0x0a, element, to: &body, depth: depth + 1) }
            }
            out.append(Kind.array.rawValue)
            out.appendVarint(UInt64(body.count))
            out.append(body.bytes)
        case .map(let pairs):
            var body = ByteWriter()
            if depth < maxDepth {
                for pair in pairs {
                    var entry = ByteWriter()
                    append(.string, utf8: pair.key, to: &entry)
                    append(field: 0x12, pair.value, to: &entry, depth: depth + 1)
                    body.append(0x0a)
                    body.appendVarint(UInt64(entry.count))
                    body.append(entry.bytes)
                }
            }
            out.append(Kind.map.rawValue)
            out.appendVarint(UInt64(body.count))
            out.append(body.bytes)
        }
    }

    private static func append(_ kind: Kind, utf8 string: String, to out: inout ByteWriter) {
        out.append(kind.rawValue)
        out.appendVarint(UInt64(string.utf8.count))
        out.append(utf8: string)
    }

    private static func append(field tag: UInt8, _ value: AttributeValue, to out: inout ByteWriter, depth: Int) {
        var body = ByteWriter()
        append(value, to: &body, depth: depth)
        out.append(tag)
        out.appendVarint(UInt64(body.count))
        out.append(body.bytes)
    }

    /// Whether `bytes` are what ``append(_:to:depth:)`` would write for some value: the check that a decoder makes when
    /// it first sees a value, after which the bytes are taken as they came.
    package static func isCanonical(_ bytes: UnsafeRawBufferPointer, depth: Int = 0) -> Bool {
        guard !bytes.isEmpty else { return true }
        // Nearly every new value is a short string: tag, one byte of length, text to the end.
        if bytes.count >= 2, bytes.count < 130, bytes.unsafelyLoad(0, as: UInt8.self) == Kind.string.rawValue,
            Int(bytes.unsafelyLoad(1, as: UInt8.self)) == bytes.count &- 2
        {
            return UTF8Text.isValid(UnsafeRawBufferPointer(rebasing: bytes[2...]))
        }
        var reader = ByteReader(bytes)
        do throws(ByteError) {
            guard let kind = Kind(rawValue: try reader.readByte()) else { return false }
            switch kind {
            case .null: return false
            case .string:
                guard let text = try reader.readMinimalLengthPrefixed() else { return false }
                return reader.isAtEnd && UTF8Text.isValid(text)
            case .bool: return try reader.readByte() <= 1 && reader.isAtEnd
            case .int: return try reader.readMinimalVarint() != nil && reader.isAtEnd
            case .double: return reader.remaining == 8
            case .bytes: return try reader.readMinimalLengthPrefixed() != nil && reader.isAtEnd
            case .array, .map:
                guard let bytes = try reader.readMinimalLengthPrefixed(), reader.isAtEnd else { return false }
                guard bytes.isEmpty || depth < maxDepth else { return false }
                var body = ByteReader(bytes)
                while !body.isAtEnd {
                    guard try body.readByte() == 0x0a, let element = try body.readMinimalLengthPrefixed() else {
                        return false
                    }
                    guard kind == .array ? isCanonical(element, depth: depth + 1) : isEntry(element, depth: depth)
                    else { return false }
                }
                return true
            }
        } catch {
            return false
        }
    }

    private static func isEntry(_ bytes: UnsafeRawBufferPointer, depth: Int) -> Bool {
        var entry = ByteReader(bytes)
        do throws(ByteError) {
            guard try entry.readByte() == 0x0a, let key = try entry.readMinimalLengthPrefixed(),
                UTF8Text.isValid(key), try entry.readByte() == 0x12,
                let value = try entry.readMinimalLengthPrefixed(), entry.isAtEnd
            else { return false }
            return isCanonical(value, depth: depth + 1)
        } catch {
            return false
        }
    }

    /// Reads an encoded value. Bytes that are not one read as `null`, text that is not UTF-8 is repaired; canonical
    /// bytes, which is all a dictionary holds, read exactly.
    package static func decode(_ bytes: UnsafeRawBufferPointer, depth: Int = 0) -> AttributeValue {
        var reader = ByteReader(bytes)
        do throws(ByteError) {
            guard depth <= maxDepth, !reader.isAtEnd, let kind = Kind(rawValue: try reader.readByte()) else {
                return .null
            }
            switch kind {
            case .null: return .null
            case .string: return .string(String(decoding: try reader.readLengthPrefixed(), as: UTF8.self))
            case .bool: return .bool(try reader.readVarint() != 0)
            case .int: return .int(Int64(bitPattern: try reader.readVarint()))
            case .double: return .double(Double(bitPattern: try reader.readLittleEndian(UInt64.self)))
            case .bytes: return .bytes([UInt8](try reader.readLengthPrefixed()))
            case .array:
                var body = ByteReader(try reader.readLengthPrefixed())
                var elements: [AttributeValue] = []
                while !body.isAtEnd {
                    guard try body.readByte() == 0x0a else { return .null }
                    elements.append(decode(try body.readLengthPrefixed(), depth: depth + 1))
                }
                return .array(elements)
            case .map:
                var body = ByteReader(try reader.readLengthPrefixed())
                var pairs: [Attribute] = []
                while !body.isAtEnd {
                    guard try body.readByte() == 0x0a else { return .null }
                    var entry = ByteReader(try body.readLengthPrefixed())
                    guard try entry.readByte() == 0x0a else { return .null }
                    let key = String(decoding: try entry.readLengthPrefixed(), as: UTF8.self)
                    guard try entry.readByte() == 0x12 else { return .null }
                    pairs.append(Attribute(key, decode(try entry.readLengthPrefixed(), depth: depth + 1)))
                }
                return .map(pairs)
            }
        } catch {
            return .null
        }
    }
}

extension ByteReader {
    /// A varint of as few bytes as its value needs, `nil` for a longer one.
    fileprivate mutating func readMinimalVarint() throws(ByteError) -> UInt64? {
        let start = position
        let value = try readVarint()
        return position - start == ByteWriter.varintLength(value) ? value : nil
    }

    /// A minimal varint length, then that many bytes; `nil` for a longer one.
    fileprivate mutating func readMinimalLengthPrefixed() throws(ByteError) -> UnsafeRawBufferPointer? {
        guard let length = try readMinimalVarint() else { return nil }
        guard length <= UInt64(remaining) else { throw ByteError(.truncated, at: position) }
        return try read(Int(length))
    }
}
