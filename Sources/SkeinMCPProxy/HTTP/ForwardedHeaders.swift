// SPDX-License-Identifier: Apache-2.0
import NIOHTTP1
import SkeinMCP

extension HTTPHeaders {
    /// What is for the next hop alone (RFC 9110 §7.6.1), beside what `Connection` names. Framing is each hop's own.
    private static let hopByHop: Set = [
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// What is true of the very bytes of a body: `Content-Digest` and `Repr-Digest` (RFC 9530), `Digest` (RFC 3230) and `Content-MD5`
    /// (RFC 1864).
    static let digests: Set = ["content-digest", "repr-digest", "digest", "content-md5"]

    /// Whether the server refuses the request if its body is another: a signature covers its digest (RFC 9421; AWS Signature Version 4).
    var signsBody: Bool {
        contains(name: "signature-input") || contains(name: "x-amz-content-sha256")
            || self["authorization"].contains { $0.lowercased().hasPrefix("aws4-") }
    }

    var isEventStream: Bool {
        first(name: "content-type")?.prefix(17).lowercased() == "text/event-stream"
    }

    /// Leaves in `baggage` what may pass. What passes whole stays as it is written.
    mutating func filterBaggage(_ filter: BaggageFilter) {
        let given = self["baggage"]
        let passed = given.map(filter.passed)
        guard passed != given else { return }
        remove(name: "baggage")
        for value in passed where !value.isEmpty { add(name: "baggage", value: value) }
    }

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
