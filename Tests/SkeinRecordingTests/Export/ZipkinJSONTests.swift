// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinExport
import SkeinModel
import SkeinRecording
import SkeinWire
import Testing
import Tracing

@Suite struct ZipkinJSONTests {
    private func text(_ spans: [FinishedSpan]) -> String {
        var json = JSONWriter()
        ZipkinJSON.write(spans, to: &json)
        return json.text
    }

    private func decoded(_ spans: [FinishedSpan]) throws -> [SkeinModel.Span] {
        var decoder = Zipkin.SpanDecoder()
        let decoded = try Array(text(spans).utf8)
            .withUnsafeBytes { try decoder.decode($0, as: .jsonV2, receivedUnixNanos: 1) }
        #expect(decoded.rejectedCount == 0 && decoded.warning.isEmpty)
        return (0..<decoded.batch.count).map { decoded.batch.span(at: $0) }
    }

    /// The text of a remote endpoint, given a span of this kind with these attributes.
    private func remote(_ attributes: [(String, AttributeValue)], kind: SpanKind = .client) throws -> String {
        let tracer = SampleTracer(Resource())
        tracer.span(kind: kind) { span in
            for (key, value) in attributes { span.setAttribute(key, value) }
        }
        let text = text(tracer.spans)
        guard let start = text.firstRange(of: #""remoteEndpoint":"#) else { return "none" }
        return String(text[start.upperBound...].prefix { $0 != "}" }) + "}"
    }

    @Test func `a span has whole microseconds, its service, and tags of text`() {
        let tracer = SampleTracer()
        let parent = tracer.span("serve", kind: .server)
        tracer.span("pay", kind: .client, nanos: 1_999, in: parent.context) { span in
            span.setAttribute("peer.service", "bank")
            span.setAttribute("amount", 5)
            span.setAttribute("final", true)
            span.attributes["codes"] = ["a", "\""]
            span.addEvent(SpanEvent(name: "sent", at: Moment(nanosecondsSinceEpoch: 2_999), attributes: ["bytes": 7]))
            span.addEvent(SpanEvent(name: "done", at: Moment(nanosecondsSinceEpoch: 3_000)))
        }
        #expect(
            text(tracer.spans) == """
                [{"traceId":"a0b1c2d3e4f506170000000000000001","id":"02000000000000ff","name":"serve","kind":"SERVER",\
                "timestamp":1767323045123456,"duration":2000,"localEndpoint":{"serviceName":"shop"},\
                "tags":{"process.pid":"7","otel.scope.name":"Shop"}},\
                {"traceId":"a0b1c2d3e4f506170000000000000001","id":"03000000000000ff","parentId":"02000000000000ff",\
                "name":"pay","kind":"CLIENT","timestamp":1767323045123456,"duration":1,\
                "localEndpoint":{"serviceName":"shop"},"remoteEndpoint":{"serviceName":"bank"},\
                "annotations":[{"timestamp":2,"value":"\\"sent\\":{\\"bytes\\":7}"},{"timestamp":3,"value":"done"}],\
                "tags":{"peer.service":"bank","amount":"5","final":"true","codes":"[\\"a\\",\\"\\\\\\"\\"]",\
                "process.pid":"7","otel.scope.name":"Shop"}}]
                """
        )
    }

