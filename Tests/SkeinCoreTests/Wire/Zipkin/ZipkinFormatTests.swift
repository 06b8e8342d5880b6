// SPDX-License-Identifier: Apache-2.0
import SkeinWire
import Testing

@Suite struct ZipkinFormatTests {
    @Test(arguments: [
        ("[]", Zipkin.Format?.some(.jsonV2)), ("{}", .jsonV2), ("\n\r\t [", .jsonV2), ("\n[", .jsonV2), ("", nil),
        ("  ", nil),
        ("hello", nil), ("<a>", nil), ("\"a\"", nil), ("\u{0a}\u{05}abcde", .proto3),
        ("\u{0c}\u{00}\u{00}\u{00}\u{01}", .thrift),
        ("\u{0a}\u{00}\u{01}", .thrift), ("\u{0b}\u{00}", .thrift), ("\u{0a}", .thrift),
    ])
    func `the first bytes show the format`(text: String, format: Zipkin.Format?) {
        #expect(Zipkin.format(Array(text.utf8), sentTo: .v2) == format)
        #expect(Zipkin.format(Array(text.utf8), sentTo: .v1) == (format == .jsonV2 ? .jsonV1 : format))
    }

    @Test func `a line feed is the tag of a span where the content type says so`() {
        #expect(Zipkin.format(Array("\n[".utf8), sentTo: .v2, isBinary: true) == .proto3)
    }

    @Test(arguments: [
        #"[{"traceId":"1","id":"2","binaryAnnotations":[]}]"#,
        #"[{"traceId":"1","id":"2","annotations":[{"timestamp":1,"value":"cs","endpoint":{"serviceName":"a"}}]}]"#,
    ])
    func `spans of version 1 are no spans of version 2`(json: String) throws {
        let error = #expect(throws: WireError.self) { try Zipkin.spans(json) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.hasPrefix("Expected a JSON_V2 encoded list, but received: JSON_V1") == true)
        #expect(error?.message.contains("/api/v1/spans") == true)
        #expect(try Zipkin.v1Spans(json).count == 1)
    }

    @Test(arguments: [
        #"[{"traceId":"1","id":"2","tags":{}}]"#, #"[{"traceId":"1","id":"2","localEndpoint":{"serviceName":"a"}}]"#,
        #"[{"traceId":"1","id":"2","remoteEndpoint":{"serviceName":"a"}}]"#,
    ])
    func `spans of version 2 are no spans of version 1`(json: String) throws {
        let error = #expect(throws: WireError.self) { try Zipkin.v1Spans(json) }
        #expect(error?.message.hasPrefix("Expected a JSON_V1 encoded list, but received: JSON_V2") == true)
        #expect(error?.message.contains("/api/v2/spans") == true)
        #expect(try Zipkin.spans(json).count == 1)
    }

    @Test func `a text that looks like the other version is none`() throws {
        #expect(try Zipkin.spans(#"[{"traceId":"1","id":"2","tags":{"a":"binaryAnnotations"}}]"#).count == 1)
    }
}
