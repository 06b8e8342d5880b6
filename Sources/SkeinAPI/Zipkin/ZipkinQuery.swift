// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// What `GET /api/v2/traces` asks for (Zipkin's `QueryRequest`).
///
/// Each condition must hold on a span of the trace, not all of them on the same one; with a service name, on a span of that
/// service.
struct ZipkinQuery {
    /// In lower case.
    var serviceName: String?
    /// In lower case.
    var remoteServiceName: String?
    /// In lower case.
    var spanName: String?
    /// Each a tag and its value; with an empty value a tag that must be there, or the text of an annotation.
    var annotations: [(key: String, value: String)] = []
    /// In microseconds, both included.
    var minDuration: Int64?
    var maxDuration: Int64?
    /// The earliest span of the trace starts in this range.
    var range: TimeRange
    /// Most traces, 1…10,000.
    var limit = Self.limitUsual

    static let limitUsual = 10
    static let limitMax = 10_000
    private static let annotationCountMax = 100

    /// Reads the parameters. `now` is the end of the range unless `endTs` says another.
    init(_ call: APICall, now: UInt64) throws(APIError) {
        func name(_ parameter: String) -> String? {
            guard let text = call.request.query(parameter), !text.isEmpty else { return nil }
            return text.lowercased()
        }
        serviceName = name("serviceName")
        remoteServiceName = name("remoteServiceName")
        // The page's word for any.
        spanName = name("spanName").flatMap { $0 == "all" ? nil : $0 }
        annotations = try Self.annotations(call.request.query("annotationQuery") ?? "")
        let endTs = try call.zipkinNumber("endTs") ?? Int64(now / 1_000_000)
        let lookback = try call.zipkinNumber("lookback") ?? ZipkinAPI.lookbackUsualMillis
        let limit = try call.zipkinNumber("limit") ?? Int64(Self.limitUsual)
        minDuration = try call.zipkinNumber("minDuration")
        maxDuration = try call.zipkinNumber("maxDuration")
        guard limit > 0 || endTs <= 0 else { throw .invalid("limit", "limit <= 0") }
        range = try APICall.zipkinRange(endTs: endTs, lookback: lookback)
        guard limit <= Int64(Self.limitMax) else { throw .invalid("limit", "limit > \(Self.limitMax)") }
        self.limit = Int(limit)
        if let minDuration {
            guard minDuration > 0 else { throw .invalid("minDuration", "minDuration <= 0") }
            if let maxDuration, maxDuration < minDuration {
                throw .invalid("maxDuration", "maxDuration < minDuration")
            }
        } else if maxDuration != nil {
            throw .invalid("maxDuration", "maxDuration is only valid with minDuration")
        }
    }

    /// Reads `error and http.method=GET`. Of tags that come again the last value counts, and no value never hides one.
    private static func annotations(_ text: String) throws(APIError) -> [(key: String, value: String)] {
        var found: [(key: String, value: String)] = []
        var rest = text[...]
        while !rest.isEmpty {
            let part: Substring
            if let and = rest.firstRange(of: " and ") {
                part = rest[..<and.lowerBound]
                rest = rest[and.upperBound...]
            } else {
                part = rest
                rest = rest[rest.endIndex...]
            }
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let (key, value) = (trimmed(sides[0]), sides.count > 1 ? trimmed(sides[1]) : "")
            if key.isEmpty { continue }
            if let known = found.firstIndex(where: { $0.key.isExactly(key) }) {
                if sides.count > 1 { found[known].value = value }
            } else {
                found.append((key, value))
            }
        }
        guard found.count <= annotationCountMax else {
            throw .invalid(
                "annotationQuery",
                "annotationQuery has \(found.count) conditions, at most \(annotationCountMax) are searched at once"
            )
        }
        return found
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    // MARK: Conditions

    /// What a span of the service satisfies; `nil` without a service name. `stored` are the names that the service is stored under.
    func ofService(_ stored: [String]) -> SpanPredicate? {
        guard serviceName != nil else { return nil }
        return .or(stored.map { .compare(.serviceName, .equal, .string($0)) })
    }

    /// What spans of the service satisfy beside, each some span.
    func conditions() throws(APIError) -> [SpanPredicate] {
        var conditions: [SpanPredicate] = []
        if let spanName { conditions.append(.compare(.name, .matches, try Self.anyCase(spanName, "spanName"))) }
        for annotation in annotations {
            conditions.append(
                annotation.value.isEmpty
                    ? ZipkinTag.isThere(annotation.key) : ZipkinTag.says(annotation.key, annotation.value)
            )
        }
        if let minDuration { conditions.append(duration(from: minDuration)) }
        return conditions
    }

    /// Durations are told in whole microseconds, and never as less than one.
    private func duration(from least: Int64) -> SpanPredicate {
        func nanos(_ micros: Int64) -> Int64 {
            let (nanos, overflow) = micros.multipliedReportingOverflow(by: 1_000)
            return overflow ? .max : nanos
        }
        var bounds: [SpanPredicate] = [.compare(.duration, .greaterOrEqual, .int(least > 1 ? nanos(least) : 0))]
        if let maxDuration, maxDuration < .max {
            bounds.append(.compare(.duration, .less, .int(nanos(maxDuration + 1))))
        }
        return .and(bounds)
    }

    /// What a span satisfies whose attributes say that it calls the remote service.
    func says(remoteService name: String) throws(APIError) -> SpanPredicate {
        let pattern = try Self.anyCase(name, "remoteServiceName")
        let keys = ZipkinPeer.allCases.filter { !$0.isNumeric }.map(\.key)
        let others = Peer.Key.allCases.map(\.name).filter { !keys.contains($0) }
        return .or((keys + others).map { .compare(.attribute(.span, $0), .matches, pattern) })
    }

    /// What matches `text`, which is in lower case, however its letters are written.
    private static func anyCase(_ text: String, _ parameter: String) throws(APIError) -> SpanPredicate.Literal {
        var pattern = "(?i)"
        for scalar in text.unicodeScalars {
            if "\\.+*?()|[]{}^$".unicodeScalars.contains(scalar) { pattern.unicodeScalars.append("\\") }
            pattern.unicodeScalars.append(scalar)
        }
        do throws(TextPattern.Failure) {
            return .pattern(try TextPattern(pattern))
        } catch {
            throw .invalid(parameter, "\(parameter) is too long: \(error.message)")
        }
    }
}
