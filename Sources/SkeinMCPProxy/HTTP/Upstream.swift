// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinReceivers

/// The server that requests are passed on to.
package struct Upstream: Hashable, Sendable {
    /// Scheme, host and port, without a slash at the end.
    let origin: String
    /// Of the server's one endpoint; `/` where the address names none.
    let path: String
    private let query: String?
    /// Whether it is on this machine, by its name.
    package let isLoopback: Bool

    /// Reads an address such as `https://example.com/mcp`; `nil` for one that is none, or has a user or a fragment in it.
    package init?(_ text: String) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = parts.percentEncodedHost, !host.isEmpty,
            parts.user == nil, parts.password == nil, parts.fragment == nil
        else { return nil }
        origin = "\(scheme)://\(host)\(parts.port.map { ":\($0)" } ?? "")"
        let name = host.lowercased()
        isLoopback =
            name == "localhost" || name == "[::1]"
            || name.hasPrefix("127.") && name.allSatisfy { $0.isNumber || $0 == "." }
        path = parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath
        query = parts.percentEncodedQuery
    }

    /// Where a request for `target`, a path with a query, goes. What names the server's endpoint, `/`, or `/mcp`, which clients take it
    /// to be, goes to the endpoint; anything else, such as `/.well-known/…`, to the same place of the server.
    func url(_ target: Substring) -> String {
        let asked = target.prefix { $0 != "?" }
        guard asked == "/" || asked == "/mcp" || asked.isEmpty else { return origin + target }
        let queries = [query, asked.endIndex == target.endIndex ? nil : String(target[asked.endIndex...].dropFirst())]
        let joined = queries.compactMap(\.self).joined(separator: "&")
        return origin + path + (joined.isEmpty ? "" : "?" + joined)
    }
}

extension ListenAddress {
    /// Whether a header `Host` names this address. Only then is it replaced by the server's own name: a page that was led here by
    /// another name (DNS rebinding) must not look to the server as if it was allowed.
    func isNamed(by host: String) -> Bool {
        guard let named = ListenAddress(host) ?? ListenAddress(host + ":80"), named.port == port else { return false }
        if named.host.lowercased() == self.host.lowercased() || isLoopback && named.isLoopback { return true }
        // Who listens at every address of the machine has all of them; a name may be anybody's.
        let isEverywhere = self.host == "0.0.0.0" || self.host == "::"
        return isEverywhere
            && (named.isLoopback || named.host.contains(":") || named.host.allSatisfy { $0.isNumber || $0 == "." })
    }
}
