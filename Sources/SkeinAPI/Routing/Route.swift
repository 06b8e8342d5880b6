// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// One path of the API, and who answers it.
struct Route: Sendable {
    typealias Answer = @Sendable (API, APICall) async throws(APIError) -> APIResponse

    let method: String
    /// As in `/api/services/{name}/operations`.
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
        guard path.count == segments.count else { return nil }
        var values: [String] = []
        for (segment, value) in zip(segments, path) {
            if segment.hasPrefix("{") {
                values.append(value)
            } else if segment != value {
                return nil
            }
        }
        return values
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
