// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinPipeline
import SkeinStore
import Testing

@Suite struct SpanMetricsExpositionTests {
    private func text(
        _ exposition: SpanMetricsExposition,
        _ store: any SpanStore,
        _ format: PrometheusText.Format = .plain
    ) async -> [String] {
        var text = PrometheusText(format)
        await exposition.write(store, now: APIUnderTest.now, to: &text)
        text.finish()
        return text.text.split(separator: "\n").map(String.init)
    }

    private func store(_ spans: [SkeinModel.Span]) async throws -> MemoryStore {
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: spans, receivedUnixNanos: 0))
        return store
    }

    @Test func `everything that is kept is told as Prometheus reads it`() async throws {
        let found = await text(SpanMetricsExposition(), try await store(OrderTraffic.order(minute: 0, trace: 1)))
        let place =
            #"service="checkout",span_name="place order",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_UNSET""#
        let web = #"client="web",server="checkout",connection_type="""#
        let orders = #"client="checkout",server="orders",connection_type="database""#
        #expect(
            found.filter { $0.hasPrefix("#") && $0.contains(" TYPE ") } == [
                "# TYPE skein_span_metrics_missing gauge", "# TYPE skein_span_metrics_overflow gauge",
                "# TYPE traces_spanmetrics_calls_total counter", "# TYPE traces_spanmetrics_latency histogram",
                "# TYPE traces_service_graph_request_total counter",
                "# TYPE traces_service_graph_request_failed_total counter",
                "# TYPE traces_service_graph_request_server_seconds histogram",
                "# TYPE traces_service_graph_request_client_seconds histogram",
            ]
        )
        #expect(found.contains("traces_spanmetrics_calls_total{\(place)} 1"))
        let latencies = found.filter { $0.hasPrefix("traces_spanmetrics_latency") && $0.contains("place order") }
        let bounds = [
            "0.002", "0.004", "0.008", "0.016", "0.032", "0.064", "0.128", "0.256", "0.512", "1.024", "2.048", "4.096",
            "8.192", "16.384", "+Inf",
        ]
        #expect(
            latencies == bounds.enumerated().map { index, bound in
                "traces_spanmetrics_latency_bucket{\(place),le=\"\(bound)\"} \(index < 5 ? 0 : 1)"
            } + ["traces_spanmetrics_latency_sum{\(place)} 0.04", "traces_spanmetrics_latency_count{\(place)} 1"]
        )
        #expect(
            found.filter { $0.hasPrefix("traces_service_graph_request_") && !$0.contains("_bucket") } == [
                "traces_service_graph_request_total{\(orders)} 1", "traces_service_graph_request_total{\(web)} 1",
                "traces_service_graph_request_failed_total{\(orders)} 0",
                "traces_service_graph_request_failed_total{\(web)} 0",
                "traces_service_graph_request_server_seconds_sum{\(orders)} 0.01",
                "traces_service_graph_request_server_seconds_count{\(orders)} 1",
                "traces_service_graph_request_server_seconds_sum{\(web)} 0.04",
                "traces_service_graph_request_server_seconds_count{\(web)} 1",
                "traces_service_graph_request_client_seconds_sum{\(orders)} 0.01",
                "traces_service_graph_request_client_seconds_count{\(orders)} 1",
                "traces_service_graph_request_client_seconds_sum{\(web)} 0.05",
                "traces_service_graph_request_client_seconds_count{\(web)} 1",
            ]
        )
        #expect(!found.contains { $0.contains("trace_id") })
    }

    @Test func `OpenMetrics has exemplars of the last minutes, and an end`() async throws {
        let spans = OrderTraffic.order(minute: 0, trace: 1) + OrderTraffic.order(minute: 9, trace: 0xf)
        let found = await text(SpanMetricsExposition(), try await store(spans), .openMetrics)
        #expect(found.contains("# TYPE traces_spanmetrics_calls counter"))
        #expect(found.last == "# EOF")
        let exemplars = found.filter { $0.contains("place order") && $0.contains(" # ") }
        #expect(exemplars.count == 1)
        #expect(
            exemplars.first?.hasSuffix(#"le="0.064"} 2 # {trace_id="0000000000000000000000000000000f"} 0.04"#) == true
        )
    }

    @Test func `the values of labels are escaped`() async throws {
        let found = await text(SpanMetricsExposition(), try await store([Shop.span(1, name: "a\"b\\c\nd")]))
        #expect(found.contains { $0.contains(#"span_name="a\"b\\c\nd""#) })
    }

    @Test func `a counter never falls, whatever the store forgets`() async throws {
        let exposition = SpanMetricsExposition()
        let label = #"span_name="place order""#
        func count(_ store: any SpanStore) async -> [String] {
            await text(exposition, store)
                .filter {
                    $0.contains(label) && ($0.hasPrefix("traces_spanmetrics_calls") || $0.contains("latency_count"))
                }
                .map { String($0.split(separator: " ").last ?? "") }
        }
        let orders = (0..<5).map { OrderTraffic.order(minute: $0, trace: $0 + 1) }
        #expect(await count(try await store(Array(orders[..<3].joined()))) == ["3", "3"])
        #expect(await count(try await store(orders[0])) == ["3", "3"])
        #expect(await count(try await store(Array(orders[..<2].joined()))) == ["4", "4"])
        #expect(await count(MemoryStore()) == ["4", "4"])
    }

    @Test func `what is beyond the limit is one series for good`() async throws {
        let exposition = SpanMetricsExposition(labelSetCountMax: 2)
        func calls(_ counts: KeyValuePairs<String, Int>) async throws -> [String] {
            var spans: [SkeinModel.Span] = []
            for (name, count) in counts {
                for _ in 0..<count {
                    spans.append(Shop.span(1, trace: TraceID(high: 3, low: UInt64(spans.count) + 1), name: name))
                }
            }
            return await text(exposition, try await store(spans)).filter { line in
                line.hasPrefix("traces_spanmetrics_calls_total{") || line.hasPrefix("skein_span_metrics_overflow ")
            }.map {
                $0.replacing("traces_spanmetrics_calls_total", with: "")
                    .replacing(#"service="web",span_name="#, with: "")
                    .replacing(#",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_UNSET""#, with: "")
            }
        }
        #expect(
            try await calls(["a": 1, "b": 3, "c": 2, "d": 1]) == [
                "skein_span_metrics_overflow 2", #"{"b"} 3"#, #"{"c"} 2"#, #"{otel_metric_overflow="true"} 2"#,
            ]
        )
        #expect(
            try await calls(["a": 9, "b": 3, "c": 2, "d": 1]) == [
                "skein_span_metrics_overflow 2", #"{"b"} 3"#, #"{"c"} 2"#, #"{otel_metric_overflow="true"} 10"#,
            ]
        )
    }

    @Test(
        arguments: [
            (nil, .plain), ("*/*", .plain), ("text/plain", .plain), ("application/json", .plain),
            ("application/openmetrics-text", .openMetrics), ("text/plain, application/openmetrics-text;q=0.9", .plain),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
                    + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2", .openMetrics
            ),
            ("application/openmetrics-text;q=0", .plain), ("a;;,q=", .plain),
        ] as [(String?, PrometheusText.Format)]
    )
    func `a scraper gets the format that it reads best`(accept: String?, format: PrometheusText.Format) {
        #expect(PrometheusText.Format(accept: accept) == format)
    }
}
