// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire

/// Which members of baggage a server may see: what agents tell each other is often not for whoever offers a tool.
package enum BaggageFilter: Hashable, Sendable {
    case all
    /// Those of these keys; none where there is no key.
    case keys(Set<String>)

    package static let none = BaggageFilter.keys([])

    /// Reads `all`, `none`, or keys with commas between them; `nil` for anything else.
    package init?(_ text: String) {
        switch text {
        case "all": self = .all
        case "none": self = .none
        default:
            let keys = text.split(separator: ",", omittingEmptySubsequences: false)
            guard keys.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isKeyByte) }) else { return nil }
            self = .keys(Set(keys.map(String.init)))
        }
    }

    /// The members of a header that may pass, as they are written.
    package func passed(_ header: String) -> String {
        guard case .keys(let keys) = self else { return header }
        return header.utf8.split(separator: UInt8(ascii: ",")).filter { member in
            let key = member.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }.filter { $0 > 0x20 }
            return keys.contains(String(decoding: key, as: UTF8.self))
        }
        .map { String(Substring($0)) }.joined(separator: ",")
    }

    /// What takes the others out of `message`. Where nothing is left an empty text is, since a member of JSON cannot go without its comma.
    package func edits(of message: JSONRPCMessage) -> [ByteEdit] {
        guard case .keys = self, let place = message.params?.meta?.baggage else { return [] }
        let passed = place.value.map(passed) ?? ""
        guard passed != place.value else { return [] }
        var json = JSONWriter(capacity: 64)
        json.string(passed)
        return [ByteEdit(place.range, json.bytes.map { $0 })]
    }

    /// Of a token (RFC 9110 §5.6.2).
    private static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
