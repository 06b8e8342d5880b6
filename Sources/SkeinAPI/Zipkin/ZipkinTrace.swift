// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// A trace, or a part of one, as Zipkin's spans (OpenTelemetry specification 1.50, "OpenTelemetry to Zipkin Transformation").
///
/// Beyond the specification, attributes of resources are tags too, where the span has none of that key, and so is the trace state;
/// links have no form in Zipkin and are left out. Two spans that share an id both come, the server's marked as `shared`.
struct ZipkinTrace {
    private let batch: SpanBatch
    /// Names of attribute keys and what they say to Zipkin, by ref.
    private var keys: [SpanBatch.Ref: Key] = [:]
    /// The roles that any key has.
    private var roles: Set<Key.Role> = []
    /// Tags that the spans of a resource or scope have, by row of the batch's table.
    private var resourceTags: [[Tag]] = []
    private var scopeTags: [[Tag]] = []
    /// Ids that a client and a server of the trace share.
    private var sharedIDs: Set<SpanID> = []
    /// Rows that are shown without their parent, since parents run in a circle there.
    private var cut: Set<Int> = []

    private struct Tag {
        var key: String
        var value: Value

        enum Value {
            /// An attribute's value.
            case stored(SpanBatch.Ref)
            /// Text of the dictionary.
            case text(SpanBatch.Ref)
            case word(StaticString)
            case number(UInt32)
        }
    }

    private struct Key {
        var name: String
        var peer: ZipkinPeer?
        var role = Role.other

        enum Role { case other, localAddress, localPort, error, debug, absentStart }
    }

    /// The spans of `batch`.
    init(_ batch: SpanBatch) {
        self.batch = batch
        for table in [batch.attributes, batch.events.attributes, batch.resources.attributes] {
            for ref in table.keyRefs where keys[ref] == nil { keys[ref] = Self.key(batch.dictionary.string(ref)) }
        }
        roles = Set(keys.values.map(\.role))
        resourceTags = (0..<batch.resources.count).map { row in
            tags(batch.resources.attributes, row).filter { $0.key != "service.name" }
        }
        scopeTags = (0..<batch.scopes.count).map { row in
            let (name, version) = (batch.scopes.nameRefs[row], batch.scopes.versionRefs[row])
            let names: [ZipkinTag.Derived] = name == 0 ? [] : [.scopeName, .libraryName]
            let versions: [ZipkinTag.Derived] = version == 0 ? [] : [.scopeVersion, .libraryVersion]
            return names.map { Tag(key: $0.rawValue, value: .text(name)) }
                + versions.map { Tag(key: $0.rawValue, value: .text(version)) }
        }
        var clients: Set<SpanID> = []
        var servers: Set<SpanID> = []
        for row in 0..<batch.count {
            switch Span.Kind(stored: batch.kinds[row]) {
            case .client, .producer: clients.insert(batch.spanIDs[row])
            case .server, .consumer: servers.insert(batch.spanIDs[row])
            default: break
            }
        }
        sharedIDs = clients.intersection(servers)
        var parents = ParentIndex(batch).parentRows
        cut = Set(ParentCircles.cut(&parents).map { Int($0) })
    }

    private static func key(_ name: String) -> Key {
        var key = Key(name: name, peer: ZipkinPeer.allCases.first { $0.key == name })
        switch name {
        case "net.host.ip": key.role = .localAddress
        case "net.host.port": key.role = .localPort
        case "error": key.role = .error
        // What Zipkin's own spans say beside attributes.
        case "zipkin.debug": key.role = .debug
        case "otel.zipkin.absentField.startTime": key.role = .absentStart
        default: break
        }
        return key
    }

    /// 16 digits for an id of 64 bits, else 32.
    static func text(of id: TraceID) -> String { id.high == 0 ? SpanID(id.low).description : id.description }

    /// Writes the spans as elements of an array. `check` is told the bytes written so far after each span, and may end the writing.
    func write<E: Error>(to json: inout JSONWriter, check: (Int) throws(E) -> Void) throws(E) {
        for row in 0..<batch.count {
            writeSpan(row, to: &json)
            try check(json.count)
        }
    }

    private func writeSpan(_ row: Int, to json: inout JSONWriter) {
        let kind = Span.Kind(stored: batch.kinds[row])
        let id = batch.traceIDs[row]
        json.object { json in
            if id.high == 0 { json.member("traceId", SpanID(id.low)) } else { json.member("traceId", id) }
            if batch.parentSpanIDs[row].isValid, !cut.contains(row) {
                json.member("parentId", batch.parentSpanIDs[row])
            }
            json.member("id", batch.spanIDs[row])
            switch kind {
            case .client: json.member("kind", "CLIENT")
            case .server: json.member("kind", "SERVER")
            case .producer: json.member("kind", "PRODUCER")
            case .consumer: json.member("kind", "CONSUMER")
            case .internal, .unspecified: break
            }
            if batch.nameRefs[row] != 0 {
                json.member("name", batch.dictionary.string(batch.nameRefs[row]).lowercased())
            }
            let micros = batch.startUnixNanos[row] / 1000
            if micros > 0, !isTrue(.absentStart, row) { json.member("timestamp", micros) }
            // What took less than a microsecond is rounded up; Zipkin takes none for not known.
            json.member("duration", max(1, batch.durationNanos[row] / 1000))
            write(localEndpoint(row), as: "localEndpoint", to: &json)
            write(remoteEndpoint(row, kind), as: "remoteEndpoint", to: &json)
            writeAnnotations(row, to: &json)
            writeTags(row, to: &json)
            if isTrue(.debug, row) { json.member("debug", true) }
            if kind == .server || kind == .consumer, sharedIDs.contains(batch.spanIDs[row]) {
                json.member("shared", true)
            }
        }
    }

