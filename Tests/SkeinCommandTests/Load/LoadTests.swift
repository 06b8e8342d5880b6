// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import SkeinBase
import SkeinModel
import Testing

@testable import SkeinCommand

@Suite struct LoadTests {
    static func visits(_ count: Int, seed: UInt64) -> [[SkeinModel.Span]] {
        var traffic = ShopTraffic(seed: seed)
        return (0..<count).map { _ in traffic.visit(endUnixNanos: 1_763_853_001_000_000_000) }
    }

    @Test func `the same seed makes the same traces`() {
        #expect(Self.visits(50, seed: 7) == Self.visits(50, seed: 7))
        #expect(Self.visits(5, seed: 7) != Self.visits(5, seed: 8))
    }

    @Test func `every trace is whole and its spans end in time`() {
        for visit in Self.visits(500, seed: 1) {
            for (_, spans) in Dictionary(grouping: visit, by: \.traceID) {
                let ids = Set(spans.map(\.spanID))
                #expect(ids.count == spans.count)
                #expect(spans.count { $0.parentSpanID == .zero } == 1)
                #expect(spans.allSatisfy { $0.parentSpanID == .zero || ids.contains($0.parentSpanID) })
            }
            #expect(visit.allSatisfy { $0.endUnixNanos <= 1_763_853_001_000_000_000 })
        }
    }

    @Test func `traffic is like that of a real shop`() {
        let spans = Self.visits(2_000, seed: 3).flatMap { $0 }
        #expect(Set(spans.map(\.resource.serviceName)).count == 11)
        let failed = Double(spans.count { $0.status.code == .error }) / Double(spans.count)
        #expect((0.005...0.08).contains(failed))
        #expect((8...30).contains(spans.count / 2_000))
        #expect(spans.contains { !$0.links.isEmpty })
        #expect(spans.contains { $0.events.contains { $0.name == "exception" } })
        #expect(Set(spans.map(\.kind)).isSuperset(of: [.internal, .server, .client, .producer, .consumer]))
        let failures = spans.filter { $0.status.code == .error }
        #expect(failures.allSatisfy { !$0.status.message.isEmpty })
    }

    @Test func `an endpoint without a path gets the one of OTLP`() {
        #expect(Load.url("http://127.0.0.1:4318") == "http://127.0.0.1:4318/v1/traces")
        #expect(Load.url("http://127.0.0.1:4318/") == "http://127.0.0.1:4318/v1/traces")
        #expect(Load.url("localhost:4318") == "http://localhost:4318/v1/traces")
        #expect(Load.url("https://x/y/v1/traces") == "https://x/y/v1/traces")
        #expect(Load.url("ftp://x") == nil)
        #expect(Load.url("http://") == nil)
    }

    @Test func `arguments out of range are refused`() {
        for arguments in [
            ["--traces", "0"], ["--seconds", "0"], ["--seconds", "nan"], ["--rate", "-1"], ["--concurrency", "0"],
            ["--traces", "1", "--seconds", "1"], ["--endpoint", "gopher://x"],
        ] { #expect(throws: (any Error).self) { try Load.parse(arguments) } }
        for arguments in [["--limit", "0"], ["--since", "5"], ["--since", "1h", "--from", "0"]] {
            #expect(throws: (any Error).self) { try Query.parse(arguments) }
        }
        for arguments in [["xyz"], [""], ["0af7", "--limit", "-1"], [String(repeating: "a", count: 33)]] {
            #expect(throws: (any Error).self) { try Trace.parse(arguments) }
        }
        #expect(throws: Never.self) { try Trace.parse(["0AF7"]) }
    }

    @Test func `latencies are told to a thirty-second part, the greatest exactly`() {
        var latencies = LatencyHistogram()
        #expect(latencies.quantile(0.5) == 0 && latencies.max == 0)
        var all: [UInt64] = [0, 1, 31, 32, 33, 63, 64, 65, 1 << 40, .max]
        var random = SeededRandom(seed: 19)
        for _ in 0..<2_000 { all.append(random.next() >> UInt64.random(in: 0...63, using: &random)) }
        for nanos in all { latencies.add(nanos) }
        all.sort()
        for share in [0, 0.001, 0.1, 0.5, 0.9, 0.95, 0.999, 1] {
            let exact = all[min(Int(Double(all.count) * share), all.count - 1)]
            let told = latencies.quantile(share)
            #expect(told >= exact && told - exact <= exact / 32, "\(share): \(told) for \(exact)")
        }
        #expect(latencies.max == .max && latencies.count == all.count)
    }

    @Test func `a run reports what became of it`() {
        var report = LoadReport()
        #expect(report.spansPerSecond == 0)
        report.acceptedSpans = 1_000
        report.elapsedNanos = 2_000_000_000
        #expect(report.spansPerSecond == 500)
        report.rejectedSpans = 3
        report.failures = ["the server answered 500": 2]
        let lines = report.summary(on: Terminal(width: 80, hasColor: false, hasUnicode: true))
        #expect(lines.contains("3 spans rejected by the server"))
        #expect(lines.contains("2 requests failed: the server answered 500"))
    }
}
