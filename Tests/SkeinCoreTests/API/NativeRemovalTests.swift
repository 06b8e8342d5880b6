// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

/// Removals over the native API: what is asked for, what would be done, and what may be a slip.
struct NativeRemovalTests {
    private let path = "/api/skein/v1/removals"

    private func remove(_ api: APIUnderTest, _ body: String, status: Int = 200) async throws -> JSONValue {
        let headers = [(name: "Content-Type", value: "application/json")]
        let response = try await api.ask(path, method: "POST", headers: headers, body: body)
        #expect(response.status == status, "\(body): \(String(decoding: response.bytes, as: UTF8.self))")
        return try JSONDecoder().decode(JSONValue.self, from: Data(response.bytes))
    }

    @Test func `a dry run counts and names traces, and changes and records nothing`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let preview = try await remove(api, #"{"action":"delete","q":"service = payment","dryRun":true}"#)
        #expect(preview["dryRun"] == .bool(true) && preview["traces"] == .int(1) && preview["spans"] == .int(3))
        #expect(preview["sampleTraceIds"] == .array([.string("0af7651916cd43dd8448eb211c80319c")]))
        #expect(try await api.json(path)["removals"] == .array([]))
        #expect(try await api.json("/api/skein/v1/search")["traces"].array.count == 1)
        let done = try await remove(api, #"{"action":"delete","q":"service = payment","dryRun":false}"#)
        #expect(done["dryRun"] == .bool(false) && done["traces"] == preview["traces"])
        #expect(try await api.json("/api/skein/v1/search")["traces"].array.isEmpty)
    }

    @Test func `a dry run counts the log records of a trace that is named`() async throws {
        var api = try await APIUnderTest(Shop.order)
        let logs = LogRecordsAsSpans(in: MemoryStore())
        let lone = TraceID(high: 0xabc, low: 0xdef)
        try await logs.append(
            LogBatch(records: [LogRecord(traceID: lone, spanID: SpanID(1), timeUnixNanos: 10, body: "alone")])
        )
        api.api = API(store: api.store, logRecords: logs) { ServerStatus(version: "1", startedUnixNanos: 0) }
        let query = #"trace:id = \"\#(lone)\""#
        let preview = try await remove(api, #"{"action":"delete","q":"\#(query)","dryRun":true}"#)
        #expect(preview["traces"] == 1 && preview["spans"] == 0 && preview["logRecords"] == 1)
        #expect(preview["sampleTraceIds"] == .array([.string("\(lone)")]))
    }

    @Test(arguments: [
        (#"{"action":"delete","q":"error = true","dry_run":true}"#, "dry_run", "did you mean dryRun?"),
        (#"{"action":"delete","q":"error = true","dryrun":true}"#, "dryrun", "did you mean dryRun?"),
        (#"{"action":"redact","q":"error = true","key":["card"]}"#, "key", "did you mean keys?"),
        (#"{"action":"delete","q":"error = true","purpose":{"a":[1]}}"#, "purpose", "action, q, by, start"),
    ])
    func `a member that nobody knows is refused by its name`(_ body: String, _ field: String, _ hint: String)
        async throws
    {
        let api = try await APIUnderTest(Shop.order)
        let problem = try await remove(api, body, status: 400)
        #expect(problem["field"] == .string(field))
        #expect(problem["detail"].string?.contains(hint) == true, "\(problem["detail"])")
        #expect(try await api.json("/api/skein/v1/search")["traces"].array.count == 1)
    }

    @Test(arguments: [
        (#"servce = 1"#, ["No stored span carries servce; did you mean service?"]),
        (#"eror = true and service = web"#, ["No stored span carries eror; did you mean error?"]),
        (#"usr.id = "abc123""#, ["No stored span carries usr.id; did you mean user.id?"]),
        (#"resource.user.id = "abc123""#, ["No stored span carries resource.user.id; did you mean span.user.id?"]),
        (#"nothing.like.it = 1"#, ["No stored span carries nothing.like.it."]),
        (#"user.id = "abc123""#, []), (#"service = nobody"#, []), (#"service.name = nobody"#, []),
    ])
    func `attributes that no span carries are told, with what may be meant`(_ query: String, _ hints: [String])
        async throws
    {
        let api = try await APIUnderTest(Shop.order)
        let body = try String(decoding: JSONEncoder().encode(["action": "delete", "q": query]), as: UTF8.self)
        let dry = body.dropLast() + #","dryRun":true}"#
        #expect(try await remove(api, String(dry))["hints"] == .array(hints.map(JSONValue.string)))
        let target = "/api/skein/v1/search?limit=1&q=" + query.utf8.map { "%" + hex($0) }.joined()
        let found = try await api.json(target)
        #expect(found["hints"] == .array(found["traces"].array.isEmpty ? hints.map(JSONValue.string) : []))
        // What is told is how it was before.
        #expect(try await remove(api, body)["hints"] == .array(hints.map(JSONValue.string)))
    }

    @Test func `a key to redact that no span carries is told`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let done = try await remove(api, #"{"action":"redact","q":"service = payment","keys":["user.di","user.id"]}"#)
        #expect(done["spans"] == .int(1))
        #expect(done["hints"] == .array([.string("No stored span carries user.di; did you mean user.id?")]))
    }

    @Test(arguments: [
        ("search?serivce=web", "serivce"), ("usage?srvice=web", "srvice"), ("services?q=x", "q"),
        ("traces/0af7651916cd43dd8448eb211c80319c?raw=true", "raw"), ("status?now", "now"),
    ])
    func `a parameter that a path does not take is refused by its name`(_ target: String, _ name: String) async throws {
        let api = try await APIUnderTest(Shop.order)
        let problem = try await api.json("/api/skein/v1/\(target)", status: 400)
        #expect(problem["field"] == .string(name))
    }

    @Test func `usage is of the services that are asked for`() async throws {
        let api = try await APIUnderTest(Shop.order)
        func names(_ query: String) async throws -> [JSONValue] {
            try await api.json("/api/skein/v1/usage\(query)")["services"].array.map { $0["name"] }
        }
        #expect(try await names("?service=payment") == [.string("payment")])
        let two = try await names("?service=payment&service=web")
        #expect(Set(two) == [.string("payment"), .string("web")])
        #expect(try await names("?service=nobody") == [])
        #expect(try await names("").count == 3)
    }

    private func hex(_ byte: UInt8) -> String { String(format: "%02x", byte) }
}
