// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Where a trace breaks between two services: calls of a service that is not in the trace, while that service begins traces
/// of its own.
struct PropagationHygiene: Sendable {
    /// Calls by caller and what is called.
    private var calls = BoundedGroups<Call, HygieneFigures>(limit: 10_000)
    /// Traces that a server or consumer span of a service begins.
    private var roots = BoundedGroups<ExactText, HygieneFigures>(limit: 10_000)

    var byteCount: Int { (calls.values.count + roots.values.count) * 512 }

    private struct Call: Hashable, Sendable {
        var caller: OperationName
        /// A service, or a host that may be called like it.
        @ExactText var peer: String
    }

    private static let peers: [Peer.Key] = [.peerService, .serverAddress, .netPeerName]

    mutating func add(_ tree: TraceTree, _ batch: SpanBatch) {
        for row in 0..<tree.count where tree.parents[row] < 0 {
            let batchRow = Int(tree.batchRows[row])
            let kind = Span.Kind(stored: batch.kinds[batchRow])
            guard kind == .server || kind == .consumer, !batch.parentSpanIDs[batchRow].isValid else { continue }
            let service = ExactText(batch.serviceName(at: batchRow))
            var figures = HygieneFigures()
            figures.add(batchRow, of: batch)
            roots.update(service, first: HygieneFigures()) { $0.add(figures) }
        }
        var found: [Call: HygieneFigures] = [:]
        var keys = KnownKeys(Self.peers.map(\.name))
        keys.open(batch)
        var services = ServiceCalls()
        services.find(batch)
        for index in 0..<services.count where services[index].server < 0 {
            let row = Int(services[index].client)
            guard let peer = peer(of: row, batch, &keys) else { continue }
            let caller = OperationName(
                service: batch.serviceName(at: row),
                operation: TextShape.name(batch.dictionary.string(batch.nameRefs[row]))
            )
            found[Call(caller: caller, peer: peer), default: HygieneFigures()].add(row, of: batch)
        }
        for (call, figures) in found { calls.update(call, first: HygieneFigures()) { $0.add(figures) } }
    }

    mutating func merge(_ other: PropagationHygiene) {
        calls.merge(other.calls, first: HygieneFigures()) { $0.add($1) }
        roots.merge(other.roots, first: HygieneFigures()) { $0.add($1) }
    }

    var findings: [HygieneFinding] {
        calls.values.compactMap { call, figures in
            guard let service = service(called: call.peer), !service.isExactly(call.caller.service) else { return nil }
            let begun = roots.values[ExactText(service)]?.traceCount ?? 0
            return figures.finding(
                .brokenPropagation,
                call.caller,
                "Calls of \(service) have no span there, while \(service) begins "
                    + "\(begun == 1 ? "a trace" : "\(begun) traces") of its own."
            )
        }
    }

    /// The service that begins traces and is called so: by its name, or by a host whose first label is its name.
    private func service(called peer: String) -> String? {
        if roots.values[ExactText(peer)] != nil { return peer }
        let label = String(peer.prefix { $0 != "." && $0 != ":" })
        return roots.values[ExactText(label)] != nil && !label.isEmpty ? label : nil
    }

    /// What the span says it calls, as far as that may be a service.
    private func peer(of row: Int, _ batch: SpanBatch, _ keys: inout KnownKeys) -> String? {
        var best: (rank: Int, text: String)?
        for pair in batch.attributes.range(of: row) {
            guard let rank = keys.number(batch.attributes.keyRefs[pair], in: batch), rank < best?.rank ?? .max,
                case .string(let text) = batch.dictionary.value(batch.attributes.valueRefs[pair]), !text.isEmpty
            else { continue }
            best = (rank, text)
        }
        return best?.text
    }
}
