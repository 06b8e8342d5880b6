// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// The parameters of native calls, in the grammar that all of them share.
extension APICall {
    /// Refuses parameters that the route does not take.
    func checkParameters() throws(APIError) {
        // A `%` may stand for itself elsewhere, and in no id of agents' work.
        if route.template.hasPrefix("/api/worktrace/"),
            let escape = PercentEncoding.brokenEscape(in: request.path.utf8)
        {
            throw .invalid(
                "path",
                "The path holds \(Self.shown(escape)), no percent escape: write %25 for a percent sign."
            )
        }
        guard let known = route.parameters else { return }
        for item in request.queryItems where !known.contains(item.name) {
            throw Self.unknown(item.name, "parameter of \(route.template)", known: known)
        }
    }

    /// The trace that the path names.
    func traceID() throws(APIError) -> TraceID { try Self.traceID(pathValues[0], "traceId") }

    /// The traces that the parameter names, which may come again: 1 to `most`.
    func traceIDs(_ name: String, atMost most: Int) throws(APIError) -> [TraceID] {
        let texts = request.queryValues(name)
        guard (1...most).contains(texts.count) else {
            throw .invalid(
                name,
                "\(name) names \(texts.count) traces: it takes 1 to \(most), each as \(name)=<trace id>."
            )
        }
        var ids: [TraceID] = []
        for text in texts {
            let id = try Self.traceID(text, name)
            if !ids.contains(id) { ids.append(id) }
        }
        return ids
    }

    /// The trace that `text` names: 1 to 32 hexadecimal digits, short ids padded on the left.
    static func traceID(_ text: String, _ field: String) throws(APIError) -> TraceID {
        guard let id = TraceID(hex: text), id.isValid else {
            throw .invalid(field, "\(shown(text)) is no trace id: expected 1 to 32 hexadecimal digits, not all zero.")
        }
        return id
    }

    /// A moment: RFC 3339 or nanoseconds since 1970; `nil` when absent or empty.
    func time(_ name: String) throws(APIError) -> UInt64? {
        try Self.time(request.query(name) ?? "", name)
    }

    /// The moment that `text` states for the parameter `name`; `nil` when it is empty.
    static func time(_ text: String, _ name: String) throws(APIError) -> UInt64? {
        if text.isEmpty { return nil }
        if let nanos = UInt64(text), text.utf8.first != UInt8(ascii: "+") { return nanos }
        if let nanos = RFC3339.parse(text) { return nanos }
        throw .invalid(
            name,
            "\(shown(text)) is no time: expected RFC 3339, as in 2026-11-22T10:00:00Z, or nanoseconds since 1970."
        )
    }

    /// The range of `start` and `end`, all of time when both are absent.
    func timeRange() throws(APIError) -> TimeRange {
        let start = try time("start") ?? 0
        let end = try time("end") ?? .max
        guard start <= end else {
            throw .invalid(
                "end",
                "end (\(end)) lies before start (\(start)); the range is start up to, not including, end."
            )
        }
        return TimeRange(start: start, end: end)
    }

    /// How many rows are wanted; `usual` when the request does not say.
    func limit(atMost most: Int, usual: Int = 20) throws(APIError) -> Int {
        guard let text = request.query("limit"), !text.isEmpty else { return usual }
        guard let limit = Int(text) else {
            throw .invalid("limit", "\(Self.shown(text)) is no number: limit takes 1 to \(most).")
        }
        guard (1...most).contains(limit) else {
            throw .invalid(
                "limit",
                "limit \(limit) is out of bounds: it takes 1 to \(most)\(limit > most ? "; for more, follow next" : "")."
            )
        }
        return limit
    }

    /// A whole number of `bounds`; `usual` when the request does not say.
    func number(_ name: String, _ bounds: ClosedRange<Int>, usual: Int) throws(APIError) -> Int {
        guard let text = request.query(name), !text.isEmpty else { return usual }
        guard let number = Int(text), bounds.contains(number) else {
            throw .invalid(
                name,
                "\(Self.shown(text)) is out of bounds: \(name) takes \(bounds.lowerBound) to \(bounds.upperBound)."
            )
        }
        return number
    }

    /// A number of the query that may have a fraction, within bounds; `usual` when the request does not say.
    func fraction(_ name: String, _ bounds: ClosedRange<Double>, usual: Double) throws(APIError) -> Double {
        guard let text = request.query(name), !text.isEmpty else { return usual }
        guard let number = Double(text), bounds.contains(number) else {
            throw .invalid(
                name,
                "\(name) is \(Self.shown(text)): it takes a number from \(bounds.lowerBound) to \(bounds.upperBound)."
            )
        }
        return number
    }

    /// Where the list of names goes on; `nil` at its beginning. The list is told by the path and what narrows it.
    func listCursor() throws(APIError) -> ListCursor? {
        guard let sent = request.query("cursor"), !sent.isEmpty else { return nil }
        guard let cursor = ListCursor(sent, question: listQuestion) else { throw Self.foreignCursor(sent, of: "list") }
        return cursor
    }

    /// What a cursor of a list of names belongs to.
    var listQuestion: String {
        ([route.template] + pathValues + ["prefix", "scope"].map { request.query($0) ?? "" }
            + request.queryValues("service"))
            .joined(separator: "\0")
    }

    /// A cursor that came from another question, or was changed on its way.
    static func foreignCursor(_ sent: String, of owner: String) -> APIError {
        .invalid(
            "cursor",
            "\(shown(sent)) is no cursor of this \(owner): repeat the call with the value of next, unchanged."
        )
    }

    /// A name that nobody knows, which may be a slip; `kind` says what it was meant to be.
    static func unknown(_ name: String, _ kind: String, known: [String]) -> APIError {
        let near = Spelling.nearest(to: name, among: known).map { "; did you mean \($0)?" }
        let rest = near ?? (known.isEmpty ? "." : ": it has \(known.joined(separator: ", ")).")
        return .invalid(String(name.prefix(100)), "\(shown(name)) is no \(kind)\(rest)")
    }

    /// A value from outside, fit for a message.
    static func shown(_ text: String) -> String { GoText.quote(String(text.prefix(100))) }
}
