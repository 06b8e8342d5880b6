// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

/// A request of Jaeger's gRPC services that was read field by field.
enum JaegerMessage {
    /// Reads `message` by calling `field` with each tag; a field that it leaves is passed over. A message that is none is
    /// refused as an invalid argument.
    static func read(
        _ message: [UInt8],
        _ field: (UInt64, inout ProtobufReader) throws(WireError) -> Bool
    ) throws(APIError) {
        do throws(WireError) {
            let result = message.withUnsafeBytes { bytes in
                Result { () throws(WireError) in
                    var reader = ProtobufReader(bytes)
                    try reader.forEachField(field)
                }
            }
            try result.get()
        } catch {
            throw APIError(400, "malformed", "the request is no message that this method takes: \(error)")
        }
    }
}

/// `GetTraceRequest` of either version, and `ArchiveTraceRequest`. The times are hints that spare Jaeger's stores a search over
/// all time; ours needs none, and a wrong one hides nothing.
struct JaegerTraceRequest {
    var id: TraceID = .zero
    var isRaw = false

    /// Reads `{ 1 trace_id, 2 start_time, 3 end_time, 4 raw_traces }`; the id is 8 or 16 bytes, or text of hexadecimal digits.
    init(_ message: [UInt8], idIsText: Bool) throws(APIError) {
        var id: TraceID?
        var isRaw = false
        var length = 0
        try JaegerMessage.read(message) { tag, reader throws(WireError) in
            switch tag {
            case 1 << 3 | 2:
                let bytes = try reader.readBytes()
                length = bytes.count
                id = idIsText ? TraceID(hex: String(decoding: bytes, as: UTF8.self)) : TraceID(bigEndian: bytes)
            case 4 << 3: isRaw = try reader.readVarint() != 0
            default: return false
            }
            return true
        }
        guard let id, id.isValid else {
            throw .invalid(
                "trace_id",
                length == 0 || id != nil
                    ? "uninitialized TraceID is not allowed"
                    : "trace_id has \(length) \(idIsText ? "characters" : "bytes"), "
                        + (idIsText ? "expected 16 or 32 hexadecimal digits" : "expected 16 bytes, or 8")
            )
        }
        self.id = id
        self.isRaw = isRaw
    }
}

extension JaegerQuery {
    /// Reads `FindTracesRequest` or `FindTraceSummariesRequest` of either version: `{ 1 query }`, and in it `{ 1 service_name,
    /// 2 operation_name, 3 tags or attributes (map), 4 start_time_min, 5 start_time_max, 6 duration_min, 7 duration_max,
    /// 8 search_depth, 9 raw_traces, 10 filter }`. `needsTimes` refuses a query without a range.
    init(findTraces message: [UInt8], needsTimes: Bool) throws(APIError) {
        self.init()
        var query = JaegerQuery()
        var hasQuery = false
        var hasFilter = false
        var depth: Int64 = 0
        var (start, end): (UInt64?, UInt64?)
        try JaegerMessage.read(message) { tag, reader throws(WireError) in
            guard tag == 1 << 3 | 2 else { return false }
            hasQuery = true
            var fields = try reader.readMessage()
            try fields.forEachField { tag, reader throws(WireError) in
                switch tag {
                case 1 << 3 | 2: query.service = try reader.readText()
                case 2 << 3 | 2: query.operation = try reader.readText()
                case 3 << 3 | 2: query.tags.append(try reader.readTag())
                case 4 << 3 | 2: start = try reader.readTime()
                case 5 << 3 | 2: end = try reader.readTime()
                case 6 << 3 | 2: query.durationMin = try reader.readTime()
                case 7 << 3 | 2: query.durationMax = try reader.readTime()
                case 8 << 3: depth = Int64(bitPattern: try reader.readVarint())
                case 9 << 3: query.isRaw = try reader.readVarint() != 0
                case 10 << 3 | 2:
                    hasFilter = true
                    return false
                default: return false
                }
                return true
            }
            return true
        }
        guard hasQuery else { throw .invalid("query", "missing query") }
        if hasFilter { throw .noStructuredFilters("filter") }
        if needsTimes, start == nil || end == nil {
            throw .invalid(
                start == nil ? "start_time_min" : "start_time_max",
                "start time min and max are required parameters"
            )
        }
        query.range = TimeRange(start: start ?? 0, end: end ?? .max)
        query.limit = depth == 0 ? Self.limitUsual : Int(clamping: depth)
        try JaegerTag.check(query.tags)
        try query.check()
        self = query
    }
}

extension TraceID {
    /// The id that 16 bytes are, or 8 of an older client.
    fileprivate init?(bigEndian bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 || bytes.count == 8 else { return nil }
        let words = stride(from: 0, to: bytes.count, by: 8).map {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self))
        }
        self.init(high: words.count == 2 ? words[0] : 0, low: words[words.count - 1])
    }
}

extension ProtobufReader {
    /// Calls `field` with each tag; what it leaves is passed over.
    mutating func forEachField(
        _ field: (UInt64, inout ProtobufReader) throws(WireError) -> Bool
    ) throws(WireError) {
        while let tag = try nextTag() {
            if try !field(tag, &self) { try skip(tag) }
        }
    }

    mutating func readText() throws(WireError) -> String { String(decoding: try readBytes(), as: UTF8.self) }

    /// An entry of a map of texts.
    fileprivate mutating func readTag() throws(WireError) -> JaegerTag {
        var tag = JaegerTag(key: "", value: "")
        var entry = try readMessage()
        try entry.forEachField { number, reader throws(WireError) in
            switch number {
            case 1 << 3 | 2: tag.key = try reader.readText()
            case 2 << 3 | 2: tag.value = try reader.readText()
            default: return false
            }
            return true
        }
        return tag
    }

    /// A `google.protobuf.Timestamp` since 1970, or a `Duration`, in nanoseconds: `{ 1 seconds, 2 nanos }`. `nil` for zero and
    /// what lies before, such as the year 1, by which Go's clients say that they have none; at most `UInt64.max`.
    mutating func readTime() throws(WireError) -> UInt64? {
        var (seconds, nanos): (Int64, Int64) = (0, 0)
        var fields = try readMessage()
        try fields.forEachField { tag, reader throws(WireError) in
            switch tag {
            case 1 << 3: seconds = Int64(bitPattern: try reader.readVarint())
            case 2 << 3: nanos = Int64(bitPattern: try reader.readVarint())
            default: return false
            }
            return true
        }
        guard seconds >= 0, nanos >= 0, seconds > 0 || nanos > 0 else { return nil }
        let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowToo) = scaled.addingReportingOverflow(UInt64(nanos))
        return overflow || overflowToo ? .max : sum
    }
}
