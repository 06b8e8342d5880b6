// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import Testing

/// What Grafana asks a Prometheus data source in the course of its service graph, and what it is told.
@Suite struct PrometheusGrafanaTests {
    /// The service graph: `$__range` is the range in seconds, and there is a query for the labels of each metric.
    static let serviceGraph: [(String, [String])] = [
        (
            "sum by (client, server) (rate(traces_service_graph_request_server_seconds_sum[600s]))",
            ["{client=\"checkout\",server=\"orders\"} 0.0001", "{client=\"web\",server=\"checkout\"} 0.0004"]
        ),
        (
            "sum by (client, server) (rate(traces_service_graph_request_total[600s]))",
            ["{client=\"checkout\",server=\"orders\"} 0.01", "{client=\"web\",server=\"checkout\"} 0.01"]
        ),
        (
            "sum by (client, server) (rate(traces_service_graph_request_failed_total[600s]))",
            ["{client=\"checkout\",server=\"orders\"} 0", "{client=\"web\",server=\"checkout\"} \(2.0 / 600)"]
        ),
        (
            // All nine buckets hold every request.
            "sum by (client, server) (rate(traces_service_graph_request_server_seconds_bucket[600s]))",
            ["{client=\"checkout\",server=\"orders\"} 0.09", "{client=\"web\",server=\"checkout\"} 0.09"]
        ),
        (
            "group by (client, connection_type, server) (traces_service_graph_request_total)",
            [
                "{client=\"checkout\",connection_type=\"database\",server=\"orders\"} 1",
                "{client=\"web\",server=\"checkout\"} 1",
            ]
        ),
        (
            "sum by (client, server) (rate(traces_service_graph_request_total{client=\"web\"}[600s])) OR "
                + "sum by (client, server) (rate(traces_service_graph_request_total{server=\"orders\"}[600s]))",
            ["{client=\"web\",server=\"checkout\"} 0.01", "{client=\"checkout\",server=\"orders\"} 0.01"]
        ),
        (
            "sum by (client, server, client_service_namespace, server_service_namespace) "
                + "(rate(traces_service_graph_request_total[600s]))",
            ["{client=\"checkout\",server=\"orders\"} 0.01", "{client=\"web\",server=\"checkout\"} 0.01"]
        ),
    ]

    /// The table below the graph: the busiest server spans, then how many of them fail and how long they take.
    static let table: [(String, [String])] = [
        (
            "topk(5, sum(rate(traces_spanmetrics_calls_total{span_kind=\"SPAN_KIND_SERVER\"}[600s])) by (span_name))",
            ["{span_name=\"place order\"} 0.01", "{span_name=\"POST /order\"} 0.01"]
        ),
        (
            "topk(5, sum(rate(traces_spanmetrics_calls_total{status_code=\"STATUS_CODE_ERROR\","
                + "span_name=~\"place order|POST /order\"}[600s])) by (span_name))",
            ["{span_name=\"place order\"} \(2.0 / 600)"]
        ),
        (
            "histogram_quantile(.9, sum(rate(traces_spanmetrics_latency_bucket{span_name=~\"place order\"}[600s])) by (le))",
            ["{} 0.0608"]
        ),
        (
            // What is special in regular expressions is escaped twice.
            "histogram_quantile(.9, sum(rate(traces_spanmetrics_latency_bucket{span_name=~\"GET /\\\\{id\\\\}\"}[600s])) by (le))",
            []
        ),
    ]

    /// Links from a node or an edge: `$__rate_interval` is Go's text of a duration.
    static let links: [(String, [String])] = [
        (
            "sum by (client, server)(rate(traces_service_graph_request_total{client=\"web\",server=\"checkout\"}[1m0s]))",
            ["{client=\"web\",server=\"checkout\"} \(1.0 / 60) \(1.0 / 60) 0"]
        ),
        (
            "histogram_quantile(0.9, sum(rate(traces_service_graph_request_server_seconds_bucket{server=\"checkout\"}[1m0s])) "
                + "by (le, client, server))",
            ["{client=\"web\",server=\"checkout\"} 0.09 0.09 NaN"]
        ),
        (
            "sum by (client, server)(rate(traces_service_graph_request_failed_total{server=\"checkout\"}[1m0s]))",
            ["{client=\"web\",server=\"checkout\"} 0 \(1.0 / 60) 0"]
        ),
        (
            "sum(rate(traces_spanmetrics_calls_total{span_name=\"place order\"}[1m0s]))",
            ["{} \(1.0 / 60) \(1.0 / 60) 0"]
        ),
    ]

    @Test(arguments: serviceGraph + table)
    func `the service graph view gets its figures`(query: String, samples: [String]) async throws {
        let api = try await APIUnderTest(OrderTraffic.spans)
        let found = APIUnderTest.rounded(try await api.samples(query))
        let samples = APIUnderTest.rounded(samples)
        // Operations that are equally busy come in no order.
        #expect(query.hasPrefix("topk") ? found.sorted() == samples.sorted() : found == samples)
    }

    @Test(arguments: links)
    func `links from the service graph get series`(query: String, series: [String]) async throws {
        let api = try await APIUnderTest(OrderTraffic.spans)
        let start = OrderTraffic.start
        #expect(try await api.series(query, from: start + 240, through: start + 480, step: 120) == series)
    }

    @Test func `the data source finds itself in good health`() async throws {
        let api = try await APIUnderTest()
        let answer = try await api.ask("/prometheus/api/v1/query?query=1%2B1&time=4")
        #expect(
            String(decoding: answer.bytes, as: UTF8.self)
                == #"{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}"#
        )
        let build = try await api.json("/prometheus/api/v1/status/buildinfo")["data"]
        #expect(build["version"] == "3.0.0" && build["revision"] == "skein-0.1.0")
        #expect(build.keys == ["version", "revision", "branch", "buildUser", "buildDate", "goVersion"])
        let metadata = try await api.json("/prometheus/api/v1/metadata?metric=traces_spanmetrics_latency")["data"]
        #expect(metadata.keys == ["traces_spanmetrics_latency"])
        #expect(metadata["traces_spanmetrics_latency"][0]["type"] == "histogram")
        #expect(try await api.json("/prometheus/api/v1/metadata?limit=2")["data"].keys.count == 2)
    }

    @Test func `the service graph sees whether there are metrics for it`() async throws {
        let wanted =
            "{__name__=~\"traces_service_graph_request_server_seconds_sum|traces_service_graph_request_total|"
            + "traces_service_graph_request_failed_total\"}"
        let full = try await APIUnderTest(OrderTraffic.spans)
        #expect(
            try await full.prometheus("labels", ["match[]": wanted])
                == ["__name__", "client", "connection_type", "server"]
        )
        #expect(try await APIUnderTest().prometheus("labels", ["match[]": wanted]) == [])
    }
}
