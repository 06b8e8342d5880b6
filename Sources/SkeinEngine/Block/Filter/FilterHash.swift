// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// What is looked up in a block's filters: 64 well-mixed bits for a trace id, or for a value together with its key.
///
/// Stored, so the values never change: XXH64 of the id's sixteen bytes, most significant first; of a value, XXH64 of its
/// bytes xor XXH64 of the key's: a byte that says whose key it is, and its name. The trace that a link leads to is a value, too.
enum FilterHash {
    /// Whose value a hash speaks of. Raw values are on disk.
    enum Owner: UInt8 {
        /// The byte of a block's table of keys.
        case span = 1
        case resource = 2
        case event = 4
        case link = 5
        /// Values are texts without their encoding, names are empty.
        case spanName = 6
        case eventName = 7
        case serviceName = 8
        /// Values are the sixteen bytes of an id, names are empty.
        case linkTraceID = 9
    }

    /// The hash of a trace id.
    static func of(_ id: TraceID) -> UInt64 {
        withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { Checksum.of($0) }
    }

    /// The hash of a link to a trace.
    static func of(linkTo id: TraceID) -> UInt64 { of(id) ^ linkKey }

    private static let linkKey = key(.linkTraceID)

    /// The part of a hash that comes from the key.
    static func key(_ owner: Owner, name: UnsafeRawBufferPointer) -> UInt64 {
        var bytes = ByteWriter(capacity: name.count + 1)
        bytes.append(owner.rawValue)
        bytes.append(name)
        return Checksum.of(bytes.bytes)
    }

    /// The part of a hash that comes from the key.
    static func key(_ owner: Owner, _ name: String = "") -> UInt64 {
        var name = name
        return name.withUTF8 { key(owner, name: UnsafeRawBufferPointer($0)) }
    }

    /// The hash of a value's bytes under a key.
    static func of(_ value: UnsafeRawBufferPointer, key: UInt64) -> UInt64 { Checksum.of(value) ^ key }

    /// What stands for every array under a key: their elements are not looked up one by one.
    static func array(key: UInt64) -> UInt64 { of(UnsafeRawBufferPointer(start: nil, count: 0), key: key) }

    /// The hash to store for an encoded value under a key.
    static func of(encoded value: UnsafeRawBufferPointer, key: UInt64) -> UInt64 {
        value.first == EncodedValue.Kind.array.rawValue ? array(key: key) : of(value, key: key)
    }
}

extension FilterHash {
    /// Hashes of which a row whose `field` satisfies `test` has at least one; `nil` when any row may.
    ///
    /// Only equality can be looked up. A number is looked up as an int and as a double, since they compare equal; every
    /// array under the key may hold the value.
    static func any(of field: SpanField, _ test: ValueTest) -> [UInt64]? {
        guard test.comparison == .equal else { return nil }
        func text(_ owner: Owner) -> [UInt64]? {
            guard case .string = test.literal else { return nil }
            return [test.literalBytes.withUnsafeBytes { of($0, key: key(owner)) }]
        }
        switch field {
        case .name: return text(.spanName)
        case .eventName: return text(.eventName)
        case .serviceName: return text(.serviceName)
        case .linkTraceID:
            // What is not the digits of an id equals none: that is for the rows to say.
            guard case .string(let text) = test.literal, let id = TraceID(hex: text) else { return nil }
            return [of(linkTo: id)]
        case .attribute(let scope, let name):
            let owners: [Owner]
            switch scope {
            case .any: owners = [.span, .resource]
            case .span: owners = [.span]
            case .resource: owners = [.resource]
            case .event: owners = [.event]
            case .link: owners = [.link]
            case .instrumentation: return nil
            }
            guard let values = equalValues(test.literal) else { return nil }
            return owners.flatMap { owner in
                let key = key(owner, name)
                return values.map { hash(of: $0, key: key) } + [array(key: key)]
            }
        default: return nil
        }
    }

    private static func hash(of value: AttributeValue, key: UInt64) -> UInt64 {
        var bytes = ByteWriter()
        EncodedValue.append(value, to: &bytes)
        return of(bytes.bytes, key: key)
    }

    /// The scalar values that equal a literal; `nil` when they cannot be listed.
    private static func equalValues(_ literal: SpanPredicate.Literal) -> [AttributeValue]? {
        switch literal {
        case .string(let text): return [.string(text)]
        case .bool(let bool): return [.bool(bool)]
        case .int(let int):
            let double = Double(int)
            // Of the ints that become one double, only the one that it is equals it.
            guard Int64(exactly: double) == int else { return [.int(int)] }
            return [.int(int), .double(double)] + (int == 0 ? [.double(-0.0)] : [])
        case .double(let double):
            if double == 0 { return [.int(0), .double(0), .double(-0.0)] }
            return [.double(double)] + (Int64(exactly: double).map { [.int($0)] } ?? [])
        case .kind, .status, .pattern: return nil
        }
    }
}