    /// Whether an attribute with this role is true.
    private func isTrue(_ role: Key.Role, _ row: Int) -> Bool {
        guard roles.contains(role) else { return false }
        return batch.attributes.range(of: row).contains {
            keys[batch.attributes.keyRefs[$0]]?.role == role && text(batch.attributes.valueRefs[$0]) == "true"
        }
    }

    // MARK: Endpoints

    private func localEndpoint(_ row: Int) -> ZipkinEndpoint {
        var endpoint = ZipkinEndpoint()
        let service = batch.serviceRef(at: row)
        endpoint.serviceName =
            service == 0 ? ZipkinAPI.namelessService : batch.dictionary.string(service).lowercased()
        for pair in batch.attributes.range(of: row) {
            switch keys[batch.attributes.keyRefs[pair]]?.role {
            case .localAddress:
                var address = ZipkinEndpoint()
                address.add(text(batch.attributes.valueRefs[pair]))
                (endpoint.ipv4, endpoint.ipv6) = (address.ipv4, address.ipv6)
            case .localPort: endpoint.port = port(batch.attributes.valueRefs[pair])
            default: break
            }
        }
        return endpoint
    }

    /// The other end: for a caller what the best attribute says, for others what `peer.service` and addresses say.
    private func remoteEndpoint(_ row: Int, _ kind: Span.Kind) -> ZipkinEndpoint {
        var values = [SpanBatch.Ref?](repeating: nil, count: ZipkinPeer.allCases.count)
        var hasPeer = false
        for pair in batch.attributes.range(of: row) {
            guard let peer = keys[batch.attributes.keyRefs[pair]]?.peer else { continue }
            values[peer.rawValue] = batch.attributes.valueRefs[pair]
            hasPeer = true
        }
        guard hasPeer else { return ZipkinEndpoint() }
        let isCaller = kind == .client || kind == .producer
        var endpoint = ZipkinEndpoint()
        var isNamed = false
        for peer in ZipkinPeer.allCases {
            guard let ref = values[peer.rawValue], isCaller || peer == .peerService || peer.isNumeric else { continue }
            let said = text(ref)
            guard !said.isEmpty else { continue }
            if peer.isNumeric, isNamed {
                // An address stands beside the name, once.
                guard endpoint.ipv4 == nil, endpoint.ipv6 == nil else { continue }
                var address = ZipkinEndpoint()
                address.add(said)
                (endpoint.ipv4, endpoint.ipv6) = (address.ipv4, address.ipv6)
                guard !address.isEmpty, address.serviceName.isEmpty else { continue }
            } else if isNamed {
                continue
            } else {
                endpoint.add(said)
                isNamed = true
            }
            if endpoint.port == 0, let key = peer.portKey { endpoint.port = port(row, key) }
        }
        return endpoint
    }

    private func port(_ row: Int, _ key: String) -> UInt16 {
        for pair in batch.attributes.range(of: row) where keys[batch.attributes.keyRefs[pair]]?.name == key {
            return port(batch.attributes.valueRefs[pair])
        }
        return 0
    }

    private func port(_ ref: SpanBatch.Ref) -> UInt16 { UInt16(text(ref)) ?? 0 }

    private func text(_ ref: SpanBatch.Ref) -> String { ZipkinTag.text(of: batch.dictionary.value(ref)) }

    private func write(_ endpoint: ZipkinEndpoint, as name: StaticString, to json: inout JSONWriter) {
        guard !endpoint.isEmpty else { return }
        json.object(name) { json in
            if !endpoint.serviceName.isEmpty { json.member("serviceName", endpoint.serviceName) }
            if let ipv4 = endpoint.ipv4 { json.member("ipv4", ipv4) }
            if let ipv6 = endpoint.ipv6 { json.member("ipv6", ipv6) }
            if endpoint.port != 0 { json.member("port", endpoint.port) }
        }
    }

    // MARK: Annotations

