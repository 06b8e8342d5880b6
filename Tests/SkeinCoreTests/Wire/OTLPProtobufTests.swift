// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

@Suite struct OTLPProtobufTests {
    /// `SpanBatchTests.full` without its weight, which OTLP does not carry.
    static let full: SkeinModel.Span = {
        var span = SpanBatchTests.full
        span.weight = 1
        return span
    }()

    /// The same span, serialised by opentelemetry-proto 1.45 for Python.
    static let fullBytes = Bytes.hex(
        """
        0af8020a1a0a160a0c736572766963652e6e616d6512060a0473686f70100612ce020a130a036c69621201311a070a017112
        021801200712ab020a1000000000000000010000000000000002120800000000000000031a03613d62220800000000000000
        042a05474554202f300239e80300000000000041dc050000000000004a0b0a017312060a04746578744a070a016212021001
        4a100a0169120b18f9ffffffffffffffff014a0e0a0164120921000000000000f83f4a0d0a05627974657312043a0200ff4a
        080a046e6f6e6512004a1b0a046c69737412132a110a030a01610a0218010a062a040a0210004a120a036d6170120b32090a
        070a016b1202180950015a17094c040000000000001201651a070a017812021801200260036a320a10000000000000000500
        00000000000006120800000000000000071a03633d6422080a017912030a017a2804350100000070057a081204626f6f6d18
        028501010300001a0968747470733a2f2f731a0968747470733a2f2f72
        """
    )

    @Test func `every field is decoded`() throws {
        let decoded = try OTLP.decode(Self.fullBytes)
        #expect(decoded.batch.spans == [Self.full])
        #expect(decoded.batch.serviceName(at: 0) == "shop")
        #expect(decoded.batch.receivedUnixNanos == 5)
        #expect(decoded.rejected.isEmpty && decoded.accepted == 1)
    }

    @Test func `every field is encoded, byte for byte as other implementations do`() {
        #expect(OTLP.encode(SpanBatch(spans: [Self.full])) == Self.fullBytes)
    }

    @Test func `spans of many resources and scopes come back grouped`() throws {
        var spans: [SkeinModel.Span] = []
        for index in 0..<60 {
            var span = index % 2 == 0 ? Self.full : SpanBatchTests.bare
            span.spanID = SpanID(UInt64(index + 1))
            span.resource.attributes = [Attribute("service.name", .string("s\(index % 3)"))]
            span.scope.name = "scope\(index % 2)"
            span.name = String(repeating: "n", count: index * 100)
            spans.append(span)
        }
        let decoded = try OTLP.decode(OTLP.encode(SpanBatch(spans: spans)))
        #expect(decoded.batch.resources.count == 6)
        #expect(decoded.batch.spans.sorted { $0.spanID < $1.spanID } == spans)
    }

    @Test func `an end before the start is kept as a mark, there and back`() throws {
        let bytes = Bytes.request([Bytes.span(Bytes.fixed64(7, 1000) + Bytes.fixed64(8, 10))])
        let span = try #require(try OTLP.decode(bytes).batch.spans.first)
        #expect(span.endsBeforeStart && span.durationNanos == 0 && span.startUnixNanos == 1000)
        #expect(try OTLP.decode(OTLP.encode(SpanBatch(spans: [span]))).batch.spans == [span])
    }

    @Test(arguments: [
        (Bytes.spanID, RejectionReason.invalidTraceID, "received 0 bytes"),
        (Bytes.field(1, [1, 2, 3]) + Bytes.spanID, .invalidTraceID, "received 3 bytes"),
        (Bytes.field(1, [UInt8](repeating: 0, count: 16)) + Bytes.spanID, .invalidTraceID, "not all zero"),
        (Bytes.traceID, .invalidSpanID, "received 0 bytes"),
        (Bytes.traceID + Bytes.field(2, [UInt8](repeating: 0, count: 8)), .invalidSpanID, "not all zero"),
        (Bytes.traceID + Bytes.field(2, [1]), .invalidSpanID, "received 1 bytes"),
        (Bytes.span(Bytes.field(4, [1, 2])), .invalidParentSpanID, "received 2 bytes"),
        (Bytes.span(Bytes.field(9, Bytes.field(2, deep(34)))), .valueTooDeep, "deeper than 32"),
    ])
    func `a bad span is left out and its neighbours are kept`(
        bad: [UInt8],
        reason: RejectionReason,
        message: String
    ) throws {
        let events = Bytes.field(11, Bytes.field(2, "event")) + Bytes.field(13, Bytes.traceID + Bytes.spanID)
        let good = Bytes.span(Bytes.field(5, "good") + events)
        let decoded = try OTLP.decode(Bytes.request([good, bad + events, good, bad]))
        #expect(decoded.accepted == 2)
        #expect(decoded.rejected == [reason: 2])
        #expect(decoded.firstMessage.contains(message), "\(decoded.firstMessage)")
        #expect(decoded.batch.spans.allSatisfy { $0.events.count == 1 && $0.links.count == 1 && $0.name == "good" })
    }

