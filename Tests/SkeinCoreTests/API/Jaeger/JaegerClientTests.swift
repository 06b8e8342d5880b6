// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Testing

/// What Jaeger's page and Grafana's Jaeger data source ask for, by version.
struct JaegerClientTests {
    private static let id = "\(Shop.traceID)"
    /// The hour before now, in microseconds.
    private static let micros = "start=1795338000000000&end=1795341600000000"
    private static let millis = APIUnderTest.now / 1_000_000

    private static let walks = [
        // Menus, a search, a trace from it and one by its id, a link to a trace that is gone, the node graph.
        ClientWalk(
            file: "jaeger/grafana.txt",
            requests: [
                "/api/services", "/api/services/Back%2FEnd/operations", "/api/services/web/operations",
                "/api/traces?limit=20&minDuration=1ms&service=payment&tags=%7B%22error%22%3A%22true%22%7D",
                "/api/traces?limit=20&operation=send&service=Back%2FEnd", "/api/traces?limit=20&service=nobody",
                "/api/traces/\(id)", "/api/traces/2a?end=1795341600000000&start=1795338000000000", "/api/traces/beef",
                "/api/dependencies?endTs=\(millis)&lookback=3600000",
            ]
        ),
        // The same with `jaegerEnableGrpcEndpoint`: old names, and times as they are, zone and all.
        ClientWalk(
            file: "jaeger/grafana-v3.txt",
            requests: [
                "/api/v3/services", "/api/v3/operations?service=Back%2FEnd",
                "/api/v3/traces?query.attributes=%7B%22error%22%3A%22true%22%7D&query.duration_min=1ms&"
                    + "query.service_name=payment&query.start_time_min=2026-11-22T10:00:00+01:00&"
                    + "query.start_time_max=2026-11-22T11:00:00.5+01:00",
                "/api/v3/traces?query.service_name=nobody&query.start_time_min=2026-11-22T09:00:00Z&"
                    + "query.start_time_max=2026-11-22T10:00:00Z",
                "/api/v3/traces/2a",
                "/api/v3/traces/\(id)?start_time=2026-11-22T10:00:00+01:00&end_time=2026-11-22T11:00:00+01:00",
                "/api/v3/traces/beef", "/api/dependencies?endTs=\(millis)&lookback=3600000",
            ]
        ),
        // Jaeger's page up to 2.14: all of it asks version 1.
        ClientWalk(
            file: "jaeger/page-v1.txt",
            requests: [
                "/api/services", "/api/services/Front/operations", "/api/operations?service=web&spanKind=server",
                "/api/traces?\(micros)&limit=20&lookback=1h&maxDuration&minDuration&service=Back%2FEnd",
                "/api/traces?traceID=\(id)&traceID=beef", "/api/traces/000000000000002a",
                "/api/traces/2a?raw=true&prettyPrint=true",
                "POST /api/archive/\(id)", "/api/dependencies?endTs=\(millis)&lookback=604800000",
                "/api/metrics/latencies?service=payment&quantile=0.95&endTs=\(millis)&lookback=720000&step=360000&"
                    + "ratePer=600000&spanKind=server&groupByOperation=false",
                "/api/metrics/calls?service=payment,service=Back/End&endTs=\(millis)&lookback=720000&step=360000&"
                    + "ratePer=600000&spanKind=server&groupByOperation=true",
                "/api/metrics/errors?service=web&endTs=\(millis)&lookback=720000&step=360000&ratePer=600000&spanKind=server",
                "/api/deep-dependencies?end=0&service=payment&start=0", "/api/quality-metrics?hours=1&service=payment",
            ]
        ),
        // From 2.15 on menus, from 2.19 on the search page, and then the page of a trace ask version 3.
        ClientWalk(
            file: "jaeger/page-v3.txt",
            requests: [
                "/api/v3/services", "/api/v3/operations?service=Back%2FEnd", "/api/v3/capabilities",
                "/api/v3/trace-summaries?query.service_name=Back%2FEnd&query.span_name=send&"
                    + "query.start_time_min=2026-11-22T09%3A00%3A00.000Z&query.start_time_max=2026-11-22T10%3A00%3A00.000Z&"
                    + "query.num_traces=20",
                "/api/v3/trace-summaries?query.startTimeMin=2026-11-22T09%3A00%3A00.000Z&"
                    + "query.startTimeMax=2026-11-22T10%3A00%3A00.000Z&query.searchDepth=20&"
                    + "query.attributes=%7B%22error%22%3A%22true%22%7D",
                "/api/v3/trace-summaries?query.serviceName=nobody&query.startTimeMin=2026-11-22T09%3A00%3A00.000Z&"
                    + "query.startTimeMax=2026-11-22T10%3A00%3A00.000Z",
                "/api/v3/traces/0000000000000000000000000000002a", "/api/v3/traces/\(id)", "/api/v3/traces/beef",
                "/api/v3/dependencies?startTime=2026-11-22T09%3A00%3A00Z&endTime=2026-11-22T10%3A00%3A00Z",
            ]
        ),
    ]

    @Test(arguments: walks.indices, StoreUnderTest.allCases)
    func `a client gets what it got before, whatever the store`(walk: Int, store: StoreUnderTest) async throws {
        try await Self.walks[walk].check(store)
    }
}
