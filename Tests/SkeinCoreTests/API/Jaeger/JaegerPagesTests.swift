// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import Testing

/// What single pages of Jaeger's own ask for: archiving, the graph of deep dependencies, quality of instrumentation.
struct JaegerPagesTests {
    @Test func `archiving a trace says whether it is there`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let response = try await api.ask("/api/archive/\(Shop.traceID)", method: "POST")
        #expect(response.status == 200)
        #expect(
            String(decoding: response.bytes, as: UTF8.self)
                == #"{"data":[],"total":0,"limit":0,"offset":0,"errors":null}"#
        )
        #expect(try await api.ask("/api/archive/abc", method: "POST").status == 404)
        #expect(try await api.ask("/api/archive/xyz", method: "POST").status == 400)
        #expect(try await api.ask("/api/archive/\(Shop.traceID)").status == 405)
    }

    /// Each way as text.
    private func ways(_ answer: JSONValue) -> [String] {
        answer["dependencies"].array.map { way in
            way["path"].array.map { "\($0["service"].string ?? "?"):\($0["operation"].string ?? "?")" }
                .joined(separator: " > ")
        }
    }

    @Test(arguments: StoreUnderTest.allCases)
    func `deep dependencies are the ways through a service, each with its newest trace`(_ store: StoreUnderTest)
        async throws
    {
        let newer = TraceID(high: 0, low: 9)
        let spans =
            Shop.order + [
                Shop.span(4, parent: 2, service: "checkout", name: "ask stock", kind: .client, at: 3_000_000),
                Shop.span(5, parent: 4, service: "stock", name: "reserve", at: 3_100_000),
                // The same way as one above, and one of its own.
                Shop.span(11, trace: newer, name: "GET /checkout", at: 10_000_000),
                Shop.span(12, parent: 11, trace: newer, service: "checkout", name: "place order", at: 10_100_000),
                Shop.span(13, parent: 12, trace: newer, service: "stock", name: "reserve", at: 10_200_000),
                Shop.span(14, parent: 13, trace: newer, service: "stock", name: "inner", at: 10_300_000),
                // Its parent is not there.
                Shop.span(15, parent: 99, trace: newer, service: "stock", name: "late", at: 10_300_000),
            ]
        let api = try await store.api(spans)
        let stock = try await api.json("/api/deep-dependencies?service=stock&start=0&end=0")
        #expect(
            ways(stock).sorted() == [
                "stock:late", "web:GET /checkout > checkout:place order > stock:reserve",
            ]
        )
        #expect(
            stock["dependencies"].array.allSatisfy {
                $0["attributes"] == [["key": "exemplar_trace_id", "value": "0000000000000009"]]
            }
        )
        let late = try await api.json("/api/deep-dependencies?service=stock&operation=late")
        #expect(ways(late) == ["stock:late"])
        let payment = try await api.json("/api/deep-dependencies?service=payment")
        #expect(ways(payment) == ["web:GET /checkout > checkout:place order > payment:charge"])
        #expect(payment["dependencies"][0]["attributes"][0]["value"] == .string("\(Shop.traceID)"))
        #expect(ways(try await api.json("/api/deep-dependencies?service=web")).count == 2)
        #expect(try await api.json("/api/deep-dependencies?service=nobody") == ["dependencies": []])
        #expect(try await api.json("/api/deep-dependencies?service=stock&start=5&end=6") == ["dependencies": []])
        #expect(
            try await api.json("/api/deep-dependencies", status: 400)["errors"][0]["msg"]
                == "parameter 'service' is required"
        )
    }

    @Test func `quality metrics are well formed and empty`() async throws {
        let answer = try await APIUnderTest(Shop.order).json("/api/quality-metrics?service=web&hours=1")
        #expect(answer.keys == ["traceQualityDocumentationLink", "bannerText", "scores", "metrics"])
        #expect(answer["scores"] == [] && answer["metrics"] == [])
    }
}
