// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

/// The names of a trace's tags, and their order: every key of the batch and every name that we add gets its rank once,
/// so that sorting a span's tags compares numbers.
struct JaegerTagNames {
    /// What Jaeger has as a tag and our model as a field.
    enum Derived: Int, CaseIterable {
        case spanKind, error, statusCode, statusDescription, traceState, scopeName, scopeVersion, event

        var name: StaticString {
            switch self {
            case .spanKind: "span.kind"
            case .error: "error"
            case .statusCode: "otel.status_code"
            case .statusDescription: "otel.status_description"
            case .traceState: "w3c.tracestate"
            case .scopeName: "otel.scope.name"
            case .scopeVersion: "otel.scope.version"
            case .event: "event"
            }
        }
    }

    struct Tag {
        enum Key {
            case stored(SpanBatch.Ref)
            case derived(Derived)
        }
        /// Nothing in it is counted, so that moving tags about costs nothing.
        enum Value {
            /// An attribute's value.
            case stored(SpanBatch.Ref)
            /// Text of the dictionary.
            case text(SpanBatch.Ref)
            case word(StaticString)
            case yes
        }
        var rank: UInt32
        var key: Key
        var value: Value
    }

    /// By ref: the rank of a key.
    private var ranks: [UInt32]
    private var derivedRanks = [UInt32](repeating: 0, count: Derived.allCases.count)
    private var derivedRefs = [SpanBatch.Ref?](repeating: nil, count: Derived.allCases.count)
    /// The ref of the key `service.name`, if the batch has it.
    private(set) var serviceName: SpanBatch.Ref?
    /// The ref of the key `opentracing.ref_type`, if the batch has it.
    private(set) var refType: SpanBatch.Ref?

    /// The names in `batch`.
    init(_ batch: SpanBatch) {
        ranks = [UInt32](repeating: 0, count: batch.dictionary.count)
        var keys: Set<SpanBatch.Ref> = []
        for table in [
            batch.attributes, batch.events.attributes, batch.links.attributes, batch.resources.attributes,
        ] { keys.formUnion(table.keyRefs) }
        var named: [(name: String, ref: SpanBatch.Ref?, derived: Derived?)] = keys.map {
            (batch.dictionary.string($0), $0, nil)
        }
        named += Derived.allCases.map { ("\($0.name)", nil, $0) }
        named.sort { $0.name.precedes($1.name) }
        var rank: UInt32 = 0
        for (index, entry) in named.enumerated() {
            // A key that is stored and derived has one rank.
            if index > 0, named[index - 1].name != entry.name { rank += 1 }
            if let ref = entry.ref { ranks[Int(ref)] = rank }
            if let derived = entry.derived { derivedRanks[derived.rawValue] = rank }
        }
        for (name, ref, _) in named {
            guard let ref else { continue }
            switch name {
            case "service.name": serviceName = ref
            case "opentracing.ref_type": refType = ref
            default:
                if let derived = Derived.allCases.first(where: { "\($0.name)" == name }) {
                    derivedRefs[derived.rawValue] = ref
                }
            }
        }
    }

    func tag(_ key: SpanBatch.Ref, _ value: SpanBatch.Ref) -> Tag {
        Tag(rank: ranks[Int(key)], key: .stored(key), value: .stored(value))
    }

    func tag(_ name: Derived, _ value: Tag.Value) -> Tag {
        Tag(rank: derivedRanks[name.rawValue], key: .derived(name), value: value)
    }

    /// The ref of the attribute key of that name, if the batch has it.
    func ref(of name: Derived) -> SpanBatch.Ref? { derivedRefs[name.rawValue] }

    /// Sorts by key; equal keys stay in the order they came. Tags are few, and often sorted already.
    static func sort(_ tags: inout [Tag]) {
        for index in tags.indices.dropFirst() {
            let tag = tags[index]
            var hole = index
            guard tags[hole - 1].rank > tag.rank else { continue }
            if index > 32 { return tags.sort { $0.rank < $1.rank } }
            repeat {
                tags[hole] = tags[hole - 1]
                hole -= 1
            } while hole > 0 && tags[hole - 1].rank > tag.rank
            tags[hole] = tag
        }
    }

    func writeKey(of tag: Tag, _ dictionary: ByteDictionary, to json: inout JSONWriter) {
        switch tag.key {
        case .stored(let ref): dictionary.withBytes(ref) { json.string(utf8: $0) }
        case .derived(let name): json.string(word: name.name)
        }
    }
}
