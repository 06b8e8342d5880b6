// SPDX-License-Identifier: Apache-2.0
import NIOHTTP1

extension HTTPHeaders {
    /// What is for the next hop alone (RFC 9110 §7.6.1), beside what `Connection` names. Framing is each hop's own.
    private static let hopByHop: Set = [
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// These headers as they are passed on, in their order and spelling, but for `dropped`, in lower case.
    func forwarded(without dropped: Set<String> = []) -> HTTPHeaders {
        let named = Set(self[canonicalForm: "connection"].map { $0.lowercased() })
        var headers = HTTPHeaders()
        for (name, value) in self {
            let key = name.lowercased()
            guard !Self.hopByHop.contains(key), !named.contains(key), !dropped.contains(key) else { continue }
            headers.add(name: name, value: value)
        }
        return headers
    }
}
