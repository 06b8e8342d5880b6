// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire

/// Finds messages in a text, a single one or an array of them (MCP 2025-03-26, "Batching"), without changing or keeping it.
///
/// Any bytes may come. Of members with one key the last counts, as for the parsers of Python, JavaScript and Go.
package struct JSONRPCScanner: ~Copyable {
    /// What was found.
    package struct Scan: Sendable {
        package var messages: [JSONRPCMessage] = []
        /// Whether the text is JSON from its first to its last byte. Otherwise `messages` holds what stands before the mistake or
        /// the end.
        package var isWhole = false
        /// Whether the text is an array.
        package var isBatch = false
    }

    /// Messages of an array at most; what follows is passed on and not watched.
    package static let messageCountMax = 1_024
    /// Bytes of names and other texts that are kept.
    static let textBytesMax = 256

    private var reader: JSONReader

    private init(_ bytes: UnsafeRawBufferPointer) { reader = JSONReader(bytes) }

    package static func scan(_ bytes: UnsafeRawBufferPointer) -> Scan {
        var scanner = JSONRPCScanner(bytes)
        var scan = Scan()
        do throws(WireError) {
            try scanner.scan(into: &scan)
            scan.isWhole = true
        } catch {}
        return scan
    }

    private mutating func scan(into scan: inout Scan) throws(WireError) {
        if try reader.peek() == .array {
            scan.isBatch = true
            try reader.openArray()
            while try reader.nextElement() {
                if scan.messages.count < Self.messageCountMax {
                    try readMessage(into: &scan.messages)
                } else {
                    try reader.skipValue()
                }
            }
        } else {
            try readMessage(into: &scan.messages)
        }
        try reader.finish()
    }

    private mutating func readMessage(into messages: inout [JSONRPCMessage]) throws(WireError) {
        let kind = try reader.peek()
        let start = reader.offset
        let index = messages.count
        messages.append(JSONRPCMessage(at: start))
        defer { messages[index].range = start..<reader.offset }
        guard kind == .object else { return try reader.skipValue() }
        try reader.openObject()
        messages[index].bodyStart = reader.offset
        while let key = try reader.nextKey() {
            messages[index].isEmpty = false
            switch key {
            case "method": messages[index].method = try text()
            case "id": messages[index].id = try id()
            case "params": try readParams(&messages[index].params)
            case "result": try readResult(&messages[index].result)
            case "error":
                messages[index].isError = try reader.peek() != .null
                messages[index].errorCode = try errorCode()
            default: try reader.skipValue()
            }
        }
    }

    /// Enters the object that comes next; what is none is passed over.
    private mutating func enters() throws(WireError) -> Bool {
        guard try reader.peek() == .object else {
            try reader.skipValue()
            return false
        }
        try reader.openObject()
        return true
    }

    private mutating func readParams(_ found: inout JSONRPCMessage.Params?) throws(WireError) {
        var params = JSONRPCMessage.Params()
        defer { found = params }
        guard try enters() else { return }
        params.bodyStart = reader.offset
        while let key = try reader.nextKey() {
            params.isEmpty = false
            switch key {
            case "name": params.name = try text()
            case "_meta": params.meta = try meta()
            case "requestId": params.requestID = try id()
            case "progressToken": params.progressToken = try id()
            case "progress": params.progress = try number()
            case "total": params.total = try number()
            case "taskId": params.taskID = try text()
            case "status": params.status = try text()
            case "protocolVersion": params.protocolVersion = try text()
            case "requestState": params.requestState = try state()
            case "inputResponses":
                params.hasInputResponses = try reader.peek() == .object
                try reader.skipValue()
            case "arguments": params.arguments = try rawHash()
            default: try reader.skipValue()
            }
        }
    }

    private mutating func meta() throws(WireError) -> JSONRPCMessage.Meta {
        var meta = JSONRPCMessage.Meta()
        guard try enters() else { return meta }
        meta.bodyStart = reader.offset
        while let key = try reader.nextKey() {
            meta.isEmpty = false
            switch key {
            case "traceparent": meta.traceparent = try place()
            case "tracestate": meta.tracestate = try place()
            case "baggage": meta.baggage = try place()
            case "progressToken": meta.progressToken = try id()
            case "claudecode/toolUseId": meta.toolUseID = try text()
            case "sessionID": meta.sessionID = try text()
            case "io.modelcontextprotocol/clientInfo": meta.clientInfo = try rawHash()
            case "io.modelcontextprotocol/protocolVersion": meta.protocolVersion = try text()
            default: try reader.skipValue()
            }
        }
        return meta
    }

    private mutating func readResult(_ found: inout JSONRPCMessage.Result?) throws(WireError) {
        var result = JSONRPCMessage.Result()
        defer { found = result }
        guard try enters() else { return }
        while let key = try reader.nextKey() {
            switch key {
            case "isError": result.isError = try bool()
            case "resultType": result.resultType = try text()
            case "requestState": result.requestState = try state()
            case "taskId": result.taskID = try text()
            case "status": result.status = try text()
            case "protocolVersion": result.protocolVersion = try text()
            case "serverInfo": result.serverName = try serverName() ?? result.serverName
            case "task": try readTask(&result)
            case "result": result.innerIsError = try innerIsError()
            case "error": result.innerErrorCode = try errorCode()
            case "_meta": result.serverName = try serverNameOfMeta() ?? result.serverName
            default: try reader.skipValue()
            }
        }
    }

    /// A task as MCP 2025-11-25 wraps it.
    private mutating func readTask(_ result: inout JSONRPCMessage.Result) throws(WireError) {
        guard try enters() else { return }
        while let key = try reader.nextKey() {
            switch key {
            case "taskId": result.taskID = try text()
            case "status": result.status = try text()
            default: try reader.skipValue()
            }
        }
    }

    private mutating func serverNameOfMeta() throws(WireError) -> String? {
        guard try enters() else { return nil }
        var name: String?
        while let key = try reader.nextKey() {
            switch key {
            case "io.modelcontextprotocol/serverInfo": name = try serverName() ?? name
            default: try reader.skipValue()
            }
        }
        return name
    }

    private mutating func serverName() throws(WireError) -> String? {
        guard try enters() else { return nil }
        var name: String?
        while let key = try reader.nextKey() {
            switch key {
            case "name": name = try text()
            default: try reader.skipValue()
            }
        }
        return name
    }

    private mutating func innerIsError() throws(WireError) -> Bool {
        guard try enters() else { return false }
        var isError = false
        while let key = try reader.nextKey() {
            switch key {
            case "isError": isError = try bool()
            default: try reader.skipValue()
            }
        }
        return isError
    }

    private mutating func errorCode() throws(WireError) -> String? {
        guard try enters() else { return nil }
        var code: String?
        while let key = try reader.nextKey() {
            switch key {
            case "code": code = try id()?.description
            default: try reader.skipValue()
            }
        }
        return code
    }
}