    /// `depth` arrays around nothing.
    static func deep(_ depth: Int) -> [UInt8] {
        (1..<depth).reduce(Bytes.field(5, [])) { inner, _ in Bytes.field(5, Bytes.field(1, inner)) }
    }

    @Test func `values nest as deep as the limit and no deeper`() throws {
        func request(_ depth: Int) -> [UInt8] {
            Bytes.request([Bytes.span(Bytes.field(9, Bytes.field(1, "k") + Bytes.field(2, Self.deep(depth))))])
        }
        #expect(try OTLP.decode(request(EncodedValue.maxDepth)).accepted == 1)
        #expect(try OTLP.decode(request(EncodedValue.maxDepth + 1)).accepted == 1, "the innermost may be empty")
        #expect(try OTLP.decode(request(EncodedValue.maxDepth + 2)).rejected == [.valueTooDeep: 1])
        #expect(try OTLP.decode(request(5000)).rejected == [.valueTooDeep: 1])
    }

    @Test func `a resource that nests too deep takes only its own spans with it`() throws {
        let bad = Bytes.field(1, Bytes.field(1, Bytes.field(2, Self.deep(40))))
        let spans = Bytes.field(2, Bytes.field(2, Bytes.span()))
        let decoded = try OTLP.decode(Bytes.field(1, spans + bad) + Bytes.field(1, spans))
        #expect(decoded.accepted == 1 && decoded.rejected == [.valueTooDeep: 1])
    }

    @Test func `resource, scope and schema may come after the spans`() throws {
        let scopeSpans = Bytes.field(2, Bytes.span()) + Bytes.field(3, "s") + Bytes.field(1, Bytes.field(1, "lib"))
        let attribute = Bytes.field(1, Bytes.field(1, "service.name") + Bytes.field(2, Bytes.field(1, "late")))
        let bytes = Bytes.field(1, Bytes.field(3, "r") + Bytes.field(2, scopeSpans) + Bytes.field(1, attribute))
        let span = try #require(try OTLP.decode(bytes).batch.spans.first)
        #expect(span.resource.serviceName == "late" && span.resource.schemaURL == "r")
        #expect(span.scope == InstrumentationScope(name: "lib", schemaURL: "s"))
    }

    @Test func `a field given twice counts as it came last, and messages join`() throws {
        func attribute(_ key: String, _ text: String) -> [UInt8] {
            Bytes.field(1, Bytes.field(1, key) + Bytes.field(2, Bytes.field(1, text)))
        }
        let span = Bytes.span(Bytes.field(5, "first") + Bytes.field(5, "last") + Bytes.field(6, varint: 2))
        let bytes = Bytes.field(
            1,
            Bytes.field(1, attribute("a", "1")) + Bytes.field(1, attribute("b", "2"))
                + Bytes.field(2, Bytes.field(2, span + Bytes.field(6, varint: 3)))
        )
        let decoded = try #require(try OTLP.decode(bytes).batch.spans.first)
        #expect(decoded.name == "last" && decoded.kind == .client)
        #expect(decoded.resource.attributes == [Attribute("a", "1"), Attribute("b", "2")])
    }

    @Test func `what a client made up reads as nothing`() throws {
        let status = Bytes.field(15, Bytes.field(1, varint: 9) + Bytes.field(3, varint: 77))
        let unknown = Bytes.field(99, "later") + Bytes.field(1000, varint: 5) + Bytes.fixed64(77, 1)
        let bytes = Bytes.request([Bytes.span(Bytes.field(6, varint: 17) + status + unknown)])
        let span = try #require(try OTLP.decode(bytes).batch.spans.first)
        #expect(span.kind == .unspecified && span.status.code == .unset)
    }

