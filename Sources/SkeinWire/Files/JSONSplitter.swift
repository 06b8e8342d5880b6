// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Cuts a stream of JSON into the objects it holds, in memory for one of them, and does not read what is in them.
///
/// The stream is any number of values one after the other: JSON lines, or one document. Objects come out that stand on
/// their own, in a list, in a list of lists, or in the list that is the member `resourceSpans` (OTLP) or `data` (Jaeger's
/// answers) of an object around them. Commas may be missing, or too many.
///
/// What is out of order costs no more than it must: reading goes on at the next line that begins with a bracket. An object
/// that another one begins inside of, as happens where a line was cut off, is noticed as soon as the grammar forbids it.
package struct JSONSplitter: ~Copyable {
    /// What was found.
    package enum Piece {
        /// An object from `{` to `}`, lent until the next call; its members are not checked.
        case object(UnsafeRawBufferPointer, List, Place)
        /// Something that is left out.
        case fault(Fault, Place)
    }

    /// Which list an object was an element of.
    package enum List: Sendable {
        /// None, or one that has no name.
        case unnamed
        case resourceSpans
        case data
    }

    /// Where a piece begins.
    package struct Place: Hashable, Sendable {
        /// From 1 on.
        package var line: Int
        /// In the innermost list around it, from 1 on; `nil` outside of lists.
        package var item: Int?
    }

    package enum Fault: Hashable, Sendable {
        /// No JSON, with what was found.
        case malformed(String)
        /// The stream ends inside of it.
        case cutOff
        /// A value that is no object.
        case notAnObject
        /// An object of more bytes than are held.
        case tooLarge(limit: Int)
    }

    /// Most bytes of an object by default.
    package static let objectBytesMax = 256 << 20
    /// How many lists may lie around an object.
    private static let listDepthMax = 8
    /// Longest key that is looked at.
    private static let keyBytesMax = 32

    private enum Mode {
        /// Between values.
        case outside
        /// In a value, whose brackets are counted.
        case inside
        /// In a line that is left out.
        case skippingLine
        /// Before a line that begins with a bracket.
        case seeking
    }

    private let objectBytesMax: Int
    private var buffer = ByteWriter(capacity: 64 << 10)
    /// Of the next byte to look at, in `buffer`, as all offsets below.
    private var at = 0
    private var lineStart = 0
    private var line = 1
    private var isFinished = false
    private var mode = Mode.outside
    /// Open lists whose elements are pieces, the outermost first.
    private var lists: [(list: List, itemCount: Int)] = []
    /// The line that the outermost open list, or the object around it, began in.
    private var outermostLine = 1

    // Of the value that is being read.
    private var start = 0
    private var place = Place(line: 1)
    /// Its open brackets; a value without any is a text, a number or a word.
    private var brackets: [UInt8] = []
    /// The last byte that was no blank; a quote for a string.
    private var previous: UInt8 = 0
    /// Whether its bytes are held, since it will be a piece.
    private var isHeld = false
    private var isTooLarge = false
    /// Whether a list in it may hold the pieces.
    private var mayWrap = false
    /// The list that its last key names.
    private var namedList = List.unnamed
    private var hasForeignKey = false
    private var isInString = false
    private var isKey = false
    private var stringStart = 0

    /// A splitter that holds objects of at most `objectBytesMax` bytes.
    package init(objectBytesMax: Int = Self.objectBytesMax) { self.objectBytesMax = objectBytesMax }

    /// Takes the next bytes of the stream. Pieces that were lent are gone.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        var unneeded = at
        if mode == .inside {
            if isHeld { unneeded = min(unneeded, start) }
            if isInString, isKey { unneeded = min(unneeded, stringStart) }
        }
        buffer.removeFirst(unneeded)
        at -= unneeded
        start -= unneeded
        stringStart -= unneeded
        lineStart -= unneeded
        buffer.append(bytes)
    }

    /// Says that the stream ends here.
    package mutating func finish() { isFinished = true }

    /// The next piece; `nil` when it takes more bytes, or when there are no more.
    package mutating func next() -> Piece? {
        let bytes = buffer.bytes
        while at < bytes.count {
            let piece =
                switch mode {
                case .outside: readOutside(bytes[at])
                case .inside: readInside(bytes)
                case .skippingLine: skipLine(bytes)
                case .seeking: seek(bytes)
                }
            if let piece { return piece }
            if isWaiting { break }
        }
        return isFinished ? end() : nil
    }

    /// Whether an escape at the end of the bytes waits for what it escapes.
    private var isWaiting: Bool { mode == .inside && isInString && at == buffer.count &- 1 }

    // MARK: Between values

    private mutating func readOutside(_ byte: UInt8) -> Piece? {
        switch byte {
        case 0x0a: endLine()
        case 0x20, 0x09, 0x0d, UInt8(ascii: ","): at &+= 1
        // A byte order mark, which some programs write first.
        case 0xef, 0xbb, 0xbf: at &+= 1
        case UInt8(ascii: "{"): begin(byte)
        case UInt8(ascii: "["):
            guard lists.last?.list ?? .unnamed == .unnamed, lists.count < Self.listDepthMax else {
                begin(byte)
                return nil
            }
            if lists.isEmpty { outermostLine = line }
            lists.append((.unnamed, 0))
            at &+= 1
        case UInt8(ascii: "]"):
            at &+= 1
            // Behind a fault the closing brackets of what was around it are left, and say nothing.
            guard let closed = lists.popLast(), closed.list != .unnamed else { return nil }
            // Back to the rest of the object around the list.
            mode = .inside
            brackets = [UInt8(ascii: "{")]
            previous = UInt8(ascii: "]")
            isHeld = false
            isTooLarge = false
            mayWrap = true
        case UInt8(ascii: "}") where lists.isEmpty: at &+= 1
        case UInt8(ascii: "}"):
            place = Place(line: line)
            return breakOff("a bracket closes that is not open")
        default:
            guard lists.isEmpty else {
                begin(byte)
                return nil
            }
            mode = .skippingLine
            place = Place(line: line)
            return .fault(.malformed("neither an object nor a list begins here"), place)
        }
        return nil
    }

    /// Begins a value.
    private mutating func begin(_ byte: UInt8) {
        mode = .inside
        start = at
        isHeld = true
        isTooLarge = false
        isInString = false
        place = Place(line: line)
        if lists.isEmpty {
            outermostLine = line
        } else {
            lists[lists.count - 1].itemCount += 1
            place.item = lists[lists.count - 1].itemCount
        }
        mayWrap = byte == UInt8(ascii: "{") && lists.last?.list ?? .unnamed == .unnamed
        namedList = .unnamed
        hasForeignKey = false
        previous = 0
        brackets.removeAll(keepingCapacity: true)
        guard byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") else { return }
        brackets.append(byte)
        previous = byte
        at &+= 1
    }

    private mutating func endLine() {
        at &+= 1
        line += 1
        lineStart = at
    }

    // MARK: In a value

    private mutating func readInside(_ bytes: UnsafeRawBufferPointer) -> Piece? {
        if isHeld, at &- start > objectBytesMax {
            isHeld = false
            isTooLarge = true
        }
        while at < bytes.count {
            if isInString {
                if let fault = readString(bytes) { return fault }
                guard !isInString else { return nil }
            }
            guard at < bytes.count else { return nil }
            let byte = bytes[at]
            switch byte {
            case 0x0a:
                if brackets.isEmpty { return finishValue(bytes) }
                endLine()
            case 0x20, 0x09, 0x0d:
                if brackets.isEmpty { return finishValue(bytes) }
                at &+= 1
            case UInt8(ascii: "\""):
                isInString = true
                isKey =
                    mayWrap && brackets.count == 1
                    && (previous == UInt8(ascii: "{") || previous == UInt8(ascii: ","))
                at &+= 1
                stringStart = at
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard let innermost = brackets.last else { return finishValue(bytes) }
                if innermost == UInt8(ascii: "{") {
                    guard previous == UInt8(ascii: ":") else { return breakOff("a value begins where none may") }
                    if byte == UInt8(ascii: "["), brackets.count == 1, namedList != .unnamed {
                        unwrap()
                        return nil
                    }
                } else {
                    guard previous == UInt8(ascii: ",") || previous == UInt8(ascii: "[") else {
                        return breakOff("a value begins where none may")
                    }
                }
                guard brackets.count < JSONReader.depthMax else {
                    return breakOff("objects and arrays nest deeper than \(JSONReader.depthMax)")
                }
                brackets.append(byte)
                previous = byte
                at &+= 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard let innermost = brackets.last else { return finishValue(bytes) }
                // In ASCII each closing bracket is two behind its opening one.
                guard byte == innermost &+ 2 else { return breakOff("a bracket closes that is not open") }
                brackets.removeLast()
                previous = byte
                at &+= 1
                if brackets.isEmpty { return finishValue(bytes) }
            case UInt8(ascii: ","):
                if brackets.isEmpty { return finishValue(bytes) }
                previous = byte
                at &+= 1
            default:
                previous = byte
                at &+= 1
            }
        }
        return nil
    }

    /// Reads to the end of a string, or of what there is of it.
    private mutating func readString(_ bytes: UnsafeRawBufferPointer) -> Piece? {
        while true {
            at = JSONText.indexOfSpecial(bytes, from: at)
            guard at < bytes.count else { return nil }
            switch bytes[at] {
            case UInt8(ascii: "\""):
                isInString = false
                previous = UInt8(ascii: "\"")
                if isKey { noteKey(UnsafeRawBufferPointer(rebasing: bytes[stringStart..<at])) }
                at &+= 1
                return nil
            case UInt8(ascii: "\\"):
                guard at &+ 1 < bytes.count else { return nil }
                at &+= 2
            case 0x0a: return breakOff("a line ends inside a string")
            default: at &+= 1
            }
            if isKey, at &- stringStart > Self.keyBytesMax {
                isKey = false
                hasForeignKey = true
                namedList = .unnamed
            }
        }
    }

    private mutating func noteKey(_ bytes: UnsafeRawBufferPointer) {
        switch JSONKey(bytes: bytes) {
        case "resourceSpans": namedList = .resourceSpans
        case "data": namedList = hasForeignKey ? .unnamed : .data
        // What else is in answers of Jaeger.
        case "total", "limit", "offset", "errors": namedList = .unnamed
        default:
            namedList = .unnamed
            hasForeignKey = true
        }
    }

    /// Enters the list that holds the pieces; the object around it is none.
    private mutating func unwrap() {
        lists.append((namedList, 0))
        isHeld = false
        mode = .outside
        namedList = .unnamed
        at &+= 1
    }

    private mutating func finishValue(_ bytes: UnsafeRawBufferPointer) -> Piece? {
        mode = .outside
        if isTooLarge || isHeld && at &- start > objectBytesMax {
            return .fault(.tooLarge(limit: objectBytesMax), place)
        }
        guard isHeld else { return nil }
        guard bytes[start] == UInt8(ascii: "{") else { return .fault(.notAnObject, place) }
        let object = UnsafeRawBufferPointer(rebasing: bytes[start..<at])
        return .object(object, lists.last?.list ?? .unnamed, place)
    }

    // MARK: Faults

    /// Leaves out the value and all that is open around it. When it began in an earlier line, this line is not its fault.
    private mutating func breakOff(_ message: String) -> Piece {
        if line > outermostLine, lineStart >= 0 { at = lineStart }
        lists.removeAll()
        mode = .seeking
        return .fault(.malformed(message), place)
    }

    private mutating func skipLine(_ bytes: UnsafeRawBufferPointer) -> Piece? {
        while at < bytes.count {
            guard bytes[at] != 0x0a else {
                endLine()
                mode = .outside
                return nil
            }
            at &+= 1
        }
        return nil
    }

    private mutating func seek(_ bytes: UnsafeRawBufferPointer) -> Piece? {
        while at < bytes.count {
            if at == lineStart, bytes[at] == UInt8(ascii: "{") || bytes[at] == UInt8(ascii: "[") {
                mode = .outside
                return nil
            }
            if bytes[at] == 0x0a { endLine() } else { at &+= 1 }
        }
        return nil
    }

    /// What is left when the stream ends.
    private mutating func end() -> Piece? {
        defer {
            at = buffer.count
            lists.removeAll()
            mode = .seeking
        }
        switch mode {
        case .outside:
            guard let open = lists.last else { return nil }
            return .fault(.cutOff, Place(line: line, item: open.itemCount + 1))
        case .inside:
            // A number or a word may end with the stream.
            if brackets.isEmpty, !isInString { return finishValue(buffer.bytes) }
            return .fault(.cutOff, place)
        case .skippingLine, .seeking: return nil
        }
    }
}
