// SPDX-License-Identifier: Apache-2.0

/// What tracing systems on the way say of a trace (W3C Trace Context 2 §3.3).
public struct TraceState: Hashable, Sendable {
    /// A key and its value, as they are written.
    public struct Member: Hashable, Sendable {
        public var key: String
        public var value: String
    }

    /// The one changed last first; keys are distinct.
    public private(set) var members: [Member] = []

    /// Most members.
    public static let memberCountMax = 32
    /// Bytes of a header that are always passed on, if it comes with them; a longer one may be cut.
    public static let headerByteCount = 512
    private static let keyByteCountMax = 256
    private static let valueByteCountMax = 256
    /// Members longer than this go first when a header is cut.
    private static let longMemberByteCount = 128

    /// Says nothing.
    public init() {}

    /// Reads a header; `nil` when any member breaks the grammar, or there are too many: then all of it is to be dropped. Of
    /// members with one key the first counts.
    public init?(header: String) {
        for part in header.utf8.split(separator: UInt8(ascii: ",")) {
            let part = part.trimmingBlanks
            guard !part.isEmpty else { continue }
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let (key, value) = (part[..<equals], part[part.index(after: equals)...])
            guard Self.isKey(key), Self.isValue(value) else { return nil }
            guard members.count < Self.memberCountMax else { return nil }
            let text = String(Substring(key))
            guard !members.contains(where: { $0.key == text }) else { continue }
            members.append(Member(key: text, value: String(Substring(value))))
        }
    }

    public subscript(key: String) -> String? { members.first { $0.key == key }?.value }

    /// Sets a value and moves it to the front. Changes nothing and answers `false` when key or value break the grammar. With
    /// too many members the last goes.
    @discardableResult
    public mutating func set(_ key: String, _ value: String) -> Bool {
        guard Self.isKey(Substring(key).utf8), Self.isValue(Substring(value).utf8) else { return false }
        remove(key)
        members.insert(Member(key: key, value: value), at: 0)
        if members.count > Self.memberCountMax { members.removeLast() }
        return true
    }

    /// Removes a key.
    public mutating func remove(_ key: String) { members.removeAll { $0.key == key } }

    /// As a header, of at most `limit` bytes: whole members are left out, first those of more than 128 bytes, from the end
    /// (§3.3.1.5).
    public func header(limit: Int = .max) -> String {
        var kept = members
        var count = kept.reduce(0) { $0 + Self.byteCount($1) + 1 } - 1
        for isLong in [true, false] {
            for member in kept.reversed()
            where count > limit && (!isLong || Self.byteCount(member) > Self.longMemberByteCount) {
                kept.removeAll { $0.key == member.key }
                count -= Self.byteCount(member) + 1
            }
        }
        return kept.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }

    private static func byteCount(_ member: Member) -> Int { member.key.utf8.count + 1 + member.value.utf8.count }

    /// §3.3.1.3.1: a lower-case letter or a digit, then these and `_`, `-`, `*`, `/`, `@`.
    private static func isKey(_ key: Substring.UTF8View) -> Bool {
        guard let first = key.first, key.count <= keyByteCountMax else { return false }
        return isLetterOrDigit(first) && key.allSatisfy { isLetterOrDigit($0) || "_-*/@".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte)
    }

    /// §3.3.1.3.2: printable ASCII without `,` and `=`, not ending in a blank.
    private static func isValue(_ value: Substring.UTF8View) -> Bool {
        guard let last = value.last, last != 0x20, value.count <= valueByteCountMax else { return false }
        return value.allSatisfy { (0x20...0x7e).contains($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") }
    }
}

extension Substring.UTF8View {
    /// Without blanks and tabs at both ends.
    var trimmingBlanks: Substring.UTF8View {
        var rest = drop { $0 == 0x20 || $0 == 0x09 }
        while let last = rest.last, last == 0x20 || last == 0x09 { rest.removeLast() }
        return rest
    }
}