    @Test func `a service name that is no string stays an attribute`() throws {
        let attribute = Bytes.field(1, Bytes.field(1, "service.name") + Bytes.field(2, Bytes.field(3, varint: 7)))
        let bytes = Bytes.field(1, Bytes.field(1, attribute) + Bytes.field(2, Bytes.field(2, Bytes.span())))
        let batch = try OTLP.decode(bytes).batch
        #expect(batch.serviceName(at: 0) == "" && batch.spans[0].resource.attributes == [Attribute("service.name", 7)])
    }

    @Test func `a threshold of sampling says how many spans one stands for`() throws {
        let states = ["ot=th:c", "vendor=1", ""].map { Bytes.span(Bytes.field(3, $0)) }
        #expect(try OTLP.decode(Bytes.request(states)).batch.spans.map(\.weight) == [4, 1, 1])
    }

    @Test func `text that is not UTF-8 is repaired wherever it stands`() throws {
        let bad: [UInt8] = [0x61, 0xff]
        let attribute = Bytes.field(9, Bytes.field(1, bad) + Bytes.field(2, Bytes.field(1, bad)))
        let bytes = Bytes.request([
            Bytes.span(Bytes.field(3, bad) + Bytes.field(5, bad) + attribute + Bytes.field(15, Bytes.field(2, bad)))
        ])
        let batch = try OTLP.decode(bytes).batch
        let span = try #require(batch.spans.first)
        #expect(span.name == "a\u{fffd}" && span.traceState == "a\u{fffd}" && span.status.message == "a\u{fffd}")
        #expect(span.attributes == [Attribute("a\u{fffd}", "a\u{fffd}")])
        for ref in 0..<UInt32(batch.dictionary.count) {
            let entry = batch.dictionary.withBytes(ref) { [UInt8]($0) }
            #expect(!entry.contains(0xff), "nothing malformed stays in the dictionary")
        }
    }

    static let otherForms: [(String, AttributeValue)] = [
        ("0a 82 00 61 62", AttributeValue.string("ab")), ("18 81 00", 1), ("10 02", true), ("10 81 00", true),
        ("18 01 0a 01 61", "a"), ("0a 01 61 18 01", 1), ("78 05 18 02", 2), ("42 01 7a 18 03", 3),
        ("2a 02 0a 00 2a 04 0a 02 18 01", [.null, 1]), ("32 05 0a 03 0a 01 6b", .map([Attribute("k", .null)])),
        ("32 09 0a 07 12 02 18 05 0a 01 6b", .map([Attribute("k", 5)])), ("2a 00", .array([])), ("32 00", .map([])),
    ]

    @Test(arguments: otherForms)
    func `values in other forms become canonical`(hex: String, value: AttributeValue) throws {
        let attribute = Bytes.field(9, Bytes.field(1, "k") + Bytes.field(2, Bytes.hex(hex)))
        let batch = try OTLP.decode(Bytes.request([Bytes.span(attribute), Bytes.span(attribute)])).batch
        #expect(batch.spans.map(\.attributes) == [[Attribute("k", value)], [Attribute("k", value)]])
        let ref = batch.attributes.valueRefs[0]
        #expect(batch.dictionary.withBytes(ref) { EncodedValue.isCanonical($0) })
        var expected = ByteWriter()
        EncodedValue.append(value, to: &expected)
        #expect(batch.dictionary.withBytes(ref) { [UInt8]($0) } == expected.array())
    }

