// SPDX-License-Identifier: Apache-2.0

/// An address of HTTP or gRPC, in its parts (RFC 3986 §3).
package struct Endpoint: Hashable, Sendable {
    package enum Scheme: String, Sendable {
        case http
        case https
    }

    package let scheme: Scheme
    /// Without the brackets of an IPv6 address.
    package let host: String
    /// That of the scheme unless it is named.
    package let port: Int
    /// With the query; `/` where there is none.
    package let path: String

    /// Reads an address. Without `scheme` it has to name one. `nil` for what is no address, and for one with a user or a
    /// password, which belong into headers.
    package init?(_ text: String, scheme standard: Scheme? = nil) {
        guard text.utf8.count <= Self.byteCountMax, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            return nil
        }
        var rest = Substring(text)
        if let end = rest.firstRange(of: "://") {
            guard let named = Scheme(rawValue: rest[..<end.lowerBound].lowercased()) else { return nil }
            scheme = named
            rest = rest[end.upperBound...]
        } else if let standard {
            scheme = standard
        } else {
            return nil
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let tail = rest[authority.endIndex...].prefix { $0 != "#" }
        path = tail.hasPrefix("/") ? String(tail) : "/\(tail)"
        guard !authority.contains("@") else { return nil }
        let name: Substring
        let number: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            name = authority[authority.index(after: authority.startIndex)..<end]
            number = authority[authority.index(after: end)...]
        } else {
            name = authority.prefix { $0 != ":" }
            number = authority[name.endIndex...]
        }
        guard !name.isEmpty else { return nil }
        host = String(name)
        switch number {
        case "": port = scheme == .http ? 80 : 443
        default:
            guard number.hasPrefix(":"), number.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let value = UInt16(number.dropFirst()), value > 0
            else { return nil }
            port = Int(value)
        }
    }

    private static let byteCountMax = 4_096
}

extension Endpoint: CustomStringConvertible {
    package var description: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(scheme.rawValue)://\(name):\(port)\(path)"
    }

    /// Without the query, which may hold a secret: for messages.
    package var name: String { description.withoutAddressSecrets() }
}