/// Values.
extension JSONRPCScanner {
    /// A string, cut where it is longer than anything that is kept; `nil` for what is none.
    private mutating func text() throws(WireError) -> String? {
        guard try reader.peek() == .string else {
            try reader.skipValue()
            return nil
        }
        return Self.cut(try reader.readString(), at: Self.textBytesMax)
    }

    private static func cut(_ bytes: UnsafeRawBufferPointer, at limit: Int) -> String {
        guard bytes.count > limit else { return UTF8Text.repaired(bytes) }
        var end = limit
        while end > 0, bytes[end] & 0xc0 == 0x80 { end -= 1 }
        return UTF8Text.repaired(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
    }

    private mutating func rawHash() throws(WireError) -> UInt64 {
        Hash.of(try reader.readRaw(), seed: Hash.processSeed)
    }

    /// A hash of a string's characters, which a client may escape otherwise than the server did; `nil` for `null`.
    private mutating func state() throws(WireError) -> UInt64? {
        switch try reader.peek() {
        case .string: return Hash.of(try reader.readString(), seed: Hash.processSeed)
        case .null:
            try reader.skipValue()
            return nil
        default: return try rawHash()
        }
    }

    private mutating func bool() throws(WireError) -> Bool {
        if try reader.peek() == .bool { return try reader.readBool() }
        try reader.skipValue()
        return false
    }

    private mutating func number() throws(WireError) -> Double? {
        guard try reader.peek() == .number else {
            try reader.skipValue()
            return nil
        }
        return Double(UTF8Text.repaired(try reader.readRaw())).flatMap { $0.isFinite ? $0 : nil }
    }

    /// A string or a number; `nil` for anything else.
    private mutating func id() throws(WireError) -> JSONRPCMessage.ID? {
        switch try reader.peek() {
        case .string:
            let text = try reader.readString()
            return text.count <= JSONRPCMessage.ID.byteCountMax ? .string(UTF8Text.repaired(text)) : nil
        case .number:
            let text = try reader.readRaw()
            guard text.count <= JSONRPCMessage.ID.byteCountMax else { return nil }
            let written = UTF8Text.repaired(text)
            if let value = Int64(written) ?? Double(written).flatMap({ Int64(exactly: $0) }) { return .number(value) }
            return .otherNumber(written)
        default:
            try reader.skipValue()
            return nil
        }
    }

    /// A value with its place; a text that is longer than any header may be is none.
    private mutating func place() throws(WireError) -> JSONRPCMessage.Text {
        let isString = try reader.peek() == .string
        let start = reader.offset
        var value: String?
        if isString {
            let text = try reader.readString()
            if text.count <= 8_192 { value = UTF8Text.repaired(text) }
        } else {
            try reader.skipValue()
        }
        return JSONRPCMessage.Text(range: start..<reader.offset, value: value)
    }
}
