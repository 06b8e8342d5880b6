// SPDX-License-Identifier: Apache-2.0

/// What spans of HTTP have in common on both sides (OpenTelemetry semantic conventions 1.45, "HTTP spans").
package enum HTTPConventions {
    /// Methods that are named as they are: those of RFC 9110, RFC 5789 and the QUERY method.
    package static let knownMethods: Set = [
        "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE",
    ]

    /// Keys of a query whose values are credentials.
    package static let secretKeys: Set = [
        "AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature", "X-Amz-Credential", "X-Amz-Security-Token",
        "X-Amz-Signature",
    ]

    /// The known methods and some more; without any no set is made, which would be one for each request.
    package static func methods(and more: Set<String>) -> Set<String> {
        more.isEmpty ? knownMethods : knownMethods.union(more)
    }

    /// The keys of credentials and some more.
    package static func secretKeys(and more: Set<String>) -> Set<String> {
        more.isEmpty ? secretKeys : secretKeys.union(more)
    }

    /// `http.request.method`: anybody can make up methods, and each would be a name of its own.
    package static func method(_ method: String, known: Set<String> = knownMethods) -> String {
        known.contains(method) ? method : "_OTHER"
    }

    /// The name of a span without what is asked for: the method, or `HTTP` for one that is not known.
    package static func spanName(_ method: String, known: Set<String> = knownMethods) -> String {
        known.contains(method) ? method : "HTTP"
    }

    /// A query with `REDACTED` in place of what `secretKeys` hold.
    package static func redacted(query: some StringProtocol, _ secretKeys: Set<String> = secretKeys) -> String {
        query.split(separator: "&", omittingEmptySubsequences: false).map { pair in
            guard let equals = pair.firstIndex(of: "="), secretKeys.contains(decoded(pair[..<equals])) else {
                return String(pair)
            }
            return pair[...equals] + "REDACTED"
        }.joined(separator: "&")
    }

    /// A key as a server reads it (RFC 3986 §2.1): `%73ig` is `sig`. A `%` that no two digits follow stands for itself.
    private static func decoded(_ key: some StringProtocol) -> String {
        guard key.utf8.contains(UInt8(ascii: "%")) else { return String(key) }
        var rest = Array(key.utf8)[...]
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
            if byte == UInt8(ascii: "%"), digits.count == 2 {
                bytes.append(UInt8(digits[0] << 4 | digits[1]))
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// An address with `REDACTED` in place of a user, a password and what `secretKeys` hold. What is behind `#` is left out: it is
    /// not sent, and may be a token.
    package static func redacted(url: String, _ secretKeys: Set<String> = secretKeys) -> String {
        var rest = url.prefix { $0 != "#" }
        var query = ""
        if let mark = rest.firstIndex(of: "?") {
            query = "?" + redacted(query: rest[rest.index(after: mark)...], secretKeys)
            rest = rest[..<mark]
        }
        var parts = rest.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        // scheme: "" authority path
        if parts.count > 2, parts[1].isEmpty, let at = parts[2].lastIndex(of: "@") {
            let user = parts[2][..<at].contains(":") ? "REDACTED:REDACTED" : "REDACTED"
            parts[2] = "\(user)\(parts[2][at...])"
        }
        return parts.joined(separator: "/") + query
    }

    /// Host and port of an authority such as `example.com:8080` or `[::1]:80`.
    package static func hostAndPort(_ authority: some StringProtocol) -> (host: String, port: Int?) {
        let closing = authority.lastIndex(of: "]") ?? authority.startIndex
        guard let colon = authority[closing...].lastIndex(of: ":") else { return (unbracketed(authority), nil) }
        return (unbracketed(authority[..<colon]), Int(authority[authority.index(after: colon)...]))
    }

    /// Where an address such as `https://example.com/path` leads; the port is that of the scheme unless it is named.
    package static func server(url: String) -> (host: String, port: Int?)? {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count > 2, parts[1].isEmpty else { return nil }
        let authority = parts[2].prefix { $0 != "?" && $0 != "#" }
        let start = authority.lastIndex(of: "@").map { authority.index(after: $0) } ?? authority.startIndex
        let (host, port) = hostAndPort(authority[start...])
        let usual = ["https:": 443, "http:": 80][parts[0].lowercased()]
        return host.isEmpty ? nil : (host, port ?? usual)
    }

    private static func unbracketed(_ host: some StringProtocol) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host)
    }
}
