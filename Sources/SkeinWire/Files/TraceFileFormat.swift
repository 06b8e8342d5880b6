// SPDX-License-Identifier: Apache-2.0

/// The forms of JSON that traces are kept in files as.
package enum TraceFileFormat: String, Hashable, Sendable, CaseIterable {
    /// OTLP JSON: `ExportTraceServiceRequest`, as exporters and collectors write it.
    case otlp
    /// The JSON of Jaeger's query API and page.
    case jaeger
    /// Zipkin's JSON of either version.
    case zipkin
    /// Spans as people and scripts write them, see ``Plain/JSONDecoder``.
    case plain

    /// The form that an object out of a list has, as its members tell; `nil` for one that is none, and its first keys.
    init?(of object: UnsafeRawBufferPointer, keys: inout [String]) throws(WireError) {
        keys = []
        var guess: TraceFileFormat?
        var json = JSONReader(object)
        try json.openObject()
        while let key = try json.nextKey() {
            switch key {
            case "resourceSpans": self = .otlp
            case "traceID", "spanID", "spans", "processes", "processID": self = .jaeger
            case "spanId", "parentSpanId": self = .plain
            case "localEndpoint", "remoteEndpoint", "parentId", "binaryAnnotations": self = .zipkin
            case "operationName", "startTime", "logs":
                guess = .plain
                try json.skipValue()
                continue
            case "id", "annotations":
                guess = guess ?? .zipkin
                try json.skipValue()
                continue
            default:
                if keys.count < 5 { keys.append(String(key.text.prefix(40))) }
                try json.skipValue()
                continue
            }
            return
        }
        guard let guess else { return nil }
        self = guess
    }
}
