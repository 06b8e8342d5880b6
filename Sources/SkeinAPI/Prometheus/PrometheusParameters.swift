// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The parameters of a call: those of the form in its body, then those of its query.
struct PrometheusParameters {
    private let items: [APIRequest.QueryItem]
    /// Milliseconds since 1970 when the call came.
    let now: Int

    /// The last moment, where nanoseconds since 1970 end.
    private static let secondsMax = 18_446_744_073.0

    init(_ call: APICall, _ api: API) {
        var items = call.request.queryItems
        let type = call.request.header("Content-Type") ?? ""
        if call.request.method == "POST", type.lowercased().hasPrefix("application/x-www-form-urlencoded") {
            items = APIRequest.queryItems(in: call.request.body) + items
        }
        self.items = items
        now = Int(api.clock.unixNanos / 1_000_000)
    }

    /// The value of the first parameter of that name; `nil` when it is missing or empty.
    func value(_ name: String) -> String? {
        let value = items.first { $0.name == name }?.value ?? ""
        return value.isEmpty ? nil : value
    }

    /// The expression asked for.
    func expression() throws(APIError) -> PromQL.Expression {
        guard let text = value("query") else {
            throw .invalid("query", "query is missing: ask for a metric, as \(SpanMetric.all[0].name) is.")
        }
        do throws(PromQL.Failure) { return try PromQL.parse(text) } catch { throw APIError(error, of: "query") }
    }

    /// The selectors of `match[]`.
    func selectors() throws(APIError) -> [PromQL.Selector] {
        var selectors: [PromQL.Selector] = []
        for item in items where item.name == "match[]" {
            do throws(PromQL.Failure) {
                selectors.append(try PromQL.selector(item.value))
            } catch {
                throw APIError(error, of: "match[]")
            }
        }
        return selectors
    }

    /// A moment in milliseconds: seconds since 1970 or RFC 3339; `nil` when absent.
    func moment(_ name: String) throws(APIError) -> Int? {
        guard let text = value(name) else { return nil }
        if let seconds = Double(text), seconds.isFinite {
            guard (0...Self.secondsMax).contains(seconds) else {
                throw .invalid(
                    name,
                    "\(name) is \(APICall.shown(text)); it takes 0 to \(Int(Self.secondsMax)) seconds."
                )
            }
            return Int((seconds * 1_000).rounded())
        }
        if let nanos = RFC3339.parse(text) { return Int(nanos / 1_000_000) }
        throw .invalid(
            name,
            "\(APICall.shown(text)) is no time: \(name) takes seconds since 1970 or RFC 3339, as in 2026-11-22T10:00:00Z."
        )
    }

    /// The moments of a range.
    func moments() throws(APIError) -> PromQL.Moments {
        guard let start = try moment("start"), let end = try moment("end") else {
            throw .invalid("start", "start or end is missing: both take seconds since 1970 or RFC 3339.")
        }
        guard start <= end else { throw .invalid("end", "end lies before start: swap them.") }
        let step = try step()
        guard let moments = PromQL.Moments(from: start, through: end, step: step, now: now) else {
            throw .invalid(
                "step",
                "a step of \(Double(step) / 1_000) s cuts the range into \((end - start) / step + 1) moments; the limit is "
                    + "\(PromQL.Moments.countMax): take a longer step or a shorter range."
            )
        }
        return moments
    }

    /// Milliseconds between moments.
    private func step() throws(APIError) -> Int {
        let text = value("step") ?? ""
        let millis = Double(text).map { $0 * 1_000 } ?? PromQL.millis(text).map { Double($0) }
        guard let millis, millis >= 1, millis <= Self.secondsMax * 1_000 else {
            throw .invalid(
                "step",
                "\(APICall.shown(text)) is no step: it takes seconds or a duration such as 15s, 1 ms or more."
            )
        }
        return Int(millis)
    }

    /// Most of what is listed; `most` when the request does not say, or says 0.
    func limit(atMost most: Int) throws(APIError) -> Int {
        guard let text = value("limit") else { return most }
        guard let limit = Int(text), limit >= 0 else {
            throw .invalid("limit", "\(APICall.shown(text)) is no number: limit takes 0, which is none, or more.")
        }
        return limit == 0 ? most : min(limit, most)
    }
}

extension APIError {
    /// What is wrong in the language of a parameter.
    init(_ failure: PromQL.Failure, of field: String) {
        self = .invalid(
            field,
            "invalid parameter \"\(field)\": \(failure.line):\(failure.column): parse error: \(failure.message)"
        )
    }
}
