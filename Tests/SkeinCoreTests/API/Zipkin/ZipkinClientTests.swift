// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import Testing

/// What Zipkin's page and Grafana's Zipkin data source ask for.
struct ZipkinClientTests {
    private static let millis = APIUnderTest.now / 1_000_000

    private static let walks = [
        ClientWalk(
            file: "zipkin/grafana.txt",
            family: .zipkin,
            requests: [
                "/api/v2/services", "/api/v2/spans?serviceName=back%2Fend",
                "/api/v2/traces?serviceName=back%2Fend&spanName=post&endTs=\(millis)&lookback=3600000",
                "/api/v2/trace/000000000000002a", "/api/v2/trace/\(Shop.traceID)", "/api/v2/trace/beef",
            ]
        ),
        // Zipkin's page is mounted below /zipkin, and so is what it asks.
        ClientWalk(
            file: "zipkin/page.txt",
            family: .zipkin,
            requests: [
                "/zipkin/config.json", "/zipkin/api/v2/services", "/zipkin/api/v2/spans?serviceName=front",
                "/zipkin/api/v2/remoteServices?serviceName=front", "/zipkin/api/v2/autocompleteKeys",
                "/zipkin/api/v2/autocompleteValues?key=user.id",
                "/zipkin/api/v2/traces?serviceName=payment&annotationQuery=error%20and%20user.id%3Dabc123&endTs=\(millis)&"
                    + "lookback=900000&limit=10",
                "/zipkin/api/v2/traces?remoteServiceName=back%2Fend&serviceName=front&minDuration=1000&maxDuration=1000&"
                    + "endTs=\(millis)&lookback=900000&limit=10",
                "/zipkin/api/v2/trace/2a", "/zipkin/api/v2/traceMany?traceIds=2a,\(Shop.traceID)",
                "/zipkin/api/v2/dependencies?endTs=\(millis)&lookback=86400000", "/health", "/info",
            ]
        ),
    ]

    @Test(arguments: walks.indices, StoreUnderTest.allCases)
    func `a client gets what it got before, whatever the store`(walk: Int, store: StoreUnderTest) async throws {
        try await Self.walks[walk].check(store)
    }
}
