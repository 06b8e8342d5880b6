// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

struct NativePinTests {
    private let path = "/api/skein/v1/traces/0af7651916cd43dd8448eb211c80319c"
    private let json: [(name: String, value: String)] = [("Content-Type", "application/json")]

    @Test func `a stored trace is pinned, says so, is listed and let go`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let answer = try await api.ask("\(path)/pin", method: "POST", headers: json)
        #expect(answer.status == 200)
        #expect(
            String(decoding: answer.bytes, as: UTF8.self)
                == #"{"traceId":"0af7651916cd43dd8448eb211c80319c","pinnedTimeUnixNano":"\#(APIUnderTest.now)"}"#
        )
        #expect(try await api.json(path)["pinned"] == .bool(true))
        #expect(try await api.json("\(path)/skeleton")["pinned"] == .bool(true))
        let pins = try await api.json("/api/skein/v1/pins")
        #expect(pins["pins"].array.map { $0["traceId"] } == ["0af7651916cd43dd8448eb211c80319c"])
        #expect(pins["next"] == .null)
        #expect(try await api.ask("\(path)/pin", method: "DELETE").status == 204)
        #expect(try await api.ask("\(path)/pin", method: "DELETE").status == 404)
        #expect(try await !api.text(path).contains("pinned"))
    }

    @Test func `a form on another page cannot pin`() async throws {
        let api = try await APIUnderTest(Shop.order)
        for type in ["text/plain", "application/x-www-form-urlencoded"] {
            #expect(try await api.ask("\(path)/pin", method: "POST", headers: [("Content-Type", type)]).status == 415)
        }
        #expect(try await api.ask("\(path)/pin", method: "POST").status == 415)
        #expect(api.pins.all().isEmpty)
    }

    @Test func `what is not stored cannot be pinned`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let answer = try await api.ask("/api/skein/v1/traces/abc/pin", method: "POST", headers: json)
        #expect(answer.status == 404)
        #expect(String(decoding: answer.bytes, as: UTF8.self).contains("unknown-trace"))
        #expect(try await api.json("/api/skein/v1/pins")["pins"].array.isEmpty)
    }

    @Test func `pins are listed page by page, the last first`() async throws {
        let api = try await APIUnderTest()
        for number in 1...5 as ClosedRange<UInt64> {
            _ = try api.pins.pin(TraceID(high: 1, low: number), atUnixNanos: number / 2)
        }
        var seen: [String] = []
        var next: String? = ""
        while let cursor = next {
            let page = try await api.json("/api/skein/v1/pins?limit=2\(cursor.isEmpty ? "" : "&cursor=\(cursor)")")
            seen += page["pins"].array.compactMap {
                if case .string(let id) = $0["traceId"] { String(id.suffix(1)) } else { nil }
            }
            next = if case .string(let text) = page["next"] { text } else { nil }
        }
        #expect(seen == ["4", "5", "2", "3", "1"])
    }
}
