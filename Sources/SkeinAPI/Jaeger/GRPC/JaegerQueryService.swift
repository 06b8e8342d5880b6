// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// `jaeger.api_v2.QueryService` (jaeger-idl, query.proto), which Jaeger serves on port 16685.
package struct JaegerQueryService: APIStreamService {
    private let api: API

    package init(_ api: API) { self.api = api }

    private static let prefix = "/jaeger.api_v2.QueryService/"
    /// Spans of a message; Jaeger's own bound.
    private static let spanCountMax = 10

    package func call(_ path: String, _ message: [UInt8]) -> APIStreamAnswer? {
        guard path.hasPrefix(Self.prefix) else { return nil }
        let streaming = JaegerStreaming(api, path)
        switch path.dropFirst(Self.prefix.count) {
        case "GetTrace":
            return streaming.answer { streaming, send in
                let request = try JaegerTraceRequest(message, idIsText: false)
                try await streaming.forTrace(request.id) { try await Self.send($0, isRaw: request.isRaw, send) }
            }
        case "FindTraces":
            return streaming.answer { streaming, send in
                let query = try JaegerQuery(findTraces: message, needsTimes: false)
                let ids = try await streaming.api.traceIDs(query, streaming.call)
                try await streaming.forEachTrace(ids) { try await Self.send($0, isRaw: query.isRaw, send) }
            }
        case "ArchiveTrace":
            return streaming.answer { (streaming) throws(APIError) in
                let request = try JaegerTraceRequest(message, idIsText: false)
                let reader = try await streaming.api.reader(of: request.id, streaming.call)
                guard reader != nil else { throw JaegerAPI.notFound() }
                return []
            }
        case "GetServices":
            return streaming.answer { (streaming) throws(APIError) in try await Self.services(streaming) }
        case "GetOperations":
            return streaming.answer { (streaming) throws(APIError) in try await Self.operations(message, streaming) }
        case "GetDependencies":
            return streaming.answer { (streaming) throws(APIError) in try await Self.dependencies(message, streaming) }
        default: return nil
        }
    }

    /// Sends a trace as `SpansResponseChunk{ 1 spans* }`, some spans at a time.
    private static func send(_ batch: SpanBatch, isRaw: Bool, _ send: APIStreamAnswer.Send) async throws {
        let trace = JaegerTrace(batch, isRaw: isRaw)
        let processes = trace.encodedProcesses()
        var chunk: [UInt8] = []
        var spanCount = 0
        for row in 0..<batch.count {
            let span = trace.encodedSpan(row, as: 1, processes: processes)
            if spanCount == spanCountMax
                || (spanCount > 0 && chunk.count + span.count > JaegerStreaming.messageBytesMax)
            {
                try await send(chunk)
                (chunk, spanCount) = ([], 0)
            }
            chunk += span
            spanCount += 1
        }
        if spanCount > 0 { try await send(chunk) }
    }

    /// `GetServicesResponse{ 1 services* }`, which both versions have.
    static func services(_ streaming: JaegerStreaming) async throws(APIError) -> [UInt8] {
        let services = try await streaming.api.serviceNames(nameless: JaegerAPI.namelessService, streaming.call)
        var out = ByteWriter(capacity: 64 + services.count * 32)
        for service in services { out.appendMessage(1) { $0.append(utf8: service) } }
        return out.array()
    }

    /// The operations of a `GetOperationsRequest{ 1 service, 2 span_kind }`, which both versions have. `word` says what a kind
    /// is called.
    static func operations(
        _ message: [UInt8],
        _ streaming: JaegerStreaming,
        word: (Operation) -> String
    ) async throws(APIError) -> [Operation] {
        var (service, kind) = ("", "")
        try JaegerMessage.read(message) { tag, reader throws(WireError) in
            switch tag {
            case 1 << 3 | 2: service = try reader.readText()
            case 2 << 3 | 2: kind = try reader.readText()
            default: return false
            }
            return true
        }
        guard !service.isEmpty else { throw JaegerAPI.serviceRequired }
        return try await JaegerAPI.stored(streaming.api, streaming.call, ofService: service).filter {
            kind.isEmpty || word($0) == kind
        }
    }

    /// `GetOperationsResponse{ 1 operationNames*, 2 operations{ 1 name, 2 span_kind }* }`.
    private static func operations(
        _ message: [UInt8],
        _ streaming: JaegerStreaming
    ) async throws(APIError) -> [UInt8] {
        let operations = try await operations(message, streaming) { JaegerAPI.word(for: $0.kind) }
        var out = ByteWriter(capacity: 64 + operations.count * 96)
        var last: String?
        for operation in operations where !(last?.isExactly(operation.name) ?? false) {
            out.appendMessage(1) { $0.append(utf8: operation.name) }
            last = operation.name
        }
        for operation in operations {
            out.appendMessage(2) { out in
                out.appendField(1, text: operation.name)
                out.appendField(2, text: JaegerAPI.word(for: operation.kind))
            }
        }
        return out.array()
    }

    /// The calls of a `GetDependenciesRequest{ 1 start_time, 2 end_time }`, which both versions have, as a message with
    /// `{ 1 dependencies{ 1 parent, 2 child, 3 call_count }* }`.
    static func dependencies(
        _ message: [UInt8],
        _ streaming: JaegerStreaming
    ) async throws(APIError) -> [UInt8] {
        var (start, end): (UInt64?, UInt64?)
        try JaegerMessage.read(message) { tag, reader throws(WireError) in
            switch tag {
            case 1 << 3 | 2: start = try reader.readTime()
            case 2 << 3 | 2: end = try reader.readTime()
            default: return false
            }
            return true
        }
        guard let start, let end else {
            throw .invalid(start == nil ? "start_time" : "end_time", "start_time and end_time are required")
        }
        let range = TimeRange(start: start, end: end)
        let found = try await JaegerDependency.all(in: range, streaming.api, streaming.call)
        var out = ByteWriter(capacity: 64 + found.count * 64)
        for dependency in found {
            out.appendMessage(1) { out in
                out.appendField(1, text: dependency.parent)
                out.appendField(2, text: dependency.child)
                out.appendField(3, varint: dependency.callCount)
            }
        }
        return out.array()
    }
}
