// SPDX-License-Identifier: Apache-2.0

/// Reads server-sent events (HTML Living Standard §9.2.6) out of bytes that somebody else passes on.
package struct EventStreamReader {
    package struct Event: Hashable, Sendable {
        /// `message` unless the stream says otherwise.
        package var name = "message"
        /// Without the newline at its end.
        package var data: [UInt8] = []
        package var hasID = false
        /// Whether `data` lacks its end, since it was too long to be kept.
        package var isCut = false
    }

    private let dataBytesMax: Int
    private var line: [UInt8] = []
    /// Whether the line under way is kept only in part.
    private var isLineCut = false
    private var event = Event()
    private var hasData = false
    /// Whether a carriage return came last, which a newline may follow without ending another line.
    private var followsReturn = false
    private var isAtStart = true

    package init(dataBytesMax: Int) { self.dataBytesMax = max(dataBytesMax, 1) }

    /// Takes bytes in and gives out the events that are complete.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) -> [Event] {
        var events: [Event] = []
        var start = 0
        if followsReturn, bytes.first == 0x0a { start = 1 }
        if !bytes.isEmpty { followsReturn = false }
        while start < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            let newline = rest.index(of: 0x0a)
            let head = UnsafeRawBufferPointer(rebasing: rest[..<(newline ?? rest.count)])
            guard let end = head.index(of: 0x0d) ?? newline else {
                keep(rest)
                break
            }
            keep(UnsafeRawBufferPointer(rebasing: rest[..<end]))
            endLine(into: &events)
            start += end + 1
            if rest[end] == 0x0d {
                if start < bytes.count {
                    if bytes[start] == 0x0a { start += 1 }
                } else {
                    followsReturn = true
                }
            }
        }
        return events
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
        // `data: ` and a byte order mark stand before what counts.
        let room = dataBytesMax + 16 - line.count
        if bytes.count > room { isLineCut = true }
        line.append(contentsOf: bytes.prefix(max(room, 0)))
    }

    private mutating func endLine(into events: inout [Event]) {
        defer {
            if line.capacity > 1 << 20 { line = [] } else { line.removeAll(keepingCapacity: true) }
            isLineCut = false
        }
        var text = line[...]
        if isAtStart, text.starts(with: [0xef, 0xbb, 0xbf]) { text = text.dropFirst(3) }
        isAtStart = false
        guard !text.isEmpty else {
            // An event without data is none.
            if hasData { events.append(event) }
            event = Event()
            hasData = false
            return
        }
        let colon = text.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
        var value = text[colon...].dropFirst()
        if value.first == 0x20 { value = value.dropFirst() }
        switch String(decoding: text[..<colon], as: UTF8.self) {
        case "data":
            if hasData { event.data.append(0x0a) }
            hasData = true
            let room = max(dataBytesMax - event.data.count, 0)
            if value.count > room || isLineCut { event.isCut = true }
            event.data.append(contentsOf: value.prefix(room))
        case "event": event.name = value.isEmpty ? "message" : String(decoding: value.prefix(256), as: UTF8.self)
        case "id": event.hasID = !value.isEmpty
        default: break
        }
    }
}
