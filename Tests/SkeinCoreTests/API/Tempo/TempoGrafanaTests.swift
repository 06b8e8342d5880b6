// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinEngine
import SkeinModel
import SkeinStore
import SkeinTestKit
import SkeinWire
import Testing

@testable import SkeinAPI

/// What Grafana's Tempo data source and Traces Drilldown ask for, request by request, with what they get.
///
/// The answers are kept in `Tests/Golden/tempo/grafana.txt`; `SKEIN_GOLDEN=write` writes them anew. What an answer took to
/// find (`metrics`) is the store's own and not compared.
struct TempoGrafanaTests {
    private static let second = Shop.start / 1_000_000_000
    private static let range = "start=\(second)&end=\(second + 60)"
    private static let golden = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../Golden/tempo/grafana.txt").standardizedFileURL

    /// Two orders, of which one fails and one has no root yet.
    private static let spans: [SkeinModel.Span] = {
        let other = TraceID(high: 0, low: 0x2a)
        var late = Shop.span(12, parent: 11, trace: other, service: "checkout", name: "place order", at: 9_000_000_000)
        late.attributes = [Attribute("tier", "gold"), Attribute("retries", 2)]
        var stock = Shop.span(
            13,
            parent: 12,
            trace: other,
            service: "stock",
            name: "GET /stock/{id}",
            kind: .client,
            at: 9_100_000_000,
            lasting: 250_000_000
        )
        stock.attributes = [Attribute("ratio", 0.5), Attribute("cached", true)]
        return Shop.order + [late, stock]
    }()

    private static func query(_ path: String, _ text: String, _ more: String = "") -> String {
        let encoded = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return "\(path)?q=\(encoded)&\(range)\(more)"
    }

    private static let requests: [String] = [
        // The test of the data source, and what it decides its features by.
        "/api/echo",
        "/api/status/buildinfo",
        // The editor of searches.
        "/api/v2/search/tags?\(range)",
        "/api/v2/search/tags?scope=intrinsic",
        query("/api/v2/search/tag/resource.service.name/values", "{}"),
        query("/api/v2/search/tag/name/values", "{resource.service.name=\"checkout\" && }"),
        query("/api/v2/search/tag/span%253Aname/values", "{resource.service.name=\"checkout\" && span:name=}"),
        query("/api/v2/search/tag/status/values", "{status="),
        query("/api/v2/search/tag/span.http.status_code/values", "{status=error && span.http.status_code="),
        query("/api/search", "{resource.service.name=\"payment\" && status=error}", "&limit=20&spss=3"),
        query("/api/search", "{duration>100ms} | select(span.cached, resource.service.name, kind)", "&limit=20&spss=3"),
        query("/api/search", "{} | by(resource.service.name) | count() > 0", "&limit=20&spss=3"),
        // A trace that is there, one that is not, and the older version asked then.
        "/api/traces/000000000000000000000000000000\(String(0x2a, radix: 16))",
        "/api/v2/traces/2a",
        "/api/v2/traces/ffff",
        "/api/traces/ffff",
        // Traces Drilldown.
        query(
            "/api/metrics/query_range",
            "{nestedSetParent<0 && true} | rate() by(resource.service.name)",
            "&step=30s"
        ),
        query(
            "/api/metrics/query_range",
            "{nestedSetParent<0 && true && status=error} | rate() with(sample=true, exemplars=false)",
            "&step=30s"
        ),
        query("/api/metrics/query_range", "{true} | histogram_over_time(duration) with(exemplars=false)", "&step=30s"),
        query(
            "/api/metrics/query_range",
            "{true} | quantile_over_time(duration, 0.9) by (resource.service.name) with(exemplars=false)",
            "&step=30s"
        ),
        query("/api/metrics/query_range", "{true} | compare({status=error})", "&step=60s"),
        query("/api/metrics/query", "{} | count_over_time() by (status)"),
        query(
            "/api/search",
            "{nestedSetParent<0 && true} &>> {status=error} | "
                + "select(status, resource.service.name, name, nestedSetParent, nestedSetLeft, nestedSetRight)",
            "&limit=20&spss=20"
        ),
    ]

    /// Every request with its answer.
    private func walk(_ api: APIUnderTest) async throws -> [String] {
        var lines: [String] = []
        for request in Self.requests {
            let response = await api.askTempo(request)
            let text = String(decoding: response.bytes, as: UTF8.self)
                .replacing(/,"metrics":\{[^}]*\}/, with: "")
                .replacing("skein-0.1.0", with: "skein-VERSION")
            lines += ["> \(request)", "\(response.status) \(text)"]
        }
        return lines
    }

    /// Runs `body` with the stores that answers come from.
    private func withStores(_ body: (String, any SpanStore) async throws -> Void) async throws {
        // Two batches, as they came.
        let batches = [Self.spans[..<3], Self.spans[3...]].map { SpanBatch(spans: Array($0), receivedUnixNanos: 1) }
        let memory = MemoryStore()
        for batch in batches { try await memory.append(batch) }
        try await body("memory", memory)
        let embedded = try await EngineSupport.open(SimulatedDisk(seed: 1))
        try await embedded.append(batches[0])
        try await embedded.seal()
        try await embedded.append(batches[1])
        try await body("block and head", embedded)
        try await embedded.seal()
        try await body("blocks", embedded)
        await embedded.close()
    }

    @Test func `Grafana gets what it got before, whatever the store`() async throws {
        try await withStores { name, store in
            let lines = try await walk(APIUnderTest(over: store))
            if name == "memory", ProcessInfo.processInfo.environment["SKEIN_GOLDEN"] == "write" {
                try FileManager.default.createDirectory(
                    at: Self.golden.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try (lines.joined(separator: "\n") + "\n").write(to: Self.golden, atomically: true, encoding: .utf8)
            }
            let kept = try String(contentsOf: Self.golden, encoding: .utf8).split(separator: "\n").map(String.init)
            #expect(kept.count == lines.count)
            for (kept, line) in zip(kept, lines) { #expect(line == kept, "\(name)") }
        }
    }

    @Test func `a trace in protobuf is the trace, whatever the store`() async throws {
        try await withStores { name, store in
            let api = APIUnderTest(over: store)
            let answer = try await api.tempoMessage("/api/v2/traces/\(Shop.traceID)")
            #expect(answer.numbers == [1], "\(name)")
            let trace = await api.askTempo("/api/traces/\(Shop.traceID)", accept: "application/protobuf").bytes
            var decoder = OTLP.ProtobufDecoder()
            let decoded = try trace.withUnsafeBytes { try decoder.decode($0, receivedUnixNanos: 0) }
            #expect(Set(decoded.batch.spans) == Set(Shop.order), "\(name)")
            #expect(answer.messages(1) == [try ProtobufMessage(trace)], "\(name)")
            #expect(await api.askTempo("/api/v2/traces/ffff", accept: "application/protobuf").status == 404)
        }
    }
}
