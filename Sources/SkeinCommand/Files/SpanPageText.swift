// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinWire

/// A page of spans, as the server answers it, on its way to OTLP JSON: the texts of resources, scopes and spans stay as they
/// are and are put where OTLP has them.
struct SpanPageText {
    /// Where the pages go on; `nil` on the last one.
    private(set) var next: String?
    private(set) var spanCount = 0
    private var resources: [Owner] = []
    private var scopes: [Owner] = []
    /// Texts of spans by resource and scope, both in the order in which they first come.
    private var groups: [(resource: Int, scope: Int, spans: [Data])] = []

    /// A resource or a scope.
    private struct Owner {
        /// Its members in braces, without the schema.
        var text = Data("{}".utf8)
        /// The schema's text in quotes; OTLP has it beside the owner.
        var schemaURL: Data?

        init(_ json: inout JSONReader) throws(WireError) {
            var members = Data()
            try json.openObject()
            while let key = try json.nextKey() {
                let name = key.text
                let value = Data(try json.readRaw())
                if name == "schemaUrl" {
                    schemaURL = value
                } else {
                    if !members.isEmpty { members += Data(",".utf8) }
                    members += Data("\"\(name)\":".utf8) + value
                }
            }
            text = Data("{".utf8) + members + Data("}".utf8)
        }
    }

    /// Reads the answer to `/api/skein/v1/traces/{id}/spans`.
    init(_ answer: Data) throws(WireError) {
        let result: Result<SpanPageText, WireError> = answer.withUnsafeBytes { bytes in
            do throws(WireError) { return .success(try SpanPageText(bytes)) } catch { return .failure(error) }
        }
        self = try result.get()
    }

    private init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        var places: [Int: Int] = [:]
        var json = JSONReader(bytes)
        try json.openObject()
        while let key = try json.nextKey() {
            switch key {
            case "resources":
                try json.openArray()
                while try json.nextElement() { resources.append(try Owner(&json)) }
            case "scopes":
                try json.openArray()
                while try json.nextElement() { scopes.append(try Owner(&json)) }
            case "spans":
                try json.openArray()
                while try json.nextElement() { try readSpan(&json, &places) }
            case "next" where try json.peek() == .string: next = UTF8Text.repaired(try json.readString())
            default: try json.skipValue()
            }
        }
        try json.finish()
        guard groups.allSatisfy({ resources.indices.contains($0.resource) && scopes.indices.contains($0.scope) }) else {
            throw WireError(.malformed, "a span of a resource or scope that is not there", at: 0)
        }
    }

    private mutating func readSpan(_ json: inout JSONReader, _ places: inout [Int: Int]) throws(WireError) {
        var (resource, scope) = (0, 0)
        var text = Data()
        try json.openObject()
        while let key = try json.nextKey() {
            switch key {
            case "resource": resource = Int(try json.readInteger(UInt32.self))
            case "scope": scope = Int(try json.readInteger(UInt32.self))
            case "span": text = Data(try json.readRaw())
            default: try json.skipValue()
            }
        }
        spanCount += 1
        let key = resource << 32 | scope
        if let place = places[key] {
            groups[place].spans.append(text)
        } else {
            places[key] = groups.count
            groups.append((resource, scope, [text]))
        }
    }

    /// An `ExportTraceServiceRequest` with the spans, without a line break at its end.
    func otlp() -> Data {
        var out = Data()
        func add(_ text: String) { out += text.utf8 }
        func addSchema(of owner: Owner) {
            guard let url = owner.schemaURL else { return }
            add(#","schemaUrl":"#)
            out += url
        }
        add(#"{"resourceSpans":["#)
        for (index, group) in groups.enumerated() {
            let (resource, scope) = (resources[group.resource], scopes[group.scope])
            add(index > 0 ? #",{"resource":"# : #"{"resource":"#)
            out += resource.text
            add(#","scopeSpans":[{"scope":"#)
            out += scope.text
            add(#","spans":["#)
            for (index, span) in group.spans.enumerated() {
                if index > 0 { add(",") }
                out += span
            }
            add("]")
            addSchema(of: scope)
            add("}]")
            addSchema(of: resource)
            add("}")
        }
        add("]}")
        return out
    }
}
