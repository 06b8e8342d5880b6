// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Rollups in their plainest reading: every span and every call looked up by name.
struct PlainRollup {
    private let grid: RollupGrid
    private var operations: [UInt64: [OperationKey: DurationDistribution]] = [:]
    private var edges: [UInt64: [EdgeKey: EdgeRollup]] = [:]

    private struct OperationKey: Hashable {
        var service: ExactText
        var operation: ExactText
        var kind: Span.Kind
        var status: Span.Status.Code
    }

    init(_ grid: RollupGrid) { self.grid = grid }

    /// Adds a whole trace, each span there once.
    mutating func add(_ batch: SpanBatch) {
        let spans = batch.spans
        for span in spans {
            guard let slice = slice(of: span) else { continue }
            let key = OperationKey(
                service: ExactText(span.resource.serviceName),
                operation: ExactText(span.name),
                kind: span.kind,
                status: span.status.code
            )
            operations[slice, default: [:]][key, default: DurationDistribution()].add(
                durationNanos: span.durationNanos,
                weight: span.weight,
                traceID: span.traceID
            )
        }
        var calls = ServiceCalls()
        calls.find(batch)
        for call in 0..<calls.count { add(calls[call], of: spans) }
    }

    private mutating func add(_ call: ServiceCalls.Call, of spans: [Span]) {
        let client = spans[Int(call.client)]
        let isCalling = client.kind == .client || client.kind == .producer
        if call.server >= 0 {
            let server = spans[Int(call.server)]
            guard let slice = slice(of: server) else { return }
            let key = EdgeKey(
                client: client.resource.serviceName,
                server: server.resource.serviceName,
                connectionType: call.isMessage ? .messagingSystem : .direct
            )
            let isError = server.status.code == .error || (isCalling && client.status.code == .error)
            add(key, slice, server, server.weight, .serverSide, isError: isError)
            if isCalling { add(key, slice, client, server.weight, .clientSide, isError: isError) }
        } else {
            var present: UInt16 = 0
            for key in Peer.Key.allCases where Self.text(key, client) != nil { present |= key.bit }
            guard let slice = slice(of: client), let peer = Peer(isMessage: call.isMessage, present: present) else {
                return
            }
            let key = EdgeKey(
                client: client.resource.serviceName,
                server: Self.text(peer.key, client) ?? "",
                connectionType: peer.connection
            )
            add(key, slice, client, client.weight, .outside, isError: client.status.code == .error)
        }
    }

    private mutating func add(
        _ key: EdgeKey,
        _ slice: UInt64,
        _ span: Span,
        _ weight: Double,
        _ role: Rollup.Role,
        isError: Bool
    ) {
        var durations = DurationDistribution()
        durations.add(durationNanos: span.durationNanos, weight: weight, traceID: span.traceID)
        guard durations.units != 0 else { return }
        edges[slice, default: [:]][key, default: key.edge].add(durations, role: role, isError: isError)
    }

    private static func text(_ key: Peer.Key, _ span: Span) -> String? {
        guard case .string(let text) = span.attributes[key.name], !text.isEmpty else { return nil }
        return text
    }

    private func slice(of span: Span) -> UInt64? {
        let minute = span.startUnixNanos / RollupGrid.minuteNanos
        return grid.minutes.contains(minute) ? grid.slice(of: minute) : nil
    }

    /// What was added.
    var slices: [RollupSlice] {
        Set(operations.keys).union(edges.keys).sorted().map { minute in
            var slice = grid.slice(at: minute)
            for (key, durations) in operations[minute] ?? [:] where durations.units != 0 {
                slice.operations.append(
                    OperationRollup(
                        service: key.service.text,
                        operation: key.operation.text,
                        kind: key.kind,
                        status: key.status,
                        durations: durations
                    )
                )
            }
            slice.finish((edges[minute] ?? [:]).values.map(\.self))
            return slice
        }
    }
}
