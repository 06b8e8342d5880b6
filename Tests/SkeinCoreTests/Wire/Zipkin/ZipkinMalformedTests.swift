// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

/// Bodies that are none: refused whole, with a reason, and never a trap.
@Suite struct ZipkinMalformedTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var text: String
        var message: String
        var testDescription: String { text }

        init(_ text: String, _ message: String) { (self.text, self.message) = (text, message) }
    }

    @Test(arguments: [
        Row("{}", "found an object where an array is expected"), Row("[", "ends inside"), Row("[{", "ends inside"),
        Row("[{}", "ends inside"), Row("[{},]", "a value after the comma"), Row("[{}]x", "found 'x' where the end"),
        Row("[1]", "found a number where an object"), Row("[null]", "found null where an object"),
        Row(#"[{"traceId":1}]"#, "found a number where a string"),
        Row(#"[{"id":{}}]"#, "found an object where a string"),
        Row(#"[{"kind":1}]"#, "found a number where a string"), Row(#"[{"name":[]}]"#, "found an array where a string"),
        Row(#"[{"timestamp":"x"}]"#, "a whole number from"), Row(#"[{"timestamp":1.5}]"#, "a whole number from"),
        Row(#"[{"timestamp":9223372036854775808}]"#, "a whole number from"),
        Row(#"[{"duration":true}]"#, "found a boolean"),
        Row(#"[{"debug":1}]"#, "true or false"), Row(#"[{"tags":[]}]"#, "found an array where an object"),
        Row(#"[{"tags":{"a":{}}}]"#, "found an object where a string"), Row(#"[{"tags":{"a":[1]}}]"#, "found an array"),
        Row(#"[{"tags":{"a":1.2.3}}]"#, "a number"), Row(#"[{"tags":{"a":nul}}]"#, "a value"),
        Row(#"[{"annotations":{}}]"#, "found an object where an array"),
        Row(#"[{"annotations":[1]}]"#, "found a number"),
        Row(#"[{"annotations":[{"value":1}]}]"#, "found a number where a string"),
        Row(#"[{"localEndpoint":"a"}]"#, "found a string where an object"),
        Row(#"[{"localEndpoint":{"port":"x"}}]"#, "a whole number"), Row(#"[{"name":"\x"}]"#, "an escape of RFC 8259"),
        Row(#"[{"unknown":"# + String(repeating: "[", count: 300), "nest deeper than 256"),
    ])
    func `JSON of another shape is refused with its place`(_ row: Row) {
        let error = #expect(throws: WireError.self) { try Zipkin.spans(row.text) }
        #expect(error?.message.contains(row.message) == true, "\(String(describing: error))")
        #expect(error?.place != nil)
    }

    @Test(arguments: [
        Row("{}", "found an object where an array is expected"), Row("[{", "ends inside"),
        Row(#"[{"annotations":[{"timestamp":"x"}]}]"#, "a whole number"),
        Row(#"[{"annotations":[{"endpoint":[]}]}]"#, "found an array where an object"),
        Row(#"[{"binaryAnnotations":{}}]"#, "found an object where an array"),
        Row(#"[{"binaryAnnotations":[{"value":{}}]}]"#, "found an object where a string"),
        Row(#"[{"binaryAnnotations":[{"key":1}]}]"#, "found a number where a string"),
        Row(#"[{"binaryAnnotations":[{"type":6}]}]"#, "found a number where a string"),
    ])
    func `JSON of version 1 of another shape is refused with its place`(_ row: Row) {
        let error = #expect(throws: WireError.self) { try Zipkin.v1Spans(row.text) }
        #expect(error?.message.contains(row.message) == true, "\(String(describing: error))")
        #expect(error?.place != nil)
    }

    @Test(arguments: [
        "0a", "0a05", "0a0500", "08 01", "0d 00000000", "0a 02 0a05", "0a 02 0801", "0a 03 2201 01", "0a 02 2801",
        "0a 02 3001", "0a 03 3a01 00", "0a 02 4001", "0a 02 5001", "0a 02 5801", "0a 03 6201 00", "0a 04 42 02 0801",
        "0a 04 52 02 0801", "0a 04 5a 02 0801", "0a 02 0b 0c", "0a ffffffffffffffffff01", "0a ffffffffffffffffffff01",
        "00",
        "0a 01 00",
    ])
    func `bytes that are no protobuf list of spans are refused`(_ hex: String) {
        let error = #expect(throws: WireError.self) { try Zipkin.decode(Bytes.hex(hex), as: .proto3) }
        #expect(error?.code == .malformed)
    }

    @Test(arguments: [
        "", "0c", "0c 0000", "0c 00000001", "0c 7fffffff", "0c ffffffff", "08 00000001 00000000",
        "0f 00000001 0c00000000",
        "0c 00000001 0a0001", "0c 00000001 0b0003 7fffffff", "0c 00000001 0b0003 ffffffff", "0c 00000001 99",
        "0c 00000001 0f0006 0c7fffffff", "0c 00000001 0f0006 08 00000001 00000000 00", "0c 00000000 00",
    ])
    func `bytes that are no Thrift list of spans are refused`(_ hex: String) {
        #expect(throws: WireError.self) { try Zipkin.decode(Bytes.hex(hex), as: .thrift) }
    }

    @Test func `what nests without end in a field nobody knows is refused`() {
        let nested = [UInt8](repeating: 0, count: 0) + (0..<100).flatMap { _ in Bytes.hex("0c 0001") }
        let error = #expect(throws: WireError.self) {
            try Zipkin.decode(Bytes.hex("0c 00000001 0c 0063") + nested, as: .thrift)
        }
        #expect(error?.code == .tooDeep)
    }

    // MARK: Limits

    private static let manyTags = "{" + (1...5).map { #""k\#($0)":"v""# }.joined(separator: ",") + "}"
    private static let manyAnnotations =
        "[" + (1...5).map { #"{"timestamp":\#($0),"value":"e\#($0)"}"# }.joined(separator: ",") + "]"

    private static func bodies() -> [(Zipkin.Format, [UInt8])] {
        let start = #"[{"traceId":"1","id":"2","timestamp":1,"#
        let binary = "[" + (1...5).map { #"{"key":"k\#($0)","value":"v"}"# }.joined(separator: ",") + "]"
        let protobuf = (1...5).flatMap { number in
            ZipkinProtobufTests.tag("k\(number)", "v")
                + Bytes.field(10, Bytes.fixed64(1, UInt64(number)) + Bytes.field(2, "e\(number)"))
        }
        let thrift = ZipkinThriftTests.span([
            (6, .list((1...5).map { ZipkinThriftTests.annotation(Int64($0), "e\($0)", .fields([])) })),
            (8, .list((1...5).map { ZipkinThriftTests.binary("k\($0)", [0x76], 6, .fields([])) })), (10, .i64(1)),
        ])
        return [
            (.jsonV2, Array((start + #""tags":\#(manyTags),"annotations":\#(manyAnnotations)}]"#).utf8)),
            (.jsonV1, Array((start + #""annotations":\#(manyAnnotations),"binaryAnnotations":\#(binary)}]"#).utf8)),
            (.proto3, ZipkinProtobufTests.list(ZipkinProtobufTests.ids + protobuf)),
            (.thrift, ZipkinThriftTests.list([thrift])),
        ]
    }

    @Test func `tags and annotations beyond the limit are dropped and counted on their span`() throws {
        var limits = DecodingLimits()
        limits.itemsMax = 3
        for (format, body) in Self.bodies() {
            let decoded = try Zipkin.decode(body, as: format, limits: limits)
            let span = try #require(decoded.batch.spans.first)
            #expect(span.attributes.map(\.key) == ["k1", "k2", "k3"], "\(format)")
            #expect(span.events.map(\.name) == ["e1", "e2", "e3"], "\(format)")
            #expect(span.droppedAttributesCount == 2 && span.droppedEventsCount == 2, "\(format)")
            #expect(decoded.dropped.attributes == 2 && decoded.dropped.events == 2, "\(format)")
            #expect(decoded.warning.contains("a span keeps 3 of each"))
        }
    }

    @Test func `a request that becomes too much is not decoded to its end`() throws {
        var limits = DecodingLimits()
        limits.columnBytesMax = 150
        for (format, body) in Self.bodies() {
            let error = #expect(throws: WireError.self) { try Zipkin.decode(body, as: format, limits: limits) }
            #expect(error?.code == .tooLarge, "\(format)")
        }
        limits.columnBytesMax = 300
        for (format, body) in Self.bodies() {
            #expect(try Zipkin.decode(body, as: format, limits: limits).accepted == 1, "\(format)")
        }
    }

    @Test func `links and attributes of events have limits as well`() throws {
        var limits = DecodingLimits()
        limits.itemsMax = 2
        let link = #"0af7651916cd43dd8448eb211c80319c|b7ad6b7169203331||{\"a\":1,\"b\":2,\"c\":3}|1"#
        let json = #"""
            [{"traceId":"1","id":"2","timestamp":1,"tags":{"otlp.link.0":"\#(link)"},
            "annotations":[{"timestamp":1,"value":"\"e\":{\"a\":1,\"b\":2,\"c\":3}"}]}]
            """#
        let decoded = try Zipkin.decode(Array(json.utf8), as: .jsonV2, limits: limits)
        let span = try #require(decoded.batch.spans.first)
        #expect(span.links.map(\.attributes.count) == [2] && span.links.map(\.droppedAttributesCount) == [2])
        #expect(span.events.map(\.attributes.count) == [2] && span.events.map(\.droppedAttributesCount) == [1])
        #expect(decoded.dropped.attributes == 2)
    }

    // MARK: Mutations

    /// Cuts, flips, repeats and swaps bytes of good bodies; whatever comes is read or refused, and a good body is read after.
    @Test(arguments: Zipkin.Format.allCases)
    func `mutated bodies are read or refused`(format: Zipkin.Format) throws {
        let good: [UInt8] =
            switch format {
            case .jsonV2: Array("[\(ZipkinJSONTests.full),\(ZipkinJSONTests.full)]".utf8)
            case .proto3: ZipkinProtobufTests.list(ZipkinProtobufTests.full, ZipkinProtobufTests.full)
            case .thrift: ZipkinThriftTests.list([ZipkinThriftTests.full, ZipkinThriftTests.full])
            case .jsonV1: Array(Self.v1.utf8)
            }
        var random = SeededRandom(seed: 0x21b1)
        var decoder = Zipkin.SpanDecoder()
        let expected = try Zipkin.decode(good, as: format).batch.spans
        #expect(expected.count >= 2)
        for round in 0..<3000 {
            var body = good
            for _ in 0..<Int.random(in: 1...4, using: &random) where !body.isEmpty {
                let at = Int.random(in: body.indices, using: &random)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: body.removeSubrange(at...)
                case 1: body[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: body[at] = UInt8.random(in: 0...255, using: &random)
                case 3: body.remove(at: at)
                case 4: body.insert(contentsOf: body[at..<min(body.count, at + 8)], at: at)
                default: body.swapAt(at, Int.random(in: body.indices, using: &random))
                }
            }
            if let decoded = try? Zipkin.decode(body, as: format, &decoder) {
                #expect(decoded.batch.spans.count == decoded.accepted)
            }
            if round % 100 == 0 { #expect(try Zipkin.decode(good, as: format, &decoder).batch.spans == expected) }
        }
    }

    private static let v1 = #"""
        [{"traceId":"1","id":"2","parentId":"3","name":"a","debug":true,"timestamp":5,"duration":6,
        "annotations":[{"timestamp":5,"value":"cs","endpoint":{"serviceName":"a","ipv4":"1.2.3.4","port":5}},
        {"timestamp":6,"value":"sr","endpoint":{"serviceName":"b"}},{"timestamp":7,"value":"ss"},
        {"timestamp":8,"value":"\"e\":{\"k\":[1,{\"x\":null}]}"}],
        "binaryAnnotations":[{"key":"k","value":5,"type":"I16"},{"key":"sa","value":true,"endpoint":{"serviceName":"b"}},
        {"key":"otlp.link.0","value":"00000000000000010000000000000001|0000000000000001||{\"a\":1}|0"}]}]
        """#
}
