// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

@Suite struct OTLPJSONTests {
    static func encode(_ batch: SpanBatch) -> String {
        var json = JSONWriter()
        OTLP.JSONEncoder(batch).write(to: &json)
        return json.text
    }

    static let fullJSON = #"""
        {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}],
        "droppedAttributesCount":6},"scopeSpans":[{"scope":{"name":"lib","version":"1",
        "attributes":[{"key":"q","value":{"intValue":"1"}}],"droppedAttributesCount":7},"spans":[{
        "traceId":"00000000000000010000000000000002","spanId":"0000000000000003","traceState":"a=b",
        "parentSpanId":"0000000000000004","name":"GET /","kind":2,"startTimeUnixNano":"1000",
        "endTimeUnixNano":"1500","attributes":[{"key":"s","value":{"stringValue":"text"}},
        {"key":"b","value":{"boolValue":true}},{"key":"i","value":{"intValue":"-7"}},
        {"key":"d","value":{"doubleValue":1.5}},{"key":"bytes","value":{"bytesValue":"AP8="}},
        {"key":"none","value":{}},{"key":"list","value":{"arrayValue":{"values":[{"stringValue":"a"},
        {"intValue":"1"},{"arrayValue":{"values":[{"boolValue":false}]}}]}}},
        {"key":"map","value":{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"9"}}]}}}],
        "droppedAttributesCount":1,"events":[{"timeUnixNano":"1100","name":"e",
        "attributes":[{"key":"x","value":{"intValue":"1"}}],"droppedAttributesCount":2}],"droppedEventsCount":3,
        "links":[{"traceId":"00000000000000050000000000000006","spanId":"0000000000000007","traceState":"c=d",
        "attributes":[{"key":"y","value":{"stringValue":"z"}}],"droppedAttributesCount":4,"flags":1}],
        "droppedLinksCount":5,"status":{"message":"boom","code":2},"flags":769}],"schemaUrl":"https://s"}],
        "schemaUrl":"https://r"}]}
        """#.split(separator: "\n").joined()

    @Test func `every field is written as the specification says`() {
        #expect(Self.encode(SpanBatch(spans: [OTLPProtobufTests.full])) == Self.fullJSON)
    }

    @Test func `what has its default is left out`() {
        let text = Self.encode(SpanBatch(spans: [SpanBatchTests.bare]))
        let span = #"""
            {"traceId":"00000000000000000000000000000009","spanId":"0000000000000001","startTimeUnixNano":"0","endTimeUnixNano":"0"}
            """#
        #expect(text == #"{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":["# + span + "]}]}]}")
    }
}
