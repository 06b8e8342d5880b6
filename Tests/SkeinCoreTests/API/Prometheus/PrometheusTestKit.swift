// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinModel
import Testing

/// A shop that takes an order a minute, from 09:50 to 09:55 of ten minutes that end at 10:00. The last two fail.
///
/// Each order is four spans: `web` serves it in 60 ms and asks `checkout` for 50 ms, which serves that in 40 ms and asks the
/// database `orders` for 10 ms.
enum OrderTraffic {
    /// 2026-11-22T10:00:00Z, in seconds.
    static let end = Int(APIUnderTest.now / 1_000_000_000)
    static let start = end - 600
    static let minuteNanos: UInt64 = 60_000_000_000

    static var spans: [SkeinModel.Span] {
        (0..<6).flatMap { order(minute: UInt64($0), trace: UInt64($0) + 1, isFailed: $0 >= 4) }
    }

    static func order(minute: UInt64, trace: UInt64, isFailed: Bool = false) -> [SkeinModel.Span] {
        let id = TraceID(high: 0, low: trace)
        let at = minute * minuteNanos
        func span(
            _ number: UInt64,
            _ service: String,
            _ name: String,
            _ kind: SkeinModel.Span.Kind,
            _ millis: UInt64
        ) -> SkeinModel.Span {
            Shop.span(
                number,
                parent: number - 1,
                trace: id,
                service: service,
                name: name,
                kind: kind,
                at: at + number * 1_000_000,
                lasting: millis * 1_000_000
            )
        }
        var serve = span(3, "checkout", "place order", .server, 40)
        if isFailed { serve.status = .init(.error) }
        var query = span(4, "checkout", "SELECT", .client, 10)
        query.attributes = [Attribute("db.system", "postgresql"), Attribute("db.name", "orders")]
        return [
            span(1, "web", "POST /order", .server, 60), span(2, "web", "POST", .client, 50), serve, query,
        ]
    }
}

extension APIUnderTest {
    /// The `data` of an answer of Prometheus, which must be a success. Parameters go into the body of a form.
    func prometheus(_ path: String, _ parameters: KeyValuePairs<String, String> = [:]) async throws -> JSONValue {
        let answer = try await prometheusAnswer(path, parameters, status: 200)
        #expect(answer["status"] == "success")
        return answer["data"]
    }

    /// What an answer that must be an error says.
    func prometheusError(
        _ path: String,
        _ parameters: KeyValuePairs<String, String> = [:],
        status: Int = 400
    ) async throws -> (type: String?, text: String) {
        let answer = try await prometheusAnswer(path, parameters, status: status)
        #expect(answer["status"] == "error")
        return (answer["errorType"].string, answer["error"].string ?? "")
    }

    func prometheusAnswer(
        _ path: String,
        _ parameters: KeyValuePairs<String, String>,
        status: Int
    ) async throws -> JSONValue {
        let form = parameters.map { "\($0.key)=\(Self.escaped($0.value))" }.joined(separator: "&")
        let response = try await ask(
            "/prometheus/api/v1/\(path)",
            method: "POST",
            headers: [("content-type", "application/x-www-form-urlencoded")],
            body: form
        )
        let text = String(decoding: response.bytes, as: UTF8.self)
        #expect(response.status == status, "\(form): \(text.prefix(300))")
        return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    /// The samples of an instant query at a moment, one a line: `{client="web"} 0.01`.
    func samples(_ query: String, at moment: Int = OrderTraffic.end) async throws -> [String] {
        let data = try await prometheus("query", ["query": query, "time": "\(moment)"])
        if data["resultType"] == "scalar" { return [data["result"][1].string ?? ""] }
        #expect(data["resultType"] == "vector")
        return data["result"].array.map { sample in
            #expect(sample["value"][0].int == Int64(moment))
            return "\(Self.text(sample["metric"])) \(sample["value"][1].string ?? "")"
        }
    }

    /// The series of a query over time, one a line: `{} 1 2 3`, with `-` where there is no sample.
    func series(_ query: String, from start: Int, through end: Int, step: Int) async throws -> [String] {
        let data = try await prometheus(
            "query_range",
            ["query": query, "start": "\(start)", "end": "\(end)", "step": "\(step)"]
        )
        #expect(data["resultType"] == "matrix")
        return data["result"].array.map { series in
            let values = Dictionary(
                series["values"].array.map { ($0[0].int ?? -1, $0[1].string ?? "") },
                uniquingKeysWith: { first, _ in first }
            )
            let texts = stride(from: start, through: end, by: step).map { values[Int64($0)] ?? "-" }
            return "\(Self.text(series["metric"])) \(texts.joined(separator: " "))"
        }
    }

    /// Lines of labels and samples, these to twelve digits.
    static func rounded(_ lines: [String]) -> [String] {
        lines.map { line in
            let end = line.lastIndex(of: "}") ?? line.startIndex
            let samples = line[end...].split(separator: " ").map { text in
                Double(text).map { String(format: "%.12g", $0) } ?? String(text)
            }
            return line[..<end] + samples.joined(separator: " ")
        }
    }

    static func text(_ labels: JSONValue) -> String {
        let pairs = labels.keys.sorted().map { "\($0)=\"\(labels[$0].string ?? "")\"" }
        return "{\(pairs.joined(separator: ","))}"
    }

    static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }
}
