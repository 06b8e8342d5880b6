// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinExport
import SkeinModel
import SkeinRecording
import SkeinWire
import Testing
import Tracing

@Suite struct OTLPProtobufTests {
    private func bytes(_ spans: [FinishedSpan]) -> [UInt8] {
        var out = ByteWriter(capacity: 16)
        OTLPProtobuf.append(spans, to: &out)
        return out.array()
    }

    private func decoded(_ bytes: [UInt8]) throws -> [SkeinModel.Span] {
        var decoder = OTLP.ProtobufDecoder()
        let decoded = try bytes.withUnsafeBytes { try decoder.decode($0, receivedUnixNanos: 1) }
        #expect(decoded.rejectedCount == 0 && decoded.warning.isEmpty)
        return (0..<decoded.batch.count).map { decoded.batch.span(at: $0) }
    }

    @Test(arguments: Sample.all) func `what is written reads back as the same spans`(sample: Sample) throws {
        var rows = SampleTracer.rows(sample.spans)
        for row in rows.indices where rows[row].traceState.contains("th:c") { rows[row].weight = 4 }
        #expect(try decoded(bytes(sample.spans)) == rows)
    }

    @Test func `a span is written field by field as the specification numbers them`() {
        let tracer = SampleTracer(Resource())
        tracer.span("n", start: 1, nanos: 1) { $0.setAttribute("k", true) }
        let span: [UInt8] =
            [0x0a, 16, 0xa0, 0xb1, 0xc2, 0xd3, 0xe4, 0xf5, 0x06, 0x17, 0, 0, 0, 0, 0, 0, 0, 1]
            + [0x12, 8, 2, 0, 0, 0, 0, 0, 0, 0xff]
            + [0x2a, 1, 0x6e, 0x30, 1] + [0x39, 1, 0, 0, 0, 0, 0, 0, 0] + [0x41, 2, 0, 0, 0, 0, 0, 0, 0]
            + [0x4a, 7, 0x0a, 1, 0x6b, 0x12, 2, 0x10, 1] + [0x85, 1, 1, 1, 0, 0]
        let scopeSpans = [0x0a, 6, 0x0a, 4] + Array("Shop".utf8) + [0x12, UInt8(span.count)] + span
        let body = [0x0a, 0, 0x12, UInt8(scopeSpans.count)] + scopeSpans
        #expect(bytes(tracer.spans) == [0x0a, UInt8(body.count)] + body)
    }

    @Test func `NaN stays what it is`() throws {
        let tracer = SampleTracer()
        tracer.span { $0.setAttribute("nan", Double.nan) }
        guard case .double(let double)? = try decoded(bytes(tracer.spans))[0].attributes["nan"] else {
            Issue.record("no double")
            return
        }
        #expect(double.isNaN)
    }

    @Test func `spans of several tracers and files stand by resource and scope, each written once`() throws {
        let (shop, bank) = (SampleTracer(), SampleTracer(Resource(attributes: [Attribute("service.name", "bank")])))
        for file in ["Shop/A.swift", "Bank/A.swift", "Shop/B.swift", "Shop/A.swift", "Bank/A.swift"] {
            shop.span(file, file: file)
            bank.span(file, file: file)
        }
        let mixed = zip(shop.spans, bank.spans).flatMap { [$0, $1] }
        let bytes = bytes(mixed)
        let read = try decoded(bytes)
        #expect(
            read.map(\.resource.serviceName) == Array(repeating: "shop", count: 5) + Array(repeating: "bank", count: 5)
        )
        #expect(read.prefix(5).map(\.scope.name) == ["Shop", "Shop", "Shop", "Bank", "Bank"])
        #expect(
            read.prefix(5).map(\.name) == [
                "Shop/A.swift", "Shop/B.swift", "Shop/A.swift", "Bank/A.swift", "Bank/A.swift",
            ]
        )
        #expect(bytes.split(separator: Array("service.name".utf8)).count == 3)
    }

    @Test func `nothing is written of no spans`() { #expect(bytes([]).isEmpty) }

    @Test func `many spans in one message read back, and stand behind what was written before`() throws {
        let tracer = SampleTracer()
        for index in 0..<2000 { tracer.span("span \(index)") }
        var out = ByteWriter(capacity: 16)
        out.append(7)
        OTLPProtobuf.append(tracer.spans, to: &out)
        #expect(out.bytes.first == 7)
        #expect(try decoded(Array(out.bytes.dropFirst())) == tracer.rows)
    }
}
