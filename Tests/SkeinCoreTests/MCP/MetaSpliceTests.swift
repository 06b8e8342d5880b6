// SPDX-License-Identifier: Apache-2.0
import SkeinMCP
import Testing

@Suite struct MetaSpliceTests {
    private static let splice = MetaSplice(traceparent: "00-T", tracestate: "a=1")

    private func spliced(_ text: String, _ splice: MetaSplice = splice) -> String {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { bytes in
            let edits = JSONRPCScanner.scan(bytes).messages.flatMap { splice.edits(of: $0) }
            return String(decoding: edits.applied(to: bytes), as: UTF8.self)
        }
    }

    static let cases: [(text: String, result: String)] = [
        (
            #"{ "id" : 1.0e0,"params":{"_meta":{ "k" : 1 },"name":"a"} , "z":"\u00e4"}"#,
            #"{ "id" : 1.0e0,"params":{"_meta":{"traceparent":"00-T","tracestate":"a=1", "k" : 1 },"name":"a"} , "z":"\u00e4"}"#
        ),
        (
            #"{"params":{"_meta":{}}}"#,
            #"{"params":{"_meta":{"traceparent":"00-T","tracestate":"a=1"}}}"#
        ),
        (
            #"{"params":{"name":"a"}}"#,
            #"{"params":{"_meta":{"traceparent":"00-T","tracestate":"a=1"},"name":"a"}}"#
        ),
        (
            #"{"params":{}}"#,
            #"{"params":{"_meta":{"traceparent":"00-T","tracestate":"a=1"}}}"#
        ),
        (
            #"{"id":1}"#,
            #"{"params":{"_meta":{"traceparent":"00-T","tracestate":"a=1"}},"id":1}"#
        ),
        (
            #"{"params":{"_meta":{"tracestate":"old=1" , "x":[1,2],"traceparent" : "00-old"}}}"#,
            #"{"params":{"_meta":{"tracestate":"a=1" , "x":[1,2],"traceparent" : "00-T"}}}"#
        ),
        (
            #"{"params":{"_meta":{"traceparent":7}}}"#,
            #"{"params":{"_meta":{"tracestate":"a=1","traceparent":"00-T"}}}"#
        ),
        (
            #"[{"params":{}},{"params":{"_meta":{}}}]"#,
            #"[{"params":{"_meta":{"traceparent":"00-T","tracestate":"a=1"}}},{"params":{"_meta":{"traceparent":"00-T","tracestate":"a=1"}}}]"#
        ),
    ]

    @Test(arguments: cases)
    func `only the keys of the context change`(_ text: String, _ result: String) { #expect(spliced(text) == result) }

    @Test(arguments: [#"{"params":[1]}"#, #"{"params":null}"#, #"{"params":{"_meta":null}}"#, "7", #"["a"]"#])
    func `where there is no place for a context nothing changes`(_ text: String) { #expect(spliced(text) == text) }

    @Test func `a context that is there already changes nothing`() {
        let text = #"{"params":{"_meta":{"traceparent":"00-T","tracestate":"a=1","baggage":"k=v"}}}"#
        #expect(spliced(text) == text)
    }

    @Test func `the state of another trace is emptied, and baggage stays`() {
        let text = #"{"params":{"_meta":{"traceparent":"00-X","tracestate":"b=2","baggage":"k=v"}}}"#
        let splice = MetaSplice(traceparent: "00-T", baggage: "other=1")
        let result = #"{"params":{"_meta":{"traceparent":"00-T","tracestate":"","baggage":"k=v"}}}"#
        #expect(spliced(text, splice) == result)
    }

    @Test func `baggage is put in where there is none`() {
        let splice = MetaSplice(traceparent: "00-T", baggage: "k=v")
        #expect(spliced(#"{"params":{}}"#, splice) == #"{"params":{"_meta":{"traceparent":"00-T","baggage":"k=v"}}}"#)
    }

    @Test(arguments: [
        (BaggageFilter.all, "a=1,b=2"), (.none, ""), (.keys(["b"]), "b=2"), (.keys(["b", "c"]), " b = 2;p=1,c=x%2Cy"),
        (.keys(["A", "x"]), ""),
    ])
    func `of baggage only what is allowed passes, as it is written`(_ filter: BaggageFilter, _ passed: String) {
        let given = filter == .keys(["b", "c"]) ? "a=1, b = 2;p=1,c=x%2Cy" : "a=1,b=2"
        #expect(filter.passed(given) == passed)
        let text = #"{"method":"notifications/x","params":{"_meta":{"k":1,"baggage" : "\#(given)"}, "n":1.0}}"#
        let bytes = Array(text.utf8)
        let left = bytes.withUnsafeBytes { bytes in
            let edits = JSONRPCScanner.scan(bytes).messages.flatMap { filter.edits(of: $0) }
            return String(decoding: edits.applied(to: bytes), as: UTF8.self)
        }
        #expect(left == text.replacing(given, with: passed))
    }

    @Test(arguments: ["7", "{\"secret\":1}", "\"k=\(String(repeating: "x", count: 9_000))\""])
    func `baggage that is none, or too long to be read, does not pass a filter`(_ value: String) {
        let bytes = Array(#"{"params":{"_meta":{"baggage":\#(value)}}}"#.utf8)
        let left = bytes.withUnsafeBytes { bytes in
            let edits = JSONRPCScanner.scan(bytes).messages.flatMap { BaggageFilter.keys(["k"]).edits(of: $0) }
            return String(decoding: edits.applied(to: bytes), as: UTF8.self)
        }
        #expect(left == #"{"params":{"_meta":{"baggage":""}}}"#)
    }

    @Test func `a filter is all, none or keys`() {
        #expect(BaggageFilter("all") == .all && BaggageFilter("none") == BaggageFilter.none)
        #expect(BaggageFilter("a,b.c") == .keys(["a", "b.c"]))
        for text in ["", "a,", "a b", "a=1", "ä"] { #expect(BaggageFilter(text) == nil) }
    }

    @Test func `edits outside of the bytes change nothing`() {
        let edits = [ByteEdit(1..<2, [0x62]), ByteEdit(0..<1, [0x78]), ByteEdit(9..<12, [0x79])]
        let bytes: [UInt8] = Array("aaa".utf8)
        #expect(bytes.withUnsafeBytes { edits.applied(to: $0) } == Array("aba".utf8))
    }
}
