// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinBase
import SkeinModel
import Testing

@Suite struct TraceAnalysisTests {
    static let trace = "/api/skein/v1/traces/\(Shop.traceID)"

    @Test func `the critical path is segments in order of time, and who they belong to`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let answer = try await api.json("\(Self.trace)/critical-path")
        func moment(_ millis: UInt64) -> JSONValue { .string("\(Shop.start + millis * 1_000_000)") }
        #expect(answer["traceId"] == .string("\(Shop.traceID)"))
        #expect(answer["startTimeUnixNano"] == moment(0))
        #expect(answer["durationNanos"] == "9000000")
        let segments: [(String, UInt64, UInt64)] = [("1", 0, 1), ("2", 1, 2), ("3", 2, 5), ("2", 5, 8), ("1", 8, 9)]
        let wanted = segments.map { id, start, end -> JSONValue in
            let spanID = JSONValue.string("000000000000000\(id)")
            return ["spanId": spanID, "startTimeUnixNano": moment(start), "endTimeUnixNano": moment(end)]
        }
        #expect(answer["segments"].array == wanted)
        #expect(answer["operations"].array.map { $0["service"] } == ["checkout", "payment", "web"])
        #expect(answer["operations"].array.map { $0["pathNanos"] } == ["4000000", "3000000", "2000000"])
        #expect(answer["operations"][1]["share"] == .double(1.0 / 3))
    }

    @Test func `a trace that is not there, and a parameter that is not taken, are refused`() async throws {
        let api = try await APIUnderTest(Shop.order)
        #expect(try await api.json("/api/skein/v1/traces/77/critical-path", status: 404)["code"] == "unknown-trace")
        #expect(try await api.json("\(Self.trace)/critical-path?q=1", status: 400)["field"] == "q")
    }

    @Test func `a path of 100,000 spans is answered, and refused where memory cannot hold it`() async throws {
        let store = OneTraceStore(batch: LargeTraceTests.batch(of: 100_000))
        let answer = try await APIUnderTest(over: store).json("\(Self.trace)/critical-path")
        #expect(answer["segments"].array.count > 1)
        let small = APIUnderTest(over: store, answers: ByteBudget(limit: 1 << 20))
        #expect(try await small.json("\(Self.trace)/critical-path", status: 422)["code"] == "limit-exceeded")
    }

    @Test func `a trace's spans are a table by service, operation or attribute`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let services = try await api.json("\(Self.trace)/statistics")
        #expect(services["by"] == "service" && services["durationNanos"] == "9000000")
        #expect(services["rows"].array.map { $0["service"] } == ["checkout", "payment", "web"])
        let wanted: JSONValue = [
            "service": "checkout", "spanCount": 1, "weight": 1, "errorCount": 0, "totalNanos": "7000000",
            "selfNanos": "4000000", "pathNanos": "4000000", "averageNanos": "7000000", "p50Nanos": "7000000",
            "p95Nanos": "7000000", "p99Nanos": "7000000", "minNanos": "7000000", "maxNanos": "7000000",
        ]
        #expect(services["rows"][0] == wanted)

        let operations = try await api.json("\(Self.trace)/statistics?by=operation")["rows"]
        #expect(operations[1]["service"] == "payment" && operations[1]["operation"] == "charge")
        #expect(operations[1]["errorCount"] == 1)
        for key in ["user.id", "span.user.id", ".user.id"] {
            let rows = try await api.json("\(Self.trace)/statistics?by=\(key)")["rows"]
            #expect(rows.array.map { $0["value"] } == [nil, "abc123"], "\(key)")
            #expect(rows.array.map { $0["spanCount"] } == [2, 1])
        }
        let codes = try await api.json("\(Self.trace)/statistics?by=http.status_code")["rows"]
        #expect(codes[1]["value"] == "500" && codes[1]["type"] == "int")
        let hosts = try await api.json("\(Self.trace)/statistics?by=resource.service.name")["rows"]
        #expect(hosts.array.map { $0["value"] } == ["checkout", "payment", "web"])
    }
}
