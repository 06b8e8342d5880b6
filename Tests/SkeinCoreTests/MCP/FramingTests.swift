// SPDX-License-Identifier: Apache-2.0
import SkeinMCP
import Testing

@Suite struct FramingTests {
    /// The bytes that pieces stand for.
    private func bytes(_ pieces: [LineSplitter.Piece]) -> [UInt8] {
        pieces.flatMap { piece in
            switch piece {
            case .line(let line): line
            case .part(let part, _, _): part
            }
        }
    }

    @Test(arguments: 1...9)
    func `lines come whole however they arrive, and none is lost`(_ size: Int) {
        let text = Array("a\n\nbcd\r\nlong line here\nrest".utf8)
        var splitter = LineSplitter(lineBytesMax: 8)
        var pieces: [LineSplitter.Piece] = []
        for start in stride(from: 0, to: text.count, by: size) {
            pieces += text[start..<min(start + size, text.count)].withUnsafeBytes { splitter.add($0) }
        }
        #expect(bytes(pieces) + splitter.finish() == text)
        let lines = pieces.compactMap { piece -> String? in
            if case .line(let line) = piece { String(decoding: line, as: UTF8.self) } else { nil }
        }
        #expect(lines == ["a\n", "\n", "bcd\r\n"])
        let parts = pieces.compactMap { piece -> (Bool, Bool)? in
            if case .part(_, let isFirst, let isLast) = piece { (isFirst, isLast) } else { nil }
        }
        #expect(parts.first?.0 == true && parts.last?.1 == true)
        #expect(parts.count { $0.0 } == 1 && parts.count { $0.1 } == 1)
    }

    @Test(arguments: 1...7, ["\n", "\r\n", "\r"])
    func `events come whole however they arrive`(_ size: Int, _ newline: String) {
        let text = [
            "\u{feff}: hello", "id: 7", "data: {\"a\":", "data:1}", "", "event: endpoint", "data: /messages", "",
            "retry: 5", "",
            "data", "", "data: cut",
        ].joined(separator: newline)
        let all = Array(text.utf8)
        var reader = EventStreamReader(dataBytesMax: 1_000)
        var events: [EventStreamReader.Event] = []
        for start in stride(from: 0, to: all.count, by: size) {
            events += all[start..<min(start + size, all.count)].withUnsafeBytes { reader.add($0) }
        }
        #expect(events.map(\.name) == ["message", "endpoint", "message"])
        #expect(events.map { String(decoding: $0.data.bytes, as: UTF8.self) } == ["{\"a\":\n1}", "/messages", ""])
        #expect(events.map(\.hasID) == [true, false, false])
    }

    @Test func `an event that is too long is not kept, and the next one is`() {
        var reader = EventStreamReader(dataBytesMax: 4)
        let events = Array("data: 123456789\n\ndata: 12\n\n".utf8).withUnsafeBytes { reader.add($0) }
        #expect(events.map { String(decoding: $0.data.bytes, as: UTF8.self) } == ["", "12"])
        #expect(events.map(\.data.isLong) == [true, false])
        #expect(events.map(\.data.byteCount) == [9, 2])
    }

    /// Each byte is looked at once or twice: looked at again for each line, this would be a hundred thousand million.
    @Test(arguments: ["\r", "\n", "\r\n"])
    func `a million short lines in one piece are read at once`(_ newline: String) {
        let text = Array(String(repeating: "data" + newline, count: 1_000_000).utf8) + Array((newline + newline).utf8)
        var reader = EventStreamReader(dataBytesMax: 1 << 20)
        let events = text.withUnsafeBytes { reader.add($0) }
        #expect(events.map(\.data.byteCount) == [999_999])
    }
}
