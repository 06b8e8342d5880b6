// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// One path of the API, and who answers it.
struct Route: Sendable {
    typealias Answer = @Sendable (API, APICall) async throws(APIError) -> APIResponse

    let method: String
    /// As in `/api/services/{name}/operations`. The value of `{name…}` may have slashes that were not escaped.
    let template: String
    /// The parameters of the query that it takes; others are refused. `nil` where others are ignored.
    let parameters: [String]?
    let answer: Answer
    private let segments: [Substring]

    init(_ method: String, _ template: String, parameters: [String]? = nil, _ answer: @escaping Answer) {
        self.method = method
        self.template = template
        self.parameters = parameters
        self.answer = answer
        segments = template.split(separator: "/")
    }

    /// The values of the variable segments when `path`, split and decoded, is one of this route's.
    func match(_ path: [String]) -> [String]? {
        var rest = path[...]
        var values: [String] = []
        for (place, segment) in segments.enumerated() {
            let isLong = segment.hasSuffix("…}")
            // A long value takes what the segments behind it leave.
            let count = isLong ? rest.count - (segments.count - place - 1) : 1
            guard count > 0, count <= rest.count else { return nil }
            if segment.hasPrefix("{") {
                values.append(rest.prefix(count).joined(separator: "/"))
            } else if segment != rest.first ?? "" {
                return nil
            }
            rest = rest.dropFirst(count)
        }
        return rest.isEmpty ? values : nil
    }

    /// Splits a path, then decodes each segment, so that `%2F` is a slash within a segment. One slash at the end says
    /// nothing.
    static func split(_ path: String) -> [String] {
        var segments = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if segments.last?.isEmpty == true { segments.removeLast() }
        return segments.map { PercentEncoding.decode($0) }
    }
}

/// A request that found its route.
struct APICall: Sendable {
    var request: APIRequest
    /// The decoded values of the route's variable segments, in order; as many as its template has.
    var pathValues: [String]
    var route: Route
}

extension APICall {
    /// What this request is called in the server's log: the client's own `X-Request-Id` when it sent a sane one.
    func requestID() -> String {
        if let sent = request.header("X-Request-Id"), !sent.isEmpty, sent.utf8.count <= 64,
            sent.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        {
            return sent
        }
        return SpanID(.random(in: 1 ... .max)).description
    }
}