    @Test func `an internal span has no kind, and none is shorter than a microsecond`() {
        let tracer = SampleTracer(Resource())
        tracer.span("", start: 999, nanos: 0, file: "")
        #expect(
            text(tracer.spans) == """
                [{"traceId":"a0b1c2d3e4f506170000000000000001","id":"02000000000000ff","duration":1,\
                "localEndpoint":{"serviceName":"unknown_service"}}]
                """
        )
    }

    @Test func `a status is a tag, an error has one more, and a denied error has none`() throws {
        let tracer = SampleTracer(Resource())
        tracer.span(file: "") { span in
            span.setStatus(SpanStatus(code: .ok))
            span.setAttribute("error", false)
        }
        tracer.span(file: "") { $0.setStatus(SpanStatus(code: .error)) }
        tracer.span(file: "") { span in
            span.setStatus(SpanStatus(code: .error, message: "no stock"))
            span.setAttribute("error", "overwritten")
            span.setAttribute("otel.status_code", "overwritten")
        }
        let tags = text(tracer.spans).split(separator: #""tags":"#).dropFirst().map { $0.prefix { $0 != "}" } + "}" }
        #expect(
            tags == [
                #"{"otel.status_code":"OK"}"#, #"{"otel.status_code":"ERROR","error":""}"#,
                #"{"otel.status_code":"ERROR","error":"no stock"}"#,
            ]
        )
    }

    @Test func `the other side is what ranks first, of calls that go out`() throws {
        #expect(try remote([("server.address", "b"), ("peer.service", "a")]) == #"{"serviceName":"a"}"#)
        #expect(try remote([("net.peer.name", "c"), ("server.address", "b")]) == #"{"serviceName":"b"}"#)
        #expect(try remote([("db.name", "d"), ("peer.address", "c")], kind: .producer) == #"{"serviceName":"c"}"#)
        #expect(try remote([("peer.service", 7), ("db.name", "d")]) == #"{"serviceName":"d"}"#)
        #expect(
            try remote([("network.peer.port", 80), ("network.peer.address", "10.0.0.1")])
                == #"{"ipv4":"10.0.0.1","port":80}"#
        )
        #expect(
            try remote([("net.sock.peer.addr", "2001:db8::1"), ("net.sock.peer.port", 70_000)])
                == #"{"ipv6":"2001:db8::1"}"#
        )
        #expect(try remote([("server.socket.address", "/tmp/socket")]) == #"{"serviceName":"/tmp/socket"}"#)
        #expect(try remote([("url.path", "/")]) == "none")
        #expect(try remote([("peer.service", "a")], kind: .server) == "none")
    }

    @Test func `what the resource has is not said where the span says it itself`() {
        let tracer = SampleTracer(
            Resource(attributes: [
                Attribute("a", 1), Attribute("b", .bytes([1, 2, 3])), Attribute("b", 2), Attribute("c", .null),
            ])
        )
        tracer.span(file: "") { $0.setAttribute("a", 7) }
        #expect(text(tracer.spans).contains(#""tags":{"a":"7","b":"AQID","c":""}"#))
    }

    @Test(arguments: Sample.all) func `what Zipkin can say reads back`(sample: Sample) throws {
        let read = try decoded(sample.spans)
        #expect(read.count == sample.spans.count)
        for (read, made) in zip(read, SampleTracer.rows(sample.spans)) {
            #expect(read.traceID == made.traceID && read.spanID == made.spanID)
            #expect(read.parentSpanID == made.parentSpanID && read.name == made.name)
            #expect(read.kind == (made.kind == .internal ? .unspecified : made.kind))
            #expect(read.startUnixNanos == made.startUnixNanos / 1000 * 1000 || made.startUnixNanos < 1000)
            #expect(read.durationNanos == max(1000, made.durationNanos / 1000 * 1000))
            #expect(read.status == made.status && read.scope == made.scope && read.traceState == made.traceState)
            #expect(read.droppedAttributesCount == made.droppedAttributesCount)
            #expect(read.droppedEventsCount == made.droppedEventsCount)
            #expect(read.droppedLinksCount == made.droppedLinksCount)
            #expect(read.events.map(\.name) == made.events.map(\.name))
            #expect(read.events.last?.attributes["index"] == made.events.last?.attributes["index"])
            #expect(read.links.map(\.spanID) == made.links.map(\.spanID))
            #expect(read.links.last?.attributes == made.links.last?.attributes)
            #expect(
                read.resource.serviceName
                    == (made.resource.serviceName.isEmpty ? "unknown_service" : made.resource.serviceName)
            )
            for attribute in made.attributes {
                #expect(
                    read.attributes[attribute.key] == .string(RecordedValue(attribute.value).text)
                        || attribute.key == "error"
                )
            }
        }
    }

    @Test func `no spans are an empty list`() { #expect(text([]) == "[]") }
}
