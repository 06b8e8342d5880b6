// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinExport
import SkeinModel
import SkeinRecording
import SkeinWire
import Testing
import Tracing

@Suite struct OTLPJSONTests {
    private func text(_ spans: [FinishedSpan]) -> String {
        var json = JSONWriter()
        OTLPJSON.write(spans, to: &json)
        return json.text
    }

    @Test(arguments: Sample.all) func `what is written reads back as the same spans`(sample: Sample) throws {
        var rows = SampleTracer.rows(sample.spans)
        for row in rows.indices where rows[row].traceState.contains("th:c") { rows[row].weight = 4 }
        var decoder = OTLP.JSONDecoder()
        let decoded = try Array(text(sample.spans).utf8)
            .withUnsafeBytes { try decoder.decode($0, receivedUnixNanos: 1) }
        #expect((0..<decoded.batch.count).map { decoded.batch.span(at: $0) } == rows)
        #expect(decoded.warning.isEmpty)
    }

    @Test(arguments: Sample.all) func `it is the text that protobuf would be as JSON`(sample: Sample) throws {
        var bytes = ByteWriter()
        OTLPProtobuf.append(sample.spans, to: &bytes)
        var decoder = OTLP.ProtobufDecoder()
        let decoded = try decoder.decode(bytes.bytes, receivedUnixNanos: 1)
        var json = JSONWriter()
        OTLP.JSONEncoder(decoded.batch).write(to: &json)
        #expect(text(sample.spans) == json.text)
    }

    @Test func `ids are hexadecimal, enums are numbers, and 64-bit integers are strings`() {
        let tracer = SampleTracer()
        tracer.span("pay", kind: .client) { span in
            span.setAttribute("amount", 5)
            span.setAttribute("rate", Double.nan)
            span.setStatus(SpanStatus(code: .error, message: "\"no\" stock"))
        }
        #expect(
            text(tracer.spans) == """
                {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},\
                {"key":"process.pid","value":{"intValue":"7"}}]},"scopeSpans":[{"scope":{"name":"Shop"},"spans":[\
                {"traceId":"a0b1c2d3e4f506170000000000000001","spanId":"02000000000000ff","name":"pay","kind":3,\
                "startTimeUnixNano":"1767323045123456789","endTimeUnixNano":"1767323045125456789",\
                "attributes":[{"key":"amount","value":{"intValue":"5"}},{"key":"rate","value":{"doubleValue":"NaN"}}],\
                "status":{"message":"\\"no\\" stock","code":2},"flags":257}]}]}]}
                """
        )
    }

    @Test func `no spans are an empty list`() { #expect(text([]) == #"{"resourceSpans":[]}"#) }
}
