// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire

/// The keys of `params._meta` that carry a trace (MCP 2026-07-28, "_meta", reserved keys; SEP-414), as they are to be.
package struct MetaSplice: Hashable, Sendable {
    package var traceparent: String
    /// Empty where there is none; what a message has then belongs to another trace, and is emptied.
    package var tracestate: String
    /// Put in where a message has none. What it has stays as it is.
    package var baggage: String

    package init(traceparent: String, tracestate: String = "", baggage: String = "") {
        self.traceparent = traceparent
        self.tracestate = tracestate
        self.baggage = baggage
    }

    /// What makes `message` carry this, in the order of its bytes; every other byte stays. None where there is no place:
    /// `params` or `_meta` that are no objects are the server's to refuse.
    package func edits(of message: JSONRPCMessage) -> [ByteEdit] {
        guard let body = message.bodyStart else { return [] }
        guard let params = message.params else {
            return [insertion(at: body, isEmpty: message.isEmpty, "\"params\":{\"_meta\":{\(members(without: []))}}")]
        }
        guard let body = params.bodyStart else { return [] }
        guard let meta = params.meta else {
            return [insertion(at: body, isEmpty: params.isEmpty, "\"_meta\":{\(members(without: []))}")]
        }
        guard let body = meta.bodyStart else { return [] }
        var edits: [ByteEdit] = []
        var present: Set<String> = []
        if let place = meta.traceparent {
            present.insert("traceparent")
            if place.value != traceparent { edits.append(ByteEdit(place.range, quoted(traceparent))) }
        }
        if let place = meta.tracestate {
            present.insert("tracestate")
            if place.value != tracestate { edits.append(ByteEdit(place.range, quoted(tracestate))) }
        }
        if meta.baggage != nil { present.insert("baggage") }
        let missing = members(without: present)
        if !missing.isEmpty { edits.append(insertion(at: body, isEmpty: meta.isEmpty, missing)) }
        return edits.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }

    /// The members of `_meta`, but for those of `present`, without a comma behind.
    private func members(without present: Set<String>) -> String {
        let all = [("traceparent", traceparent), ("tracestate", tracestate), ("baggage", baggage)]
        return all.filter { !$0.1.isEmpty && !present.contains($0.0) }
            .map { "\"\($0.0)\":\(String(decoding: quoted($0.1), as: UTF8.self))" }
            .joined(separator: ",")
    }

    private func insertion(at offset: Int, isEmpty: Bool, _ text: String) -> ByteEdit {
        ByteEdit(offset..<offset, Array((isEmpty ? text : text + ",").utf8))
    }

    private func quoted(_ text: String) -> [UInt8] {
        var json = JSONWriter(capacity: 64)
        json.string(text)
        return json.bytes.map { $0 }
    }
}