    private func writeAnnotations(_ row: Int, to json: inout JSONWriter) {
        let table = batch.events
        let events = table.range(of: row)
        guard !events.isEmpty else { return }
        let ordered = events.sorted {
            table.timeUnixNanos[$0] != table.timeUnixNanos[$1]
                ? table.timeUnixNanos[$0] < table.timeUnixNanos[$1] : $0 < $1
        }
        json.array("annotations") { json in
            for event in ordered {
                json.object { json in
                    json.member("timestamp", table.timeUnixNanos[event] / 1000)
                    json.key("value")
                    writeAnnotation(event, to: &json)
                }
            }
        }
    }

    /// The name of an event, or `"name":{"key":value}` when it has attributes.
    private func writeAnnotation(_ event: Int, to json: inout JSONWriter) {
        let table = batch.events
        let pairs = table.attributes.range(of: event)
        if pairs.isEmpty { return batch.dictionary.withBytes(table.nameRefs[event]) { json.string(utf8: $0) } }
        var member = JSONWriter(capacity: 256)
        member.object { member in
            batch.dictionary.withBytes(table.nameRefs[event]) { member.key(utf8: $0) }
            member.object { member in
                for pair in pairs {
                    batch.dictionary.withBytes(table.attributes.keyRefs[pair]) { member.key(utf8: $0) }
                    member.plain(batch.dictionary.value(table.attributes.valueRefs[pair]))
                }
            }
        }
        // Without the braces around.
        json.string(utf8: UnsafeRawBufferPointer(rebasing: member.bytes.dropFirst().dropLast()))
    }

    // MARK: Tags

    private func tags(_ table: SpanBatch.AttributeTable, _ owner: Int) -> [Tag] {
        table.range(of: owner).map {
            Tag(key: keys[table.keyRefs[$0]]?.name ?? "", value: .stored(table.valueRefs[$0]))
        }
    }

    private func writeTags(_ row: Int, to json: inout JSONWriter) {
        // Of equal keys the last one counts.
        var tags = resourceTags[Int(batch.resourceRows[row])] + scopeTags[Int(batch.scopeRows[row])]
        for pair in batch.attributes.range(of: row) {
            guard let key = keys[batch.attributes.keyRefs[pair]] else { continue }
            let ref = batch.attributes.valueRefs[pair]
            // Whoever finds an error in Zipkin takes it for one, whatever it says.
            if key.role == .error, text(ref) == "false" { continue }
            if key.role == .debug || key.role == .absentStart, text(ref) == "true" { continue }
            tags.append(Tag(key: key.name, value: .stored(ref)))
        }
        addStatus(of: row, to: &tags)
        addRest(of: row, to: &tags)
        guard !tags.isEmpty else { return }
        let ordered = tags.indices.sorted { a, b in
            tags[a].key.isExactly(tags[b].key) ? a < b : tags[a].key.precedes(tags[b].key)
        }
        json.object("tags") { json in
            for (place, index) in ordered.enumerated() {
                let tag = tags[index]
                if place + 1 < ordered.count, tags[ordered[place + 1]].key.isExactly(tag.key) { continue }
                json.key(text: tag.key)
                write(tag.value, to: &json)
            }
        }
    }

    private func addStatus(of row: Int, to tags: inout [Tag]) {
        switch Span.Status.Code(rawValue: batch.statusCodes[row]) ?? .unset {
        case .unset: break
        case .ok: tags.append(Tag(key: ZipkinTag.Derived.statusCode.rawValue, value: .word("OK")))
        case .error:
            tags.append(Tag(key: ZipkinTag.Derived.statusCode.rawValue, value: .word("ERROR")))
            let message = SpanBatch.value(batch.statusMessageRefs, row, default: 0)
            let error = ZipkinTag.Derived.error.rawValue
            // What the client called the error says more than nothing.
            if message != 0 || !tags.contains(where: { $0.key == error }) {
                tags.append(Tag(key: error, value: .text(message)))
            }
        }
    }

    private func addRest(of row: Int, to tags: inout [Tag]) {
        let state = SpanBatch.value(batch.traceStateRefs, row, default: 0)
        if state != 0 { tags.append(Tag(key: ZipkinTag.Derived.traceState.rawValue, value: .text(state))) }
        for (name, column) in [
            (ZipkinTag.Derived.droppedAttributesCount, batch.droppedAttributesCounts),
            (.droppedEventsCount, batch.droppedEventsCounts), (.droppedLinksCount, batch.droppedLinksCounts),
        ] {
            let count = SpanBatch.value(column, row, default: 0)
            if count != 0 { tags.append(Tag(key: name.rawValue, value: .number(count))) }
        }
    }

    private func write(_ value: Tag.Value, to json: inout JSONWriter) {
        switch value {
        case .stored(let ref):
            batch.dictionary.withBytes(ref) { encoded in
                if let text = EncodedValue.text(encoded) {
                    json.string(utf8: text)
                } else {
                    json.string(ZipkinTag.text(of: EncodedValue.decode(encoded)))
                }
            }
        case .text(let ref): batch.dictionary.withBytes(ref) { json.string(utf8: $0) }
        case .word(let word): json.string(word: word)
        case .number(let number): json.decimal(number)
        }
    }
}
