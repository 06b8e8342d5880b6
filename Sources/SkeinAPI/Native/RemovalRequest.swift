// SPDX-License-Identifier: Apache-2.0
import SkeinStore
import SkeinWire

/// The body of a request to remove something.
struct RemovalRequest {
    private(set) var query = ""
    private(set) var requestedBy = ""
    /// Whether it only asks what would be removed.
    private(set) var isDryRun = false
    private var actionName = ""
    private var keys: [String]?
    private var start = ""
    private var end = ""
    private var unknownName: String?

    private static let names = ["action", "q", "by", "start", "end", "keys", "dryRun"]

    init(_ body: [UInt8]) throws(APIError) {
        do throws(WireError) {
            self = try body.withUnsafeBufferPointer { bytes throws(WireError) in
                try RemovalRequest(parsing: UnsafeRawBufferPointer(bytes))
            }
        } catch {
            throw APIError(400, "invalid-json", "The body is no removal: \(error).")
        }
        if let unknownName { throw APICall.unknown(unknownName, "member of a removal", known: Self.names) }
        guard ["delete", "redact"].contains(actionName) else {
            throw .invalid("action", "\(APICall.shown(actionName)) is no action: expected delete or redact.")
        }
        guard query.utf8.contains(where: { $0 > 0x20 }) else {
            throw .invalid("q", "a removal needs a condition, so that it cannot mean everything by mistake.")
        }
        if actionName == "redact", keys?.isEmpty ?? true {
            throw .invalid("keys", "redact needs the attribute keys whose values are to be masked.")
        }
        if actionName == "delete", keys != nil {
            throw .invalid("keys", "delete takes whole traces: leave keys out, or redact.")
        }
    }

    /// `delete` or `redact`.
    var action: Removal.Action { actionName == "delete" ? .delete : .redact(keys: keys ?? []) }

    func range() throws(APIError) -> TimeRange {
        let range = TimeRange(
            start: try APICall.time(start, "start") ?? 0,
            end: try APICall.time(end, "end") ?? .max
        )
        guard range.start <= range.end else { throw .invalid("end", "end lies before start.") }
        return range
    }

    private init(parsing bytes: UnsafeRawBufferPointer) throws(WireError) {
        var reader = JSONReader(bytes)
        try reader.openObject()
        while let key = try reader.nextKey() {
            switch key {
            case "action": actionName = String(decoding: try reader.readString(), as: UTF8.self)
            case "q": query = String(decoding: try reader.readString(), as: UTF8.self)
            case "by": requestedBy = String(decoding: try reader.readString(), as: UTF8.self)
            case "start": start = String(decoding: try reader.readString(), as: UTF8.self)
            case "end": end = String(decoding: try reader.readString(), as: UTF8.self)
            case "keys":
                var names: [String] = []
                try reader.openArray()
                while try reader.nextElement() {
                    names.append(String(decoding: try reader.readString(), as: UTF8.self))
                }
                keys = names
            case "dryRun": isDryRun = try reader.readBool()
            default:
                unknownName = unknownName ?? key.text
                try reader.skipValue()
            }
        }
        try reader.finish()
    }
}
