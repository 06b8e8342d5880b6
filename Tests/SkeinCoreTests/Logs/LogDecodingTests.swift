// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

/// Log records of OTLP requests.
@Suite struct LogDecodingTests {
    static let traceID = TraceID(high: 1, low: 2)

    static func record(_ rest: [UInt8], traceID: [UInt8]? = Bytes.hex("00000000000000010000000000000002")) -> [UInt8] {
        (traceID.map { Bytes.field(9, $0) } ?? []) + rest
    }

    static func request(_ records: [[UInt8]]) -> [UInt8] {
        let attribute = Bytes.field(1, "service.name") + Bytes.field(2, Bytes.field(1, "shop"))
        let scope = Bytes.field(1, Bytes.field(1, "logger"))
        return Bytes.field(
            1,
            Bytes.field(1, Bytes.field(1, attribute)) + Bytes.field(2, scope + records.flatMap { Bytes.field(2, $0) })
        )
    }

    static func decode(_ bytes: [UInt8]) throws(WireError) -> DecodedLogs {
        var decoder = OTLP.ProtobufDecoder()
        let result: Result<DecodedLogs, WireError> = bytes.withUnsafeBytes { buffer in
            do throws(WireError) {
                return .success(try decoder.decodeLogs(buffer, receivedUnixNanos: 5))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    static func decode(json: String) throws(WireError) -> DecodedLogs {
        var decoder = OTLP.JSONDecoder()
        let result: Result<DecodedLogs, WireError> = Array(json.utf8).withUnsafeBytes { buffer in
            do throws(WireError) {
                return .success(try decoder.decodeLogs(buffer, receivedUnixNanos: 5))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    static let full: LogRecord = {
        var record = LogRecord(traceID: traceID, spanID: SpanID(3), timeUnixNanos: 1_000, body: "no funds")
        record.observedTimeUnixNanos = 2_000
        record.severityNumber = 17
        record.severityText = "ERROR"
        record.eventName = "payment.failed"
        record.attributes = [Attribute("card", "visa"), Attribute("attempt", 2)]
        record.droppedAttributesCount = 4
        record.flags = 1
        record.resource.attributes = [Attribute("service.name", "shop")]
        record.scope = InstrumentationScope(name: "logger")
        return record
    }()

    @Test func `both encodings say all that a record has`() throws {
        let attributes =
            Bytes.field(6, Bytes.field(1, "card") + Bytes.field(2, Bytes.field(1, "visa")))
            + Bytes.field(6, Bytes.field(1, "attempt") + Bytes.field(2, Bytes.field(3, varint: 2)))
        let fields =
            Bytes.fixed64(1, 1_000) + Bytes.field(2, varint: 17) + Bytes.field(3, "ERROR")
            + Bytes.field(5, Bytes.field(1, "no funds")) + attributes + Bytes.field(7, varint: 4) + [0x45, 1, 0, 0, 0]
            + Bytes.field(10, Bytes.hex("0000000000000003")) + Bytes.fixed64(11, 2_000)
            + Bytes.field(12, "payment.failed") + Bytes.field(99, "unknown")
        let binary = try Self.decode(Self.request([Self.record(fields)]))
        #expect(binary.batch.records == [Self.full])
        let json = try Self.decode(
            json: """
                {"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
                "scopeLogs":[{"scope":{"name":"logger"},"logRecords":[{"timeUnixNano":"1000",
                "observedTimeUnixNano":"2000","severityNumber":"SEVERITY_NUMBER_ERROR","severityText":"ERROR",
                "body":{"stringValue":"no funds"},"attributes":[{"key":"card","value":{"stringValue":"visa"}},
                {"key":"attempt","value":{"intValue":"2"}}],"droppedAttributesCount":4,"flags":1,
                "traceId":"00000000000000010000000000000002","spanId":"0000000000000003",
                "eventName":"payment.failed","new":1}]}]}]}
                """
        )
        #expect(json.batch.records == [Self.full])
        #expect(LogBatch(records: [Self.full]).records == [Self.full])
    }

    @Test func `records of no trace are counted, and those with bad ids, and the others kept`() throws {
        let spanOfFour = Bytes.field(10, [1, 2, 3, 4])
        let decoded = try Self.decode(
            Self.request([
                Self.record([], traceID: nil), Self.record([], traceID: [UInt8](repeating: 0, count: 16)),
                Self.record([], traceID: [1]), Self.record(spanOfFour), Self.record(Bytes.fixed64(11, 7)),
            ])
        )
        #expect(decoded.rejected == [.noTraceID: 2, .invalidTraceID: 1, .invalidSpanID: 1])
        #expect(decoded.firstMessage.contains("no trace id"))
        let kept = try #require(decoded.batch.records.first)
        #expect(decoded.batch.count == 1 && kept.spanID == .zero)
        // A record without a time has the one at which it was seen.
        #expect(kept.timeUnixNanos == 7 && kept.observedTimeUnixNanos == 7)
        // One that has neither was written when it came.
        let timeless = try Self.decode(Self.request([Self.record([])]))
        #expect(timeless.batch.records.map(\.timeUnixNanos) == [5])
    }

    @Test func `a request that comes again is the same records, and equal lines of one request are several`() throws {
        let line = Self.record(Bytes.fixed64(1, 5) + Bytes.field(5, Bytes.field(1, "retry")))
        let request = Self.request([line, line, line])
        let (first, again) = (try Self.decode(request), try Self.decode(request))
        #expect(first.batch.rows.spanIDs == again.batch.rows.spanIDs)
        #expect(Set(first.batch.rows.spanIDs).count == 3)
        #expect(first.batch.rows.spanIDs == first.batch.rows.spanIDs.sorted())
    }

    @Test(arguments: ["0a", "0a020a05", "00", "0a 06 12 04 12 02 0a 01"])
    func `garbage is refused`(hex: String) {
        #expect(throws: WireError.self) { try Self.decode(Bytes.hex(hex)) }
    }

    @Test func `data points are counted whatever they are`() throws {
        func metric(_ field: UInt64, _ count: Int) -> [UInt8] {
            Bytes.field(2, Bytes.field(field, (0..<count).flatMap { _ in Bytes.field(1, Bytes.fixed64(3, 1)) }))
        }
        let metrics = metric(5, 1) + metric(7, 2) + metric(9, 3) + metric(10, 4) + metric(11, 5) + metric(6, 9)
        let request = Bytes.field(1, Bytes.field(2, metrics))
        let count = try request.withUnsafeBufferPointer { try OTLP.MetricPoints.count(protobuf: .init($0)) }
        #expect(count == 15)
        let json = """
            {"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{},{}]}},
            {"sum":{"dataPoints":[{"asInt":"1"}],"isMonotonic":true}},{"summary":{}},{"histogram":null}]}]}]}
            """
        let found = try Array(json.utf8).withUnsafeBufferPointer { try OTLP.MetricPoints.count(json: .init($0)) }
        #expect(found == 3)
    }
}
