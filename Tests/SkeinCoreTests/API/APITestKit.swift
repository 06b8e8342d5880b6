// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import Testing

/// An API over a store in memory, at a moment that stands still.
struct APIUnderTest {
    /// 2026-11-22T10:00:00Z.
    static let now: UInt64 = 1_795_341_600_000_000_000

    var store: any SpanStore
    var api: API
    let pins = MemoryPinnedTraces()

    init(_ spans: [SkeinModel.Span] = [], receivedUnixNanos: UInt64 = now - 3_600_000_000_000) async throws {
        let store = MemoryStore()
        if !spans.isEmpty { try await store.append(SpanBatch(spans: spans, receivedUnixNanos: receivedUnixNanos)) }
        self.init(over: store)
    }

    init(
        over store: any SpanStore,
        answers: ByteBudget = ByteBudget(limit: 256 << 20),
        traceSpanCountMax: Int = 200_000,
        live: LiveTraces = LiveTraces(),
        at now: UInt64 = now,
        zipkin: ZipkinSettings = ZipkinSettings()
    ) {
        self.store = store
        api = API(
            store: store,
            clock: StoppedClock(unixNanos: now),
            answers: answers,
            traceSpanCountMax: traceSpanCountMax,
            live: live,
            pins: pins,
            zipkin: zipkin
        ) {
            var status = ServerStatus(version: "0.1.0", startedUnixNanos: Self.now - 1)
            status.receivedSpanCount = 7
            status.listeners = [.init(name: "otlp-http", address: "127.0.0.1:4318")]
            status.retentionBytes = 1 << 40
            status.dataDirectory = "/var/lib/skein"
            status.retentionRules = [
                .init(ageSeconds: 90 * 86_400, condition: "error = true"),
                .init(ageSeconds: nil, condition: "kept = true"),
            ]
            return status
        }
    }

    struct StoppedClock: WallClock {
        var unixNanos: UInt64
        var monotonicNanos: UInt64 { 0 }
        func sleep(nanos: UInt64) async throws {}
    }

    func ask(
        _ target: String,
        method: String = "GET",
        headers: [(name: String, value: String)] = [],
        body: String = ""
    ) async throws -> APIResponse {
        let request = APIRequest(method: method, target: target, headers: headers, body: Array(body.utf8))
        return try #require(await api.respond(to: request))
    }

    /// The body's text, of an answer of that status.
    func text(_ target: String, status: Int = 200) async throws -> String {
        let response = try await ask(target)
        let text = String(decoding: response.bytes, as: UTF8.self)
        #expect(response.status == status, "\(target): \(text.prefix(300))")
        return text
    }

    /// The body as JSON, which it must be.
    func json(_ target: String, status: Int = 200) async throws -> JSONValue {
        let text = try await text(target, status: status)
        return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }
}

/// JSON that a test can ask by path, as in `answer["data"][0]["traceID"]`. Members keep no order.
enum JSONValue: Hashable, Decodable {
    case null
    case bool(Bool)
    /// Any number that is a whole one of 64 bits.
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let int = try? value.decode(Int64.self) {
            self = .int(int)
        } else if let uint = try? value.decode(UInt64.self) {
            self = .uint(uint)
        } else if let double = try? value.decode(Double.self) {
            self = .double(double)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let array = try? value.decode([JSONValue].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSONValue].self))
        }
    }

    /// A member; `null` when there is none.
    subscript(name: String) -> JSONValue {
        if case .object(let members) = self { members[name] ?? .null } else { .null }
    }

    /// An element; `null` when there is none.
    subscript(index: Int) -> JSONValue {
        if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { .null }
    }

    var array: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
    var keys: Set<String> { if case .object(let members) = self { Set(members.keys) } else { [] } }
    var string: String? { if case .string(let string) = self { string } else { nil } }
    var int: Int64? { if case .int(let int) = self { int } else { nil } }

    /// The value of the Jaeger tag of that key in this array of tags.
    func tag(_ key: String) -> JSONValue { array.first { $0["key"] == .string(key) } ?? .null }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral, ExpressibleByFloatLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int64) { self = .int(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(floatLiteral value: Double) { self = .double(value) }
    init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(uniqueKeysWithValues: elements))
    }
    init(nilLiteral: ()) { self = .null }
}

/// Spans of a small shop, for tests.
enum Shop {
    static let start = APIUnderTest.now - 600_000_000_000
    static let traceID = TraceID(high: 0x0af7_6519_16cd_43dd, low: 0x8448_eb21_1c80_319c)

    static func resource(_ service: String, _ attributes: [Attribute] = []) -> Resource {
        Resource(attributes: [Attribute("service.name", .string(service))] + attributes)
    }

    static func span(
        _ id: UInt64,
        parent: UInt64 = 0,
        trace: TraceID = traceID,
        service: String = "web",
        name: String = "GET /",
        kind: SkeinModel.Span.Kind = .server,
        at offsetNanos: UInt64 = 0,
        lasting nanos: UInt64 = 1_000_000
    ) -> SkeinModel.Span {
        var span = SkeinModel.Span(
            traceID: trace,
            spanID: SpanID(id),
            parentSpanID: SpanID(parent),
            name: name,
            kind: kind,
            startUnixNanos: start + offsetNanos,
            durationNanos: nanos
        )
        span.resource = resource(service)
        return span
    }

    /// Three services, an error, one trace.
    static var order: [SkeinModel.Span] {
        var charge = span(3, parent: 2, service: "payment", name: "charge", at: 2_000_000, lasting: 3_000_000)
        charge.status = .init(.error, message: "card declined")
        charge.attributes = [Attribute("user.id", "abc123"), Attribute("http.status_code", 500)]
        charge.events = [
            .init(
                timeUnixNanos: start + 3_000_000,
                name: "exception",
                attributes: [Attribute("exception.type", "CardError")]
            )
        ]
        return [
            span(1, name: "GET /checkout", lasting: 9_000_000),
            span(
                2,
                parent: 1,
                service: "checkout",
                name: "place order",
                kind: .internal,
                at: 1_000_000,
                lasting: 7_000_000
            ),
            charge,
        ]
    }
}

/// Percent-encoded for a query.
func escaped(_ text: String) -> String {
    text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
