// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// A trace as Jaeger has it, for its JSON and its messages.
///
/// The mapping is the OpenTelemetry collector's (OTLP to Jaeger): what Jaeger has no field for becomes a tag, links
/// become references, events become logs. Unless it is asked for raw, the trace is shown as Jaeger would adjust it: tags
/// in the order of their keys, logs in the order of time, empty links left out, and a server span that shares its id
/// with its client (as Zipkin's do) under an id of its own. Clocks are never adjusted, as is Jaeger's default.
struct JaegerTrace {
    let batch: SpanBatch
    private let isRaw: Bool
    let names: JaegerTagNames
    let ids: JaegerSpanIDs
    /// By row of the batch's resources: the number of its process, from 0 on. Equal resources are one process.
    let processes: [Int]
    /// By number of process: a row of the batch's resources.
    let processRows: [Int]

    /// The trace whose spans `batch` holds, at least one.
    init(_ batch: SpanBatch, isRaw: Bool) {
        self.batch = batch
        self.isRaw = isRaw
        names = JaegerTagNames(batch)
        ids = JaegerSpanIDs(batch, isRaw: isRaw)
        var processes = [Int](repeating: 0, count: batch.resources.count)
        var known: [[UInt32]: Int] = [:]
        var processRows: [Int] = []
        var isSeen = [Bool](repeating: false, count: batch.resources.count)
        for row in batch.resourceRows.map(Int.init) where !isSeen[row] {
            isSeen[row] = true
            let table = batch.resources.attributes
            let content = table.range(of: row).flatMap { [table.keyRefs[$0], table.valueRefs[$0]] }
            if let process = known[content] {
                processes[row] = process
            } else {
                processes[row] = processRows.count
                known[content] = processRows.count
                processRows.append(row)
            }
        }
        self.processes = processes
        self.processRows = processRows
    }

    /// 16 digits for an id of 64 bits, else 32.
    static func text(of id: TraceID) -> String { id.high == 0 ? SpanID(id.low).description : id.description }

    /// What a span refers to.
    struct Reference {
        var isChildOf: Bool
        var traceID: TraceID
        var spanID: SpanID
    }

    /// Calls `body` with the parent of span `row`, then with its links.
    func forEachReference(of row: Int, _ body: (Reference) -> Void) {
        let parent = ids.parents[row]
        if parent.isValid { body(Reference(isChildOf: true, traceID: batch.traceIDs[row], spanID: parent)) }
        for link in batch.links.range(of: row) {
            let (traceID, spanID) = (batch.links.traceIDs[link], batch.links.spanIDs[link])
            if !isRaw, !traceID.isValid || !spanID.isValid { continue }
            body(Reference(isChildOf: isChildOf(link), traceID: traceID, spanID: spanID))
        }
    }

    /// The W3C trace flags of span `row`, all that Jaeger has room for.
    func flags(of row: Int) -> UInt32 { SpanBatch.value(batch.flags, row, default: 0) & 0xff }

    /// The events of span `row`, each a log.
    func logs(of row: Int) -> [Int] {
        let events = Array(batch.events.range(of: row))
        // A stable sort: what happened at one moment stays in its order.
        return isRaw ? events : events.sorted(by: isEarlier)
    }

    private func isEarlier(_ a: Int, _ b: Int) -> Bool {
        let times = batch.events.timeUnixNanos
        return times[a] != times[b] ? times[a] < times[b] : a < b
    }

    /// Receivers of Jaeger spans keep what kind a reference was in this attribute of the link.
    private func isChildOf(_ link: Int) -> Bool {
        let table = batch.links.attributes
        return table.range(of: link).contains { pair in
            table.keyRefs[pair] == names.refType && batch.dictionary.value(table.valueRefs[pair]) == "child_of"
        }
    }

    // MARK: Tags

    /// The tags of span `row`, in the order in which they are shown.
    func tags(of row: Int) -> [JaegerTagNames.Tag] {
        let table = batch.attributes
        let pairs = table.range(of: row)
        var tags: [JaegerTagNames.Tag] = []
        tags.reserveCapacity(pairs.count + JaegerTagNames.Derived.allCases.count)
        for pair in pairs { tags.append(names.tag(table.keyRefs[pair], table.valueRefs[pair])) }
        /// A client may have sent the tag as an attribute too; two that say the same are one.
        func add(_ name: JaegerTagNames.Derived, _ value: JaegerTagNames.Tag.Value) {
            if let ref = names.ref(of: name),
                pairs.contains(where: { table.keyRefs[$0] == ref && says(table.valueRefs[$0], value) })
            {
                return
            }
            tags.append(names.tag(name, value))
        }
        func addText(_ name: JaegerTagNames.Derived, _ ref: SpanBatch.Ref) {
            if ref != 0 { add(name, .text(ref)) }
        }
        switch Span.Kind(rawValue: batch.kinds[row]) ?? .unspecified {
        case .unspecified: break
        case .internal: add(.spanKind, .word("internal"))
        case .server: add(.spanKind, .word("server"))
        case .client: add(.spanKind, .word("client"))
        case .producer: add(.spanKind, .word("producer"))
        case .consumer: add(.spanKind, .word("consumer"))
        }
        switch Span.Status.Code(rawValue: batch.statusCodes[row]) ?? .unset {
        case .unset: break
        case .ok: add(.statusCode, .word("OK"))
        case .error:
            add(.error, .yes)
            add(.statusCode, .word("ERROR"))
        }
        addText(.statusDescription, SpanBatch.value(batch.statusMessageRefs, row, default: 0))
        addText(.traceState, SpanBatch.value(batch.traceStateRefs, row, default: 0))
        let scope = Int(batch.scopeRows[row])
        addText(.scopeName, batch.scopes.nameRefs[scope])
        addText(.scopeVersion, batch.scopes.versionRefs[scope])
        return sorted(tags)
    }

    /// Whether a stored value is the derived one.
    private func says(_ stored: SpanBatch.Ref, _ derived: JaegerTagNames.Tag.Value) -> Bool {
        switch (batch.dictionary.value(stored), derived) {
        case (.string(let text), .word(let word)): text == "\(word)"
        case (.string(let text), .text(let ref)): text == batch.dictionary.string(ref)
        case (.bool(let bool), .yes): bool
        default: false
        }
    }

    /// The fields of the log that is event `event`: its name, unless an attribute says one, then its attributes.
    func fields(ofLog event: Int) -> [JaegerTagNames.Tag] {
        let table = batch.events.attributes
        let pairs = table.range(of: event)
        let tags = sorted(pairs.map { names.tag(table.keyRefs[$0], table.valueRefs[$0]) })
        let name = batch.events.nameRefs[event]
        let hasOwn = pairs.contains { table.keyRefs[$0] == names.ref(of: .event) }
        return name == 0 || hasOwn ? tags : [names.tag(.event, .text(name))] + tags
    }

    /// The tags of process `process`.
    func tags(ofProcess process: Int) -> [JaegerTagNames.Tag] {
        let row = processRows[process]
        let table = batch.resources.attributes
        let isNamed = batch.resources.serviceNameRefs[row] != 0
        let pairs = table.range(of: row).filter { !isNamed || table.keyRefs[$0] != names.serviceName }
        return sorted(pairs.map { names.tag(table.keyRefs[$0], table.valueRefs[$0]) })
    }

    private func sorted(_ tags: [JaegerTagNames.Tag]) -> [JaegerTagNames.Tag] {
        var tags = tags
        if !isRaw { JaegerTagNames.sort(&tags) }
        return tags
    }
}
