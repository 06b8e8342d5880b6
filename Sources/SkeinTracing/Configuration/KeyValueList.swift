// SPDX-License-Identifier: Apache-2.0

/// `key=value,key=value`, percent-encoded, as headers and attributes stand in one variable (W3C Baggage §3.3.1, without
/// properties).
enum KeyValueList {
    /// Why a list, or one member of it, cannot be read. Names no value: it may be a secret.
    struct Failure: Error, Hashable {
        var reason: String
    }

    /// The members in their order, each read or not.
    static func members(_ text: String) -> [Result<(key: String, value: String), Failure>] {
        text.split(separator: ",").map(trimmed).filter { !$0.isEmpty }.enumerated().map { index, member in
            pair(member, number: index + 1)
        }
    }

    private static func pair(
        _ member: Substring,
        number: Int
    ) -> Result<(key: String, value: String), Failure> {
        guard let equals = member.firstIndex(of: "=") else {
            return .failure(Failure(reason: "member \(number) has no =: write key=value,key=value"))
        }
        let key = percentDecoded(trimmed(member[..<equals]))
        let value = percentDecoded(trimmed(member[member.index(after: equals)...]))
        guard let key, let value else {
            return .failure(
                Failure(
                    reason: "member \(number) has a % without two hexadecimal digits of UTF-8 after it: write % as %25"
                )
            )
        }
        guard !key.isEmpty else { return .failure(Failure(reason: "member \(number) has no key before its =")) }
        return .success((key, value))
    }

    /// Without blanks around it.
    static func trimmed(_ text: some StringProtocol) -> Substring {
        var rest = Substring(text)
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return rest
    }

    /// `nil` for a `%` that no two digits follow, and for what is no UTF-8.
    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? { Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init) }
}

/// Headers that requests are sent with.
enum HeaderList {
    /// Why a header cannot be sent; `nil` for one that can (RFC 9110 §5.1, §5.5).
    static func fault(name: String, value: String) -> String? {
        guard !name.isEmpty, name.utf8.allSatisfy({ isTokenByte($0) }) else {
            return "has a name with characters that no header may have"
        }
        guard value.utf8.allSatisfy({ $0 == 0x09 || $0 >= 0x20 && $0 != 0x7f }) else {
            return "has control characters in its value"
        }
        return nil
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
