// SPDX-License-Identifier: Apache-2.0

/// Where the page comes from that sends a request: with a name that leads to this machine, pages of strangers would reach
/// servers that listen here alone (DNS rebinding; MCP 2026-07-28 "Security & Endpoint").
enum MCPOrigin {
    /// Whether the value of `Origin` names this machine: `http://localhost:6274`, `http://127.0.0.1`, `http://[::1]:3000`.
    static func isLocal(_ origin: String) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: { origin.lowercased().hasPrefix($0) }) else {
            return false
        }
        let authority = origin.dropFirst(scheme.count)
        if authority.hasPrefix("[") { return authority == "[::1]" || authority.hasPrefix("[::1]:") }
        let host = authority.prefix { $0 != ":" }.lowercased()
        if host == "localhost" || host.hasSuffix(".localhost") { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
    }
}
