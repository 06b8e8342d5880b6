// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// Reads server-sent events (HTML Living Standard §9.2.6) out of bytes that somebody else passes on.
package struct EventStreamReader {
    package struct Event: Sendable {
        /// `message` unless the stream says otherwise.
        package var name = "message"
        /// Without the newline at its end.
        package var data: MessageText
        package var hasID = false
    }

    /// Bytes of a line without data that are kept.
    private static let lineBytesMax = 1_024
    private static let dataField = Array("data:".utf8)

    private let dataBytesMax: Int
    private let budget: ByteBudget?
    /// The line under way, or of one with data what stands before that.
    private var line: [UInt8] = []
    /// Whether the rest of the line under way is data.
    private var isInData = false
    /// Whether a space that comes now is not part of the data.
    private var skipsSpace = false
    private var event: Event
    private var hasData = false
    /// Whether a carriage return came last, which a newline may follow without ending another line.
    private var followsReturn = false
    private var isAtStart = true

    /// What is kept of data, `dataBytesMax` bytes of an event at most, is counted against `budget`.
    package init(dataBytesMax: Int, budget: ByteBudget? = nil) {
        self.dataBytesMax = max(dataBytesMax, 1)
        self.budget = budget
        event = Event(data: MessageText(bytesMax: dataBytesMax, budget: budget))
    }

    /// Takes bytes in and gives out the events that are complete.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) -> [Event] {
        var events: [Event] = []
        var start = 0
        if followsReturn, bytes.first == 0x0a { start = 1 }
        if !bytes.isEmpty { followsReturn = false }
        // Where the next ones stand that were looked for, so that no byte is looked at twice.
        var (newline, carriageReturn) = (-1, -1)
        while start < bytes.count {
            if newline < start { newline = bytes.index(of: 0x0a, from: start) }
            if carriageReturn < start { carriageReturn = bytes.index(of: 0x0d, from: start) }
            let end = min(newline, carriageReturn)
            take(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            guard end < bytes.count else { break }
            endLine(into: &events)
            start = end + 1
            guard carriageReturn == end else { continue }
            if start < bytes.count {
                if bytes[start] == 0x0a { start += 1 }
            } else {
                followsReturn = true
            }
        }
        return events
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer) {
        guard !isInData else { return takeData(bytes) }
        // As much as says what the line is.
        let count = min(bytes.count, max(0, 8 - line.count))
        line.append(contentsOf: bytes[..<count])
        if isAtStart, line.starts(with: [0xef, 0xbb, 0xbf]) {
            line.removeFirst(3)
            isAtStart = false
        }
        var rest = UnsafeRawBufferPointer(rebasing: bytes[count...])
        if line.starts(with: Self.dataField) {
            let data = Array(line[Self.dataField.count...])
            beginData()
            data.withUnsafeBytes { takeData($0) }
            return takeData(rest)
        }
        rest = UnsafeRawBufferPointer(rebasing: rest.prefix(max(0, Self.lineBytesMax - line.count)))
        line.append(contentsOf: rest)
    }

    private mutating func beginData() {
        if hasData { withUnsafeBytes(of: UInt8(0x0a)) { event.data.add($0) } }
        hasData = true
        isInData = true
        skipsSpace = true
    }

    private mutating func takeData(_ bytes: UnsafeRawBufferPointer) {
        guard let first = bytes.first else { return }
        let skipped = skipsSpace && first == 0x20 ? 1 : 0
        skipsSpace = false
        event.data.add(UnsafeRawBufferPointer(rebasing: bytes[skipped...]))
    }

    private mutating func endLine(into events: inout [Event]) {
        defer {
            line.removeAll(keepingCapacity: true)
            isInData = false
            isAtStart = false
        }
        guard !isInData else { return }
        guard !line.isEmpty else {
            // An event without data is none.
            if hasData { events.append(event) }
            event = Event(data: MessageText(bytesMax: dataBytesMax, budget: budget))
            hasData = false
            return
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == 0x20 { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data": beginData()
        case "event": event.name = value.isEmpty ? "message" : String(decoding: value.prefix(256), as: UTF8.self)
        case "id": event.hasID = !value.isEmpty
        default: break
        }
    }
}
