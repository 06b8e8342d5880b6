// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Testing

/// What queries come to over ``OrderTraffic``: six orders a minute apart, of which the last two fail.
@Suite struct PrometheusQueryTests {
    private static let calls = "traces_spanmetrics_calls_total"
    private static let requests = "traces_service_graph_request_total"
    private static let failed = "traces_service_graph_request_failed_total"
    private static let web = "client=\"web\",server=\"checkout\""

    /// A query at the end of the ten minutes, and its samples.
    static let queries: [(String, [String])] = [
        ("1 + 1", ["2"]), ("2 / 4 - -1 * 3", ["3.5"]), ("1 > bool 2", ["0"]), ("-1 / 0", ["-Inf"]), ("0 / 0", ["NaN"]),
        ("vector(3)", ["{} 3"]),
        // All that was counted
        (
            requests,
            [
                "{__name__=\"\(requests)\",client=\"checkout\",connection_type=\"database\",server=\"orders\"} 6",
                "{__name__=\"\(requests)\",client=\"web\",server=\"checkout\"} 6",
            ]
        ),
        ("\(requests){connection_type=\"\"}", ["{__name__=\"\(requests)\",\(web)} 6"]),
        (
            "\(requests){client!=\"web\",server=~\"ord.*\"} * 2",
            ["{client=\"checkout\",connection_type=\"database\",server=\"orders\"} 12"]
        ),
        ("\(requests){server=~\"ord\"}", []), ("\(requests){client=\"nobody\"}", []), ("nothing", []),
        ("\(requests){server!~\"o.*\"} offset 5m", ["{__name__=\"\(requests)\",\(web)} 5"]),
        ("\(requests){server!~\"o.*\"} offset 11m", []),
        (
            "sum by (status_code) (\(calls){service=\"checkout\"})",
            ["{status_code=\"STATUS_CODE_UNSET\"} 10", "{status_code=\"STATUS_CODE_ERROR\"} 2"]
        ),
        // What was counted in a time
        ("sum(increase(\(calls)[10m]))", ["{} 24"]), ("sum(rate(\(calls)[10m]))", ["{} 0.04"]),
        ("sum(increase(\(calls)[5m]))", ["{} 4"]), ("sum(increase(\(calls)[5m] offset 5m))", ["{} 20"]),
        ("increase(\(failed){client=\"web\"}[10m])", ["{\(web)} 2"]),
        // Ratios
        (
            "sum by (client, server) (rate(\(failed)[10m])) / sum by (client, server) (rate(\(requests)[10m]))",
            ["{client=\"checkout\",server=\"orders\"} 0", "{\(web)} 0.3333333333333333"]
        ),
        ("\(failed) / \(requests) > 0", ["{\(web)} 0.3333333333333333"]),
        ("\(failed) / on (client) \(requests)", ["{client=\"checkout\"} 0", "{client=\"web\"} 0.3333333333333333"]),
        (
            "\(failed) / ignoring (server) \(requests)",
            ["{client=\"checkout\",connection_type=\"database\"} 0", "{client=\"web\"} 0.3333333333333333"]
        ),
        (
            "\(failed) > bool 1",
            ["{client=\"checkout\",connection_type=\"database\",server=\"orders\"} 0", "{\(web)} 1"]
        ),
        ("1 < \(failed)", ["{__name__=\"\(failed)\",\(web)} 2"]),
        (
            "sum(rate(traces_service_graph_request_server_seconds_sum{client=\"web\"}[10m])) "
                + "/ sum(rate(traces_service_graph_request_server_seconds_count{client=\"web\"}[10m]))",
            ["{} 0.04"]
        ),
        // Groups
        ("count(\(calls))", ["{} 5"]), ("max(\(calls))", ["{} 6"]), ("min(\(calls))", ["{} 2"]),
        ("avg(\(calls))", ["{} 4.8"]),
        ("group by (service) (\(calls))", ["{service=\"checkout\"} 1", "{service=\"web\"} 1"]),
        (
            "count without (span_name, status_code, span_kind) (\(calls))",
            ["{service=\"checkout\"} 3", "{service=\"web\"} 2"]
        ),
        ("topk(1, sum by (service) (\(calls) * 2))", ["{service=\"checkout\"} 24"]),
        ("bottomk(1, sum by (status_code) (\(calls)))", ["{status_code=\"STATUS_CODE_ERROR\"} 2"]),
        ("topk by (service) (0, \(calls))", []), ("topk(0/0, \(calls))", []),
        // Sets
        ("sum(\(failed){client=\"nobody\"}) or vector(0)", ["{} 0"]), ("sum(\(failed)) or vector(0)", ["{} 2"]),
        (
            "\(requests) unless on (client) \(calls){service=\"x\"} or vector(1)",
            [
                "{__name__=\"\(requests)\",client=\"checkout\",connection_type=\"database\",server=\"orders\"} 6",
                "{__name__=\"\(requests)\",\(web)} 6", "{} 1",
            ]
        ),
        ("sum by (client) (\(requests)) and sum by (client) (\(failed) > 0)", ["{client=\"web\"} 6"]),
        // Histograms: 40 ms lie between 32 ms and 64 ms, and below 100 ms
        (
            "histogram_quantile(0.5, sum by (le) (rate(traces_spanmetrics_latency_bucket{span_name=\"place order\"}[10m])))",
            ["{} 0.048"]
        ),
        (
            "histogram_quantile(0.9, sum by (le, server) (rate(traces_service_graph_request_server_seconds_bucket[10m])))",
            ["{server=\"orders\"} 0.09", "{server=\"checkout\"} 0.09"]
        ),
        (
            "histogram_quantile(2, rate(traces_service_graph_request_client_seconds_bucket{client=\"web\"}[10m]))",
            ["{\(web)} +Inf"]
        ),
        ("histogram_quantile(0.5, \(calls))", []),
        (
            "traces_spanmetrics_latency_bucket{span_name=\"SELECT\",le=~\"0.00[48]|0.016|[+]Inf\"}",
            ["0.004", "0.008", "0.016", "+Inf"].map {
                "{__name__=\"traces_spanmetrics_latency_bucket\",le=\"\($0)\",service=\"checkout\",span_kind=\"SPAN_KIND_CLIENT\",span_name=\"SELECT\",status_code=\"STATUS_CODE_UNSET\"} \($0.hasPrefix("0.00") ? 0 : 6)"
            }
        ),
        ("sum(increase(traces_spanmetrics_latency_bucket{le=\"+Inf\"}[10m]))", ["{} 24"]),
        ("sum(traces_spanmetrics_latency_bucket{le=~\"0.064|[+]Inf\"})", ["{} 48"]),
    ]

