// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire
import Testing

@Suite struct JSONSplitterTests {
    /// The pieces of `text`, handed over `step` bytes at a time: objects as they stand with the list they are from and
    /// their place, faults by name.
    static func pieces(_ text: String, step: Int = .max, objectBytesMax: Int = 1 << 20) -> [String] {
        var splitter = JSONSplitter(objectBytesMax: objectBytesMax)
        var rest = Array(text.utf8)[...]
        var pieces: [String] = []
        func show(_ place: JSONSplitter.Place) -> String { "\(place.line)" + (place.item.map { ".\($0)" } ?? "") }
        repeat {
            let part = rest.prefix(step)
            rest = rest.dropFirst(part.count)
            Array(part).withUnsafeBytes { splitter.append($0) }
            if rest.isEmpty { splitter.finish() }
            while let piece = splitter.next() {
                switch piece {
                case .object(let bytes, let list, let place):
                    let mark = list == .resourceSpans ? "R" : list == .data ? "D" : ""
                    pieces.append("\(mark)\(show(place)) \(String(decoding: bytes, as: UTF8.self))")
                case .fault(let fault, let place):
                    let name =
                        switch fault {
                        case .malformed(let message): message
                        case .cutOff: "cut off"
                        case .notAnObject: "no object"
                        case .tooLarge: "too large"
                        }
                    pieces.append("\(show(place)) !\(name)")
                }
            }
        } while !rest.isEmpty
        return pieces
    }

    static let misplaced = "!a value begins where none may"
    static let garbage = "!neither an object nor a list begins here"

    @Test(arguments: [
        // Values one after the other.
        ("", []),
        (" \n\n ", []),
        ("{}", ["1 {}"]),
        ("{}{}", ["1 {}", "1 {}"]),
        ("{\"a\":1}\n{\"b\":[2,{}]}\n", ["1 {\"a\":1}", "2 {\"b\":[2,{}]}"]),
        ("\u{feff}{}\r\n{}", ["1 {}", "2 {}"]),
        ("{\n\"a\": {\n}\n}\n{}", ["1 {\n\"a\": {\n}\n}", "5 {}"]),
        ("{\"a\":\"}{\\\"[\"}", ["1 {\"a\":\"}{\\\"[\"}"]),
        // Lists.
        ("[]", []),
        ("[{},{}]", ["1.1 {}", "1.2 {}"]),
        ("[\n{},\n{}\n]\n", ["2.1 {}", "3.2 {}"]),
        ("[[{}],[{},{}]]", ["1.1 {}", "1.1 {}", "1.2 {}"]),
        ("[{} {},,{},]", ["1.1 {}", "1.2 {}", "1.3 {}"]),
        ("[{}]\n[{}]", ["1.1 {}", "2.1 {}"]),
        ("[1,\"a,]\",null,{}]", ["1.1 !no object", "1.2 !no object", "1.3 !no object", "1.4 {}"]),
        ("[[[[[[[[[1]]]]]]]]]", ["1.1 !no object"]),
        // Objects around a list.
        ("{\"resourceSpans\":[{\"a\":1},{}]}", ["R1.1 {\"a\":1}", "R1.2 {}"]),
        ("{\"resourceSpans\":[]}\n{\"resourceSpans\" : [ {} ] }", ["R2.1 {}"]),
        ("{\"x\":{\"resourceSpans\":[{}]},\"resourceSpans\":[{}],\"y\":[{}]}", ["R1.1 {}"]),
        ("[{\"resourceSpans\":[{}]},{\"resourceSpans\":[{}]}]", ["R1.1 {}", "R1.1 {}"]),
        ("{\"resourceSpans\":[[1]]}", ["1.1 !no object"]),
        ("{\"resourceSpans\":{}}", ["1 {\"resourceSpans\":{}}"]),
        ("{\"total\":0,\"data\":[{\"data\":[{}]}],\"errors\":null}", ["D1.1 {\"data\":[{}]}"]),
        ("{\"traceId\":\"1\",\"data\":[{}]}", ["1 {\"traceId\":\"1\",\"data\":[{}]}"]),
        ("{\"data\":null}", ["1 {\"data\":null}"]),
    ])
    func `objects are cut out of whatever is around them`(text: String, pieces: [String]) {
        #expect(Self.pieces(text) == pieces)
    }

    @Test(arguments: [
        // One line that is cut off costs itself.
        ("{\"a\":\n{}\n", ["1 !cut off"]),
        ("{\"a\":1,\n{}\n{}", ["1 \(misplaced)", "2 {}", "3 {}"]),
        ("{\"a\":[1\n{}\n{}", ["1 \(misplaced)", "2 {}", "3 {}"]),
        ("{\"a\":\"b\n{}\n{}", ["1 !a line ends inside a string", "2 {}", "3 {}"]),
        ("{\"a\":tru\n{}", ["1 \(misplaced)", "2 {}"]),
        ("{\"resourceSpans\":[{\"a\":1,\n{\"resourceSpans\":[{}]}", ["1.1 \(misplaced)", "R2.1 {}"]),
        ("[\n{\"a\":1,\n{},\n{}\n]", ["2.1 \(misplaced)", "3 {}", "4 {}"]),
        ("a\":1}\n{}", ["1 \(garbage)", "2 {}"]),
        ("what\n\nis\n{}", ["1 \(garbage)", "3 \(garbage)", "4 {}"]),
        // What cannot be cut by line.
        ("[{\"a\":[}},{}]", ["1.1 !a bracket closes that is not open"]),
        ("[{},}", ["1.1 {}", "1 !a bracket closes that is not open"]),
        // The end.
        ("{", ["1 !cut off"]),
        ("{\"a", ["1 !cut off"]),
        ("{\"a\\", ["1 !cut off"]),
        ("[{},", ["1.1 {}", "1.2 !cut off"]),
        ("[{},\n{\"a\"", ["1.1 {}", "2.2 !cut off"]),
        ("{\"resourceSpans\":[{}]", ["R1.1 {}", "1.1 !cut off"]),
        ("[1", ["1.1 !no object"]),
    ])
    func `what is out of order costs no more than it must`(text: String, pieces: [String]) {
        #expect(Self.pieces(text) == pieces)
    }

    @Test func `how the bytes come makes no difference`() {
        let text = """
            [1,{"a":"\\"\\\\{"},[{"b":{}}]]
            {"total":1,"data":[{"x":[[]]},{}],"errors":null}
            {"broken":
            {"resourceSpans":[{"c":"\\u0041"}]}
            nothing
            {"e":[1,2]}
            {"f
            """
        let whole = Self.pieces(text)
        #expect(whole.count == 8)
        for step in 1...20 { #expect(Self.pieces(text, step: step) == whole, "\(step) bytes at a time") }
    }

    @Test func `an object that is too large is passed over`() {
        let large = "{\"a\":\"\(String(repeating: "x", count: 100))\"}"
        for step in [1, 7, 1000] {
            let pieces = Self.pieces("{}\n\(large)\n[\(large),{}]", step: step, objectBytesMax: 50)
            #expect(pieces == ["1 {}", "2 !too large", "3.1 !too large", "3.2 {}"])
        }
    }

    @Test func `what nests too deep is no reason to go on counting`() {
        let deep = String(repeating: "[", count: 300)
        #expect(Self.pieces("{\"a\":\(deep)\n{}") == ["1 !objects and arrays nest deeper than 256", "2 {}"])
    }
}
