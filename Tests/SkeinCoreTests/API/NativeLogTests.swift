// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

/// Log records of a trace in the native API.
struct NativeLogTests {
    private func api() async throws -> APIUnderTest {
        var api = try await APIUnderTest(Shop.order)
        let logs = LogRecordsAsSpans(in: MemoryStore())
        var second = LogRecord(
            traceID: Shop.traceID,
            spanID: SpanID(2),
            timeUnixNanos: 20,
            body: .map([Attribute("a", 1)])
        )
        second.severityNumber = 9
        second.severityText = "INFO"
        second.observedTimeUnixNanos = 21
        second.resource.attributes = [Attribute("service.name", "checkout")]
        let first = LogRecord(traceID: Shop.traceID, spanID: .zero, timeUnixNanos: 10, body: "begin")
        try await logs.append(LogBatch(records: [second, first]))
        api.api = API(store: api.store, logRecords: logs) { ServerStatus(version: "1", startedUnixNanos: 0) }
        return api
    }

    private let path = "/api/skein/v1/traces/\(Shop.traceID)/logs"

    @Test func `records are told by time with their resources`() async throws {
        let answer = try await api().json(path)
        #expect(answer["traceId"].string == "\(Shop.traceID)" && answer["truncated"] == false)
        let logs = answer["logs"].array
        #expect(logs.map { $0["logRecord"]["timeUnixNano"] } == ["10", "20"])
        #expect(logs[0]["logRecord"]["body"]["stringValue"] == "begin")
        #expect(logs[0]["logRecord"]["spanId"] == .null)
        let second = logs[1]["logRecord"]
        #expect(second["spanId"] == "0000000000000002" && second["severityNumber"] == 9)
        #expect(second["severityText"] == "INFO" && second["observedTimeUnixNano"] == "21")
        let resource = answer["resources"].array[Int(logs[1]["resource"].int ?? 0)]
        #expect(resource["attributes"].array.first?["value"]["stringValue"] == "checkout")
    }

    @Test func `one span may be asked for, and few records`() async throws {
        #expect(try await api().json(path + "?span=2")["logs"].array.count == 1)
        let cut = try await api().json(path + "?limit=1")
        #expect(cut["logs"].array.count == 1 && cut["truncated"] == true)
        #expect(try await api().ask(path + "?span=zz").status == 400)
        #expect(try await api().ask(path + "?limit=0").status == 400)
    }

    @Test func `a store without records has none`() async throws {
        #expect(try await APIUnderTest(Shop.order).json(path)["logs"].array.isEmpty)
    }
}
