// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

@Suite struct JSONWriterTests {
    static func written(_ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter(capacity: 1)
        body(&json)
        return json.text
    }

    @Test func `members and elements are separated by commas at every depth`() {
        let text = Self.written { json in
            json.object { json in
                json.member("a", 1)
                json.array("b") { json in
                    json.object { _ in }
                    json.array { _ in }
                    json.null()
                    json.array { json in
                        json.bool(true)
                        json.bool(false)
                    }
                }
                json.member("c", "x")
            }
        }
        #expect(text == #"{"a":1,"b":[{},[],null,[true,false]],"c":"x"}"#)
    }

    @Test(arguments: [
        ("", #""""#), ("plain", #""plain""#), ("a\"b\\c", #""a\"b\\c""#),
        ("\u{0}\u{1f}\u{8}\u{9}\u{a}\u{c}\u{d}", #""\u0000\u001f\b\t\n\f\r""#), ("héllo 🧶 wörld", #""héllo 🧶 wörld""#),
        ("0123456789\"0123456789\"", #""0123456789\"0123456789\"""#), ("\u{7f}!#[]", "\"\u{7f}!#[]\""),
        ("éééé\u{1}éééé", #""éééé\u0001éééé""#),
    ])
    func `strings are escaped where RFC 8259 asks for it and nowhere else`(text: String, expected: String) {
        #expect(Self.written { $0.string(text) } == expected)
    }

    @Test func `malformed UTF-8 is repaired`() {
        let bytes: [UInt8] = [0x61, 0xff, 0x62, 0xe2, 0x82, 0x63, 0xed, 0xa0, 0x80]
        let text = bytes.withUnsafeBytes { bytes in Self.written { $0.string(utf8: bytes) } }
        #expect(text == "\"\(String(decoding: bytes, as: UTF8.self))\"")
    }

    @Test func `numbers are exact`() {
        #expect(Self.written { $0.int(Int64.min) } == "-9223372036854775808")
        #expect(Self.written { $0.decimal(UInt64.max) } == "\"18446744073709551615\"")
        #expect(Self.written { $0.int(UInt8(0)) } == "0")
        #expect(Self.written { $0.int(Int8.min) } == "-128")
        #expect(Self.written { $0.double(0.1) } == "0.1")
        #expect(Self.written { $0.double(-1e300) } == "-1e+300")
        #expect(Self.written { $0.double(.nan) } == "\"NaN\"")
        #expect(Self.written { $0.double(-.infinity) } == "\"-Infinity\"")
    }

    @Test func `ids are lower-case hexadecimal of full width`() {
        #expect(Self.written { $0.id(TraceID(high: 1, low: 0xabc)) } == "\"00000000000000010000000000000abc\"")
        #expect(Self.written { $0.id(SpanID(0xDEAD_BEEF)) } == "\"00000000deadbeef\"")
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy"),
    ])
    func `bytes are base64 with padding`(text: String, expected: String) {
        let bytes = Array(text.utf8)
        #expect(bytes.withUnsafeBytes { bytes in Self.written { $0.base64(bytes) } } == "\"\(expected)\"")
    }

    @Test func `attribute values have a plain form`() {
        let value: AttributeValue = .map([
            Attribute("a\"", [1, "x", 1.5, .null]), Attribute("b", .bytes([0xff])), Attribute("c", true),
        ])
        #expect(Self.written { $0.plain(value) } == #"{"a\"":[1,"x",1.5,null],"b":"/w==","c":true}"#)
    }
}
