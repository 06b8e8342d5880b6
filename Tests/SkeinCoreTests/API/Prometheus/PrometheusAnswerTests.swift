// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Testing

@testable import SkeinAPI

/// The shapes of answers and errors, and what lists there are.
@Suite struct PrometheusAnswerTests {
    @Test func `answers have the form of Prometheus`() async throws {
        let api = try await APIUnderTest(OrderTraffic.spans)
        let query = "sum%20by%20(client)(traces_service_graph_request_total%7Bclient%3D%22web%22%7D)"
        #expect(
            try await api.text("/prometheus/api/v1/query?query=\(query)&time=1795341600.5")
                == #"{"status":"success","data":{"resultType":"vector","result":["#
                + #"{"metric":{"client":"web"},"value":[1795341600.5,"6"]}]}}"#
        )
        #expect(
            try await api.text("/prometheus/api/v1/query_range?query=\(query)&start=1795341600&end=1795341660&step=30s")
                == #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"client":"web"},"#
                + #""values":[[1795341600,"6"],[1795341630,"6"],[1795341660,"6"]]}]}}"#
        )
        #expect(
            try await api.text("/prometheus/api/v1/query?query=%22a%22&time=2026-11-22T10:00:00Z")
                == #"{"status":"success","data":{"resultType":"string","result":[1795341600,"a"]}}"#
        )
    }

    /// A call, its status, and what it answers.
    static let errors: [(String, KeyValuePairs<String, String>, Int, String, String)] = [
        ("query", [:], 400, "bad_data", "query is missing: ask for a metric, as traces_spanmetrics_calls_total is."),
        (
            "query", ["query": "x +"], 400, "bad_data",
            "invalid parameter \"query\": 1:4: parse error: unexpected the end"
        ),
        (
            "query", ["query": "1", "time": "soon"], 400, "bad_data",
            "\"soon\" is no time: time takes seconds since 1970 or RFC 3339"
        ),
        ("query", ["query": "1", "time": "-1"], 400, "bad_data", "time is \"-1\"; it takes 0 to 18446744073 seconds."),
        (
            "query", ["query": "1", "time": "1e300"], 400, "bad_data",
            "time is \"1e300\"; it takes 0 to 18446744073 seconds."
        ),
        ("query_range", ["query": "1", "start": "0"], 400, "bad_data", "start or end is missing"),
        (
            "query_range", ["query": "1", "start": "2", "end": "1", "step": "1"], 400, "bad_data",
            "end lies before start"
        ),
        (
            "query_range", ["query": "1", "start": "1", "end": "2", "step": "0"], 400, "bad_data",
            "\"0\" is no step: it takes seconds or a duration"
        ),
        (
            "query_range", ["query": "1", "start": "1", "end": "2", "step": "nan"], 400, "bad_data",
            "\"nan\" is no step"
        ),
        (
            "query_range", ["query": "1", "start": "0", "end": "11000", "step": "1"], 400, "bad_data",
            "a step of 1.0 s cuts the range into 11001 moments; the limit is 11000: take a longer step or a shorter range."
        ),
        (
            "query_range", ["query": "'a'", "start": "0", "end": "1", "step": "1"], 400, "bad_data",
            "a text has no values over time"
        ),
        ("series", [:], 400, "bad_data", "match[] is missing"),
        ("series", ["match[]": "{}"], 400, "bad_data", "invalid parameter \"match[]\": 1:1: parse error"),
        ("labels", ["start": "9", "end": "3"], 400, "bad_data", "end lies before start"),
        ("labels", ["limit": "x"], 400, "bad_data", "\"x\" is no number: limit takes 0"),
        ("rules", [:], 404, "not_found", "Nothing is served at /prometheus/api/v1/rules."),
        ("metadata", [:], 405, "bad_data", "POST is not supported here; use GET, HEAD"),
    ]

    @Test(arguments: errors.indices)
    func `errors have the form of Prometheus and say what to do`(index: Int) async throws {
        let (path, parameters, status, type, text) = Self.errors[index]
        let error = try await APIUnderTest().prometheusError(path, parameters, status: status)
        #expect(error.type == type)
        #expect(error.text.hasPrefix(text), "\(error.text)")
    }

    @Test func `names, values and series are those of what is stored`() async throws {
        let api = try await APIUnderTest(OrderTraffic.spans)
        let calls = "traces_spanmetrics_calls_total"
        #expect(
            try await api.prometheus("labels")
                == [
                    "__name__", "client", "connection_type", "le", "server", "service", "span_kind", "span_name",
                    "status_code",
                ]
        )
        #expect(
            try await api.prometheus("labels", ["match[]": calls])
                == ["__name__", "service", "span_kind", "span_name", "status_code"]
        )
        func values(_ query: String) async throws -> JSONValue {
            try await api.json("/prometheus/api/v1/label/\(query)")["data"]
        }
        #expect(try await values("service/values") == ["checkout", "web"])
        #expect(try await values("service/values?match[]=\(calls){span_name=%22POST%22}") == ["web"])
        #expect(try await values("service/values?start=\(OrderTraffic.end)&end=\(OrderTraffic.end + 60)") == [])
        #expect(try await values("nothing/values") == [])
        #expect(try await values("__name__/values").array.count == 12)
        #expect(
            try await values("le/values?match[]=traces_service_graph_request_client_seconds_bucket")
                == ["0.1", "0.2", "0.4", "0.8", "1.6", "3.2", "6.4", "12.8", "+Inf"]
        )
        let found = try await api.json(
            "/prometheus/api/v1/series?match[]=\(calls){service=%22web%22}&match[]=traces_service_graph_request_total"
        )
        #expect(found["data"].array.count == 4)
        #expect(
            found["data"][0] == [
                "__name__": .string(calls), "service": "web", "span_name": "POST", "span_kind": "SPAN_KIND_CLIENT",
                "status_code": "STATUS_CODE_UNSET",
            ]
        )
        let cut = try await api.json("/prometheus/api/v1/series?match[]=\(calls)&limit=2")
        #expect(cut["data"].array.count == 2)
        #expect(cut["warnings"] == ["There are 5, of which these are the first 2: narrow match[]."])
    }

    @Test func `exemplars name the traces that took longest`() async throws {
        let slow = OrderTraffic.order(minute: 2, trace: 0xabc).map { span in
            var span = span
            span.durationNanos *= 10
            return span
        }
        let api = try await APIUnderTest(OrderTraffic.spans + slow)
        let query =
            "histogram_quantile(0.9, sum(rate(traces_spanmetrics_latency_bucket{span_name=\"POST /order\"}[5m])) by (le))"
        let data = try await api.prometheus(
            "query_exemplars",
            ["query": query, "start": "\(OrderTraffic.start)", "end": "\(OrderTraffic.end)"]
        )
        #expect(data.array.map { $0["seriesLabels"]["le"] } == ["0.064", "1.024"])
        #expect(data[0]["exemplars"].array.count == 5)
        #expect(
            data[1]["exemplars"] == [
                [
                    "labels": ["trace_id": "00000000000000000000000000000abc"], "value": "0.6",
                    "timestamp": .int(Int64(OrderTraffic.start + 120)),
                ]
            ]
        )
        #expect(try await api.prometheus("query_exemplars", ["query": "1"]) == [])
    }

    @Test func `what is beyond the names that are counted says so`() {
        let row = RollupRow(
            OperationRollup(service: "a", operation: nil, kind: .client, status: .ok, durations: DurationDistribution())
        )
        #expect(
            LabelSet(row.key.labels).labels == [
                .init("otel_metric_overflow", "true"), .init("service", "a"), .init("span_kind", "SPAN_KIND_CLIENT"),
                .init("status_code", "STATUS_CODE_OK"),
            ]
        )
    }
}