    @Test(arguments: queries)
    func `a query at a moment comes to what the spans say`(query: String, samples: [String]) async throws {
        let api = try await APIUnderTest(OrderTraffic.spans)
        #expect(APIUnderTest.rounded(try await api.samples(query)) == APIUnderTest.rounded(samples))
    }

    @Test func `a query over time has a value for each step`() async throws {
        let api = try await APIUnderTest(OrderTraffic.spans)
        let start = OrderTraffic.start
        let query = "sum by (client) (increase(\(Self.requests){client=\"web\"}[1m]))"
        #expect(
            try await api.series(query, from: start, through: start + 480, step: 60) == [
                "{client=\"web\"} 0 1 1 1 1 1 1 0 0"
            ]
        )
        // The total is there from the first span on.
        #expect(
            try await api.series("\(Self.requests){client=\"web\"}", from: start - 60, through: start + 180, step: 60)
                == [
                    "{__name__=\"\(Self.requests)\",\(Self.web)} - - 1 2 3"
                ]
        )
        #expect(try await api.series("1 + 1", from: start, through: start + 2, step: 1) == ["{} 2 2 2"])
        // Filters leave gaps.
        #expect(
            try await api.series("sum(rate(\(Self.calls)[1m])) > 0", from: start, through: start + 420, step: 60) == [
                "{} - \(Array(repeating: 4.0 / 60, count: 6).map { "\($0)" }.joined(separator: " ")) -"
            ]
        )
        #expect(try await api.series("nothing", from: start, through: start + 60, step: 60) == [])
    }

    @Test func `what has no spans in any window is no series`() async throws {
        let api = try await APIUnderTest(OrderTraffic.spans)
        let query = "increase(\(Self.requests){client=\"web\"}[1m])"
        let end = OrderTraffic.end
        #expect(try await api.series(query, from: end - 180, through: end, step: 60) == [])
        #expect(try await api.series(query, from: end - 240, through: end - 180, step: 60) == ["{\(Self.web)} 1 0"])
    }

    @Test func `topk over time keeps the series that lead at each step`() async throws {
        let spans = (0..<3).flatMap { OrderTraffic.order(minute: 0, trace: 100 + $0) }
        let refund = (0..<5).map {
            Shop.span(1, trace: TraceID(high: 1, low: $0 + 1), service: "refund", at: OrderTraffic.minuteNanos)
        }
        let api = try await APIUnderTest(spans + refund)
        let found = try await api.series(
            "topk(1, sum by (service) (increase(\(Self.calls)[1m])))",
            from: OrderTraffic.start + 60,
            through: OrderTraffic.start + 120,
            step: 60
        )
        #expect(found.sorted() == ["{service=\"checkout\"} 6 -", "{service=\"refund\"} - 5"])
    }

    @Test func `windows are whole minutes, and rates are over as long as they are`() async throws {
        let api = try await APIUnderTest(OrderTraffic.spans)
        let query = "sum(rate(\(Self.requests){client=\"web\"}[1m]))"
        // From 09:51:00 up to 09:53:00: two orders in 120 seconds.
        #expect(try await api.samples(query, at: OrderTraffic.start + 150) == ["{} \(2.0 / 120)"])
        #expect(try await api.samples(query, at: OrderTraffic.start + 180) == ["{} \(1.0 / 60)"])
        // An increase is of as long as was asked for.
        let increase = "sum(increase(\(Self.requests){client=\"web\"}[1m]))"
        #expect(try await api.samples(increase, at: OrderTraffic.start + 150) == ["{} 1"])
        // A longer window begins at the minute nearest to its begin: from 09:51:00 up to 09:57:00.
        let longer = "sum(rate(\(Self.requests){client=\"web\"}[5m15s]))"
        #expect(try await api.samples(longer, at: OrderTraffic.start + 390) == ["{} \(5.0 / 360)"])
    }

    @Test func `the minute that is not over counts as long as it lasted`() async throws {
        let store = try await APIUnderTest(OrderTraffic.order(minute: 9, trace: 1)).store
        let api = APIUnderTest(over: store, at: APIUnderTest.now - 30_000_000_000)
        let query = "sum(rate(\(Self.requests){client=\"web\"}[1m]))"
        #expect(try await api.samples(query, at: OrderTraffic.end - 30) == ["{} \(1.0 / 90)"])
    }

    @Test func `spans count by their weight`() async throws {
        var span = Shop.span(1)
        span.weight = 2.5
        let api = try await APIUnderTest([span])
        #expect(try await api.samples("sum(increase(\(Self.calls)[10m]))") == ["{} 2.5"])
    }

    @Test func `series of equal labels on one side are refused with what to do`() async throws {
        let api = try await APIUnderTest(OrderTraffic.spans)
        let error = try await api.prometheusError(
            "query",
            ["query": "\(Self.failed) / on (connection_type) \(Self.calls)"],
            status: 422
        )
        #expect(error.type == "execution")
        #expect(
            error.text
                == "Several series on the right of / have the labels {}: name more labels in on (…), or aggregate that "
                + "side with sum by (…)."
        )
    }

    @Test func `a query that makes too many samples is refused`() async throws {
        let spans = (0..<400).map { Shop.span(1, trace: TraceID(high: 2, low: $0 + 1), name: "op \($0)") }
        let api = try await APIUnderTest(spans)
        let error = try await api.prometheusError(
            "query_range",
            ["query": Self.calls, "start": "1795330000", "end": "1795340999", "step": "1"],
            status: 422
        )
        #expect(error.type == "execution" && error.text.contains("4000000 samples, which is the limit"))
    }
}
