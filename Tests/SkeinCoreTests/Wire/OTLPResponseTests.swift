// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire
import Testing

@Suite struct OTLPResponseTests {
    static func protobuf(_ response: OTLP.ExportResponse) -> [UInt8] {
        var out = ByteWriter()
        response.appendProtobuf(to: &out)
        return out.array()
    }

    static func json(_ response: OTLP.ExportResponse) -> String {
        var json = JSONWriter()
        response.write(to: &json)
        return json.text
    }

    @Test func `full success says nothing`() {
        #expect(Self.protobuf(.init()).isEmpty)
        #expect(Self.json(.init()) == "{}")
    }

    @Test func `partial success says how many and why`() {
        let response = OTLP.ExportResponse(rejectedCount: 300, errorMessage: "bad ids")
        #expect(Self.protobuf(response) == Bytes.hex("0a0c 08ac02 1207 62616420696473"))
        #expect(Self.json(response) == #"{"partialSuccess":{"rejectedSpans":"300","errorMessage":"bad ids"}}"#)
    }

    @Test func `a warning rejects nothing`() {
        let response = OTLP.ExportResponse(errorMessage: "use lowerCamelCase")
        #expect(Self.json(response) == #"{"partialSuccess":{"errorMessage":"use lowerCamelCase"}}"#)
    }

    @Test func `a status names its code and, when asked to, the time to wait`() {
        var out = ByteWriter()
        OTLP.RPCStatus(.invalidArgument, "no").appendProtobuf(to: &out)
        #expect(out.array() == Bytes.hex("0803 1202 6e6f"))
        out.removeAll()
        OTLP.RPCStatus(.unavailable, "busy", retryDelaySeconds: 2).appendProtobuf(to: &out)
        let type = Bytes.field(1, "type.googleapis.com/google.rpc.RetryInfo")
        #expect(
            out.array() == Bytes.hex("080e 1204 62757379")
                + Bytes.field(3, type + Bytes.field(2, Bytes.field(1, Bytes.field(1, varint: 2))))
        )
        var json = JSONWriter()
        OTLP.RPCStatus(.invalidArgument, "a \"b\"").write(to: &json)
        #expect(json.text == #"{"code":3,"message":"a \"b\""}"#)
    }
}
