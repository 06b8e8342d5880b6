// SPDX-License-Identifier: Apache-2.0

/// Values that travel with a request beside its trace (W3C Baggage).
public struct Baggage: Hashable, Sendable {
    public struct Member: Hashable, Sendable {
        /// A token of HTTP, not encoded.
        public var key: String
        public var value: String
        /// What follows the value, each as it is written: `key` or `key=value`.
        public var properties: [String]

        public init(_ key: String, _ value: String, properties: [String] = []) {
            self.key = key
            self.value = value
            self.properties = properties
        }
    }

    /// In their order; keys are distinct.
    public private(set) var members: [Member] = []

    /// Most members that are passed on (§3.3.2).
    public static let memberCountMax = 64
    /// Most bytes of a header that are passed on (§3.3.2).
    public static let headerByteCountMax = 8_192

    /// Carries nothing.
    public init() {}

    public var isEmpty: Bool { members.isEmpty }

    public subscript(key: String) -> String? {
        get { members.first { $0.key == key }?.value }
        set {
            if let newValue { set(Member(key, newValue)) } else { members.removeAll { $0.key == key } }
        }
    }

    /// Sets a member, in the place of one with that key, otherwise at the end. Changes nothing and answers `false` when its key is
    /// no token, a property breaks the grammar, or there are too many.
    @discardableResult
    public mutating func set(_ member: Member) -> Bool {
        guard Self.isToken(Substring(member.key).utf8), member.properties.allSatisfy(Self.isProperty) else {
            return false
        }
        if let index = members.firstIndex(where: { $0.key == member.key }) {
            members[index] = member
        } else {
            guard members.count < Self.memberCountMax else { return false }
            members.append(member)
        }
        return true
    }

    /// Adds the members of a header. Those that break the grammar are left out, and so are those beyond the limits.
    public mutating func add(header: String) {
        var byteCount = 0
        for part in header.utf8.split(separator: UInt8(ascii: ",")) {
            byteCount += part.count + 1
            guard byteCount - 1 <= Self.headerByteCountMax else { return }
            if let member = Self.member(part) { set(member) }
        }
    }

    /// As a header; members that have no room are left out whole.
    public var header: String {
        var text = ""
        for member in members {
            let pair = "\(member.key)=\(PercentCoding.encode(member.value))"
            let next = ([pair] + member.properties).joined(separator: ";")
            let addition = text.isEmpty ? next : ",\(next)"
            guard text.utf8.count + addition.utf8.count <= Self.headerByteCountMax else { continue }
            text += addition
        }
        return text
    }

    private static func member(_ part: Substring.UTF8View) -> Member? {
        var pieces = part.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)[...]
        guard let pair = pieces.popFirst(), let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let key = pair[..<equals].trimmingBlanks
        let value = pair[pair.index(after: equals)...].trimmingBlanks
        guard isToken(key), value.allSatisfy({ PercentCoding.isBaggageOctet($0) || $0 == UInt8(ascii: "%") }) else {
            return nil
        }
        let properties = pieces.map { String(Substring($0.trimmingBlanks)) }.filter { !$0.isEmpty }
        guard properties.allSatisfy(isProperty) else { return nil }
        return Member(String(Substring(key)), PercentCoding.decode(value), properties: properties)
    }

    /// A token of HTTP (RFC 9110 §5.6.2).
    private static func isToken(_ text: Substring.UTF8View) -> Bool { !text.isEmpty && text.allSatisfy(isTokenByte) }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func isProperty(_ text: String) -> Bool {
        let pair = text.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        guard let key = pair.first, isToken(key.trimmingBlanks) else { return false }
        return pair.dropFirst().allSatisfy { value in
            value.trimmingBlanks.allSatisfy { PercentCoding.isBaggageOctet($0) || $0 == UInt8(ascii: "%") }
        }
    }
}

/// Bytes as `%` and two hexadecimal digits.
enum PercentCoding {
    /// What a value may hold as it is (W3C Baggage §3.3.1).
    static func isBaggageOctet(_ byte: UInt8) -> Bool {
        byte == 0x21 || (0x23...0x2b).contains(byte) || (0x2d...0x3a).contains(byte) || (0x3c...0x5b).contains(byte)
            || (0x5d...0x7e).contains(byte)
    }

    /// Leaves what a value of baggage may hold, but for `%`.
    static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isBaggageOctet(byte), byte != UInt8(ascii: "%") {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), upperDigit(byte >> 4), upperDigit(byte & 15)]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func upperDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x41 + value - 10 }

    /// A `%` that no two digits follow stands for itself; what is no UTF-8 becomes U+FFFD.
    static func decode(_ text: Substring.UTF8View) -> String {
        guard text.contains(UInt8(ascii: "%")) else { return String(Substring(text)) }
        let source = Array(text)
        var bytes: [UInt8] = []
        var at = 0
        while at < source.count {
            if source[at] == UInt8(ascii: "%"), at + 2 < source.count, let high = digit(source[at + 1]),
                let low = digit(source[at + 2])
            {
                bytes.append(high << 4 | low)
                at += 3
            } else {
                bytes.append(source[at])
                at += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
