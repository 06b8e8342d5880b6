// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Testing

@Suite struct StatisticsTests {
    @Test func `a service's statistics say rate, errors and durations, in all and by operation`() async throws {
        let api = try await APIUnderTest(
            Shop.order + [Shop.span(9, service: "payment", name: "refund", at: 90_000_000_000, lasting: 50_000_000)]
        )
        let range = "start=\(Shop.start + 1)&end=\(Shop.start + 119_000_000_000)"
        let answer = try await api.json("/api/skein/v1/services/payment/statistics?\(range)")
        #expect(answer["startTimeUnixNano"] == .string("\(Shop.start)"))
        #expect(answer["endTimeUnixNano"] == .string("\(Shop.start + 120_000_000_000)"))
        #expect(answer["slices"].array.count == 1)
        let slice = answer["slices"][0]
        #expect(slice["total"]["spanCount"] == 2 && slice["total"]["errorCount"] == 1)
        #expect(slice["total"]["spansPerSecond"] == .double(2.0 / 120))
        #expect(slice["total"]["sumNanos"] == "53000000")
        #expect(slice["operations"].array.map { $0["name"] } == ["charge", "refund"])
        #expect(slice["operations"][0]["kind"] == "server" && slice["operations"][0]["errorCount"] == 1)
        #expect(slice["operations"][0]["exemplar"] == .string(Shop.traceID.description))
        let p99 = try #require(slice["operations"][1]["p99Nanos"].string.flatMap(Double.init))
        #expect(abs(p99 - 5e7) <= 5e7 * 0.045)

        let cut = try await api.json("/api/skein/v1/services/payment/statistics?\(range)&step=1m")
        #expect(cut["slices"].array.map { $0["total"]["spanCount"] } == [1, 1])
        let whole = try await api.json("/api/skein/v1/services/web/statistics")
        #expect(whole["slices"][0]["total"]["spansPerSecond"] == nil)
        #expect(try await api.json("/api/skein/v1/services/nobody/statistics")["slices"] == [])
    }

    @Test(
        arguments: [
            ("step=x&end=9", "step"), ("step=0&end=9", "step"), ("step=1m", "end"), ("step=-1m&end=9", "step"),
            ("step=1&end=1795341600000000000", "step"), ("start=9&end=3", "end"),
        ]
    )
    func `a range or step out of bounds is refused`(query: String, field: String) async throws {
        let answer = try await APIUnderTest(Shop.order)
            .json("/api/skein/v1/services/web/statistics?\(query)", status: 400)
        #expect(answer["field"] == .string(field))
    }

    @Test func `the service graph names callers, called and what sends no spans`() async throws {
        var query = Shop.span(7, parent: 2, service: "checkout", name: "SELECT", kind: .client, lasting: 2_000_000)
        query.attributes = [Attribute("db.system", "postgresql"), Attribute("db.name", "orders")]
        let api = try await APIUnderTest(Shop.order + [query])
        let edges = try await api.json("/api/skein/v1/service-graph")["edges"]
        #expect(edges.array.map { $0["client"] } == ["checkout", "checkout", "web"])
        #expect(edges.array.map { $0["server"] } == ["orders", "payment", "checkout"])
        #expect(edges.array.map { $0["connectionType"] } == ["database", "", ""])
        #expect(edges.array.map { $0["callCount"] } == [1, 1, 1])
        #expect(edges.array.map { $0["errorCount"] } == [0, 1, 0])
        #expect(edges.array.map { $0["sumNanos"] } == ["2000000", "3000000", "7000000"])
        #expect(edges[0].keys.isSuperset(of: ["p50Nanos", "p95Nanos", "p99Nanos", "exemplar"]))
    }

    @Test func `dependencies are the calls between services`() async throws {
        var query = Shop.span(7, parent: 2, service: "checkout", kind: .client)
        query.attributes = [Attribute("peer.service", "maps")]
        var charge = Shop.order[2]
        charge.weight = 3
        let api = try await APIUnderTest([Shop.order[0], Shop.order[1], charge, query])
        let wanted: JSONValue = [
            ["parent": "checkout", "child": "payment", "callCount": 3],
            ["parent": "web", "child": "checkout", "callCount": 1],
        ]
        #expect(try await api.json("/api/dependencies")["data"] == wanted)
        #expect(try await api.json("/api/dependencies?service=web")["data"] == [wanted[1]])
        #expect(try await api.json("/api/dependencies?endTs=1000&lookback=1000")["data"] == [])
    }
}
