// SPDX-License-Identifier: Apache-2.0

/// Finds, in a message that comes piece by piece and is not kept, the members that say whose it is and how it went, wherever they
/// stand: the id may come behind more bytes than anybody keeps.
///
/// It knows of JSON what it needs to find its way, and reads no number and no escape: what it found is written as a small message of
/// the same meaning, for ``JSONRPCScanner`` to read.
struct MessageOutline: Sendable {
    private enum Place: Hashable {
        case message
        case params, result, error
        /// Deeper, or an array.
        case elsewhere
    }

    /// Members with values that are no objects, by the place that they stand in.
    private static let watched: [Place: Set<String>] = [
        .message: ["id", "method"],
        .params: ["name", "taskId", "requestId", "progressToken"],
        .result: ["isError", "resultType", "requestState", "taskId", "status"],
        .error: ["code"],
    ]
    /// Bytes of a value that is kept.
    private static let tokenBytesMax = 1_100

    private var depth = 0
    private var place = Place.elsewhere
    /// The one at depth 2.
    private var outerPlace = Place.elsewhere
    /// Whether a string that comes now is a key.
    private var expectsKey = false
    private var key = ""
    private var isInString = false
    private var isEscaped = false
    /// The string, number or word under way, with its quotes; `nil` where nobody wants it.
    private var token: [UInt8]?
    /// Whether a number or a word is under way.
    private var isInWord = false
    private var members: [Place: [String: [UInt8]]] = [:]
    private var isOver = false
    private var isBroken = false

    /// Whether one object came from its first to its last byte.
    var isWhole: Bool { isOver && !isBroken }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var at = 0
        // Where the next ones stand that were looked for, so that no byte is looked at twice.
        var (quote, backslash) = (-1, -1)
        while at < bytes.count, !isBroken {
            guard isInString else {
                take(bytes[at])
                at += 1
                continue
            }
            if isEscaped {
                isEscaped = false
                keep(bytes[at])
                at += 1
                continue
            }
            if quote < at { quote = bytes.index(of: 0x22, from: at) }
            if backslash < at { backslash = bytes.index(of: 0x5c, from: at) }
            let end = min(quote, backslash)
            if token != nil { keep(UnsafeRawBufferPointer(rebasing: bytes[at..<end])) }
            at = end + 1
            guard end < bytes.count else { return }
            keep(bytes[end])
            if quote < backslash {
                isInString = false
                if expectsKey { endKey() }
            } else {
                isEscaped = true
            }
        }
    }

    /// What was found, as a message.
    var text: [UInt8] {
        func object(_ place: Place, _ inner: [(String, [UInt8])] = []) -> [UInt8] {
            let found = (members[place] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) } + inner
            let written = found.map { name, value in Array("\"\(name)\":".utf8) + value }
            return [0x7b] + Array(written.joined(separator: [0x2c])) + [0x7d]
        }
        let inner: [(Place, String)] = [(.params, "params"), (.result, "result"), (.error, "error")]
        return object(.message, inner.filter { members[$0.0] != nil }.map { ($0.1, object($0.0)) })
    }

    // MARK: Bytes

    private mutating func take(_ byte: UInt8) {
        switch byte {
        case 0x20, 0x09, 0x0a, 0x0d: return endValue()
        case 0x7b, 0x5b: return open(isObject: byte == 0x7b)
        default: break
        }
        guard depth > 0 else { return isBroken = true }
        switch byte {
        case 0x2c:
            endValue()
            expectsKey = place != .elsewhere
        case 0x3a:
            expectsKey = false
            // It is an answer, whatever the value.
            if depth == 1, key == "result" { members[.result] = [:] }
        case 0x22:
            isInString = true
            startToken(byte)
        case 0x7d, 0x5d: close()
        default:
            if isInWord { return keep(byte) }
            isInWord = true
            startToken(byte)
        }
    }

    private mutating func startToken(_ byte: UInt8) {
        token = expectsKey || Self.watched[place]?.contains(key) == true ? [byte] : nil
    }

    private mutating func keep(_ byte: UInt8) { withUnsafeBytes(of: byte) { keep($0) } }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer) {
        guard let count = token?.count else { return }
        if count + bytes.count > Self.tokenBytesMax { token = nil } else { token?.append(contentsOf: bytes) }
    }

    /// A key that is longer than any that is watched, or written with escapes, is none of them.
    private mutating func endKey() {
        key = token.map { String(decoding: $0.dropFirst().dropLast(), as: UTF8.self) } ?? ""
        token = nil
        expectsKey = false
    }

    private mutating func endValue() {
        isInWord = false
        guard let value = token else { return }
        token = nil
        members[place, default: [:]][key] = value
    }

    private mutating func open(isObject: Bool) {
        guard !isOver, depth > 0 || isObject else { return isBroken = true }
        token = nil
        isInWord = false
        depth += 1
        place = isObject ? opened : .elsewhere
        if depth == 2 { outerPlace = place }
        if depth == 2, place != .elsewhere { members[place] = [:] }
        expectsKey = place != .elsewhere
        key = ""
    }

    /// Where an object begins.
    private var opened: Place {
        switch (depth, key) {
        case (1, _): .message
        case (2, "params"): .params
        case (2, "result"): .result
        case (2, "error"): .error
        default: .elsewhere
        }
    }

    private mutating func close() {
        endValue()
        depth -= 1
        key = ""
        expectsKey = false
        switch depth {
        case 0: isOver = true
        case 1: place = .message
        case 2: place = outerPlace
        default: place = .elsewhere
        }
    }
}
