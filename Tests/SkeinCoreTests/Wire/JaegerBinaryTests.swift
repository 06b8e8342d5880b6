// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

/// Jaeger batches in Thrift's binary encoding: as messages to an agent, and bare, as they are posted to a collector.
@Suite struct JaegerBinaryTests {
    /// A span with something of everything.
    static let rich = Thrift.span([
        (4, .i64(72)), (5, .text("GET /")),
        (6, .list([.reference(0, trace: (1, 2), span: 72), .reference(1, trace: (8, 9), span: 7)])), (7, .i32(3)),
        (8, .i64(1_700_000_000_000_000)), (9, .i64(2_500)),
        (
            10,
            .list([
                .tag("s", "1"), .tag("d", -0.5), .tag("b", true), .tag("l", Int64.min), .tag("x", [1, 2]),
                .tag("span.kind", "client"), .tag("error", true),
            ])
        ),
        (11, .list([.fields([(1, .i64(7)), (2, .list([.tag("event", "retry"), .tag("n", Int64(1))]))])])),
        (20, .bool(true)), (21, .list([.i32(1)], of: 5)), (22, .fields([(1, .byte(3))])), (23, .list([])),
    ])
    static let process = Thrift.fields([(1, .text("shop")), (2, .list([.tag("hostname", "box")]))])
    static let batch = Thrift.batch([rich, .span([(5, .text("next"))])], process: process)

    @Test func `both encodings of a batch say the same`() throws {
        let compact = try Jaeger.decode(Thrift.message(.fields([(1, Self.batch)])))
        #expect(compact.accepted == 2)
        let arguments = Thrift.fields([(1, Self.batch)])
        for (kind, isStrict) in [(UInt8(4), true), (1, true), (4, false), (1, false)] {
            let message = Thrift.binaryMessage(arguments, kind: kind, isStrict: isStrict)
            #expect(try Jaeger.decode(binary: message).batch.spans == compact.batch.spans)
        }
        #expect(try Jaeger.decode(batch: Self.batch.binaryEncoded).batch.spans == compact.batch.spans)
    }

    @Test func `spans may come before the process, and a batch may have none`() throws {
        let late = Thrift.fields([(2, .list([.span()])), (1, Self.process)])
        #expect(try Jaeger.decode(batch: late.binaryEncoded).batch.serviceName(at: 0) == "shop")
        let none = try Jaeger.decode(batch: Thrift.fields([(2, .list([.span()]))]).binaryEncoded)
        #expect(none.accepted == 1 && none.batch.serviceName(at: 0) == "")
        #expect(try Jaeger.decode(batch: [0]).accepted == 0)
    }

    @Test(arguments: [
        ("", "end inside"), ("8002000400000000", "80 01 00"), ("80010009 00000000 00000000", "no kind of message"),
        ("80010004 7fffffff", "end inside"), ("80010004 ffffffff", "a length of -1 bytes"), ("7fffffff", "end inside"),
        ("80010004 00000009 656d69744261746368 00000001 05", "no type of the binary encoding"),
        ("80010004 00000009 656d69744261746368 00000001 0c0001 0f0002 0c 7fffffff", "elements are announced"),
        ("80010004 00000009 656d69744261746368 00000001 0c0001 0f0002 0c ffffffff", "elements are announced"),
        (
            "80010004 00000009 656d69744261746368 00000001 0c0001 0c000100 0f0002 0b 00000001 00000000",
            "structs are expected"
        ),
    ])
    func `garbage is refused`(hex: String, message: String) {
        let error = #expect(throws: WireError.self) { try Jaeger.decode(binary: Bytes.hex(hex)) }
        #expect(error?.message.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `what follows a posted batch is refused, and so is one that is cut`() {
        let whole = Self.batch.binaryEncoded
        #expect(throws: WireError.self) { try Jaeger.decode(batch: whole + [0]) }
        for length in 0..<whole.count {
            #expect(throws: WireError.self) { try Jaeger.decode(batch: Array(whole[..<length])) }
        }
    }

    @Test func `what a span has too much of is dropped and counted on it`() throws {
        var limits = DecodingLimits()
        limits.itemsMax = 2
        let tags = (1...5).map { Thrift.tag("k\($0)", Int64($0)) }
        let log = Thrift.fields([(1, .i64(1)), (2, .list(tags))])
        let links = (1...5).map { Thrift.reference(1, trace: (5, 5), span: $0) }
        let span = Thrift.span([(6, .list(links)), (10, .list(tags)), (11, .list([log, log, log, log]))])
        let process = Thrift.fields([(1, .text("s")), (2, .list(tags))])
        let decoded = try Jaeger.decode(batch: Thrift.batch([span], process: process).binaryEncoded, limits: limits)
        let kept = try #require(decoded.batch.spans.first)
        #expect(kept.attributes.map(\.key) == ["k1", "k2"] && kept.droppedAttributesCount == 3)
        #expect(kept.events.count == 2 && kept.droppedEventsCount == 2)
        #expect(kept.events.allSatisfy { $0.attributes.count == 2 && $0.droppedAttributesCount == 3 })
        #expect(kept.links.count == 2 && kept.droppedLinksCount == 3)
        #expect(kept.resource.attributes.map(\.key) == ["service.name", "k1", "k2"])
        #expect(kept.resource.droppedAttributesCount == 3)
        #expect(decoded.dropped.events == 2 && decoded.dropped.links == 3 && decoded.dropped.attributes == 12)
    }

    @Test func `few bytes do not become much memory`() throws {
        var limits = DecodingLimits()
        limits.columnBytesMax = 4096
        let empty = Thrift.fields([(11, .list(Array(repeating: .fields([]), count: 1000)))])
        let error = #expect(throws: WireError.self) {
            try Jaeger.decode(batch: Thrift.batch([empty]).binaryEncoded, limits: limits)
        }
        #expect(error?.code == .tooLarge)
    }

    @Test func `random damage never traps`() {
        var random = SeededRandom(seed: 5)
        let whole = Thrift.binaryMessage(.fields([(1, Self.batch)]))
        var survivors = 0
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if let decoded = try? Jaeger.decode(binary: bytes) {
                survivors += 1
                #expect(decoded.batch.spans.count == decoded.accepted)
            }
        }
        #expect(survivors > 100)
    }
}