    @Test func `text that looks like a value is still checked as one`() throws {
        // The name is well-formed text and, as a value, a string that runs past its end; and the other way round.
        let name = Bytes.hex("0a 05 61")
        let int = Bytes.hex("18 ff 01")
        let spans = [
            Bytes.span(Bytes.field(5, name) + Bytes.field(9, Bytes.field(2, int))), Bytes.span(Bytes.field(5, int)),
        ]
        let batch = try OTLP.decode(Bytes.request(spans)).batch
        #expect(batch.spans[0].attributes == [Attribute("", 255)])
        #expect(batch.spans[1].name == "\u{18}\u{fffd}\u{1}")
        #expect(throws: WireError.self) {
            try OTLP.decode(Bytes.request([Bytes.span(Bytes.field(5, name) + Bytes.field(9, Bytes.field(2, name)))]))
        }
    }

    @Test func `a link with bad ids counts as dropped`() throws {
        let link = Bytes.field(13, Bytes.field(1, [1]) + Bytes.field(4, Bytes.field(1, "k")))
        let good = Bytes.field(13, Bytes.traceID + Bytes.spanID)
        let bytes = Bytes.request([Bytes.span(link + Bytes.field(14, varint: 2) + good)])
        let span = try #require(try OTLP.decode(bytes).batch.spans.first)
        #expect(span.links.count == 1 && span.links[0].attributes.isEmpty && span.droppedLinksCount == 3)
    }

    @Test(arguments: [
        ("00 00 00 00", "field number 0", 0), ("0a", "end inside", 1), ("0a 05 01", "end inside", 1),
        ("0b", "wire type 3", 1), ("0f", "wire type 7", 1), ("08 01", "field 1 has wire type 0", 1),
        ("0a ff ff ff ff ff ff ff ff ff 7f", "longer than 64 bits", 1),
        ("0a 04 12 02 12 05", "end inside", 5), ("0a 06 12 04 12 02 28 05", "field 5 has wire type 0", 7),
    ])
    func `a malformed request is refused whole, with the place of the defect`(
        hex: String,
        message: String,
        offset: Int
    ) {
        let error = #expect(throws: WireError.self) { try OTLP.decode(Bytes.hex(hex)) }
        #expect(error?.message.contains(message) == true, "\(error?.description ?? "")")
        #expect(error?.offset == offset)
        #expect(error?.code == .malformed)
    }

    @Test func `a decoder that met a malformed request starts anew with the next`() throws {
        var decoder = OTLP.ProtobufDecoder()
        let good = Bytes.request([Bytes.span(Bytes.field(5, "kept"))])
        #expect(throws: WireError.self) { try OTLP.decode(good + [0x0a, 0x7f], &decoder) }
        let decoded = try OTLP.decode(good, &decoder)
        #expect(decoded.batch.spans.map(\.name) == ["kept"] && decoded.batch.dictionary.count == 2)
    }

    @Test func `an empty request is a request without spans`() throws {
        #expect(try OTLP.decode([]).accepted == 0)
        #expect(try OTLP.decode(Bytes.request([])).accepted == 0)
    }
}

@Suite struct OTLPHostileBytesTests {
    @Test func `a request cut anywhere throws or keeps whole spans`() throws {
        let bytes = OTLP.encode(
            SpanBatch(spans: [OTLPProtobufTests.full, SpanBatchTests.bare, OTLPProtobufTests.full])
        )
        for length in 0..<bytes.count {
            if let decoded = try? OTLP.decode(Array(bytes[..<length])) { check(decoded) }
        }
    }

    @Test func `random damage never traps`() {
        var random = SeededRandom(seed: 2)
        let good = OTLP.encode(SpanBatch(spans: [OTLPProtobufTests.full, SpanBatchTests.bare]))
        var decoder = OTLP.ProtobufDecoder()
        var survivors = 0
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes.remove(at: at)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                }
            }
            if let decoded = try? OTLP.decode(bytes, &decoder) {
                survivors += 1
                check(decoded)
            }
        }
        #expect(survivors > 100)
    }

    /// What was accepted can be read, and goes out and in again unchanged.
    private func check(_ decoded: DecodedSpans) {
        let spans = decoded.batch.spans
        #expect(spans.count == decoded.accepted)
        for ref in decoded.batch.attributes.valueRefs {
            #expect(decoded.batch.dictionary.withBytes(ref) { EncodedValue.isCanonical($0) })
        }
        let again = try? OTLP.decode(OTLP.encode(decoded.batch))
        #expect(again?.batch.spans.description == SpanGroupsOrder.of(spans).description)
    }
}

/// The order in which an encoder writes spans: by resource and scope, each by first appearance.
enum SpanGroupsOrder {
    static func of(_ spans: [SkeinModel.Span]) -> [SkeinModel.Span] {
        var result: [SkeinModel.Span] = []
        var resources: [String] = []
        for span in spans where !resources.contains(span.resource.attributes.description + "\(span.resource)") {
            resources.append(span.resource.attributes.description + "\(span.resource)")
        }
        for resource in resources {
            let mine = spans.filter { $0.resource.attributes.description + "\($0.resource)" == resource }
            var scopes: [String] = []
            for span in mine where !scopes.contains("\(span.scope)") { scopes.append("\(span.scope)") }
            for scope in scopes { result += mine.filter { "\($0.scope)" == scope } }
        }
        return result
    }
}
