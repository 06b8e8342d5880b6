// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinBase
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import Synchronization

/// What the server knows of itself, gathered while it starts and read by the status API.
final class Directory: Sendable {
    private struct State: Sendable {
        var listeners: [ServerStatus.Listener] = []
        var counters: [IngestCounters] = []
    }

    private let base: ServerStatus
    private let state = Mutex(State())

    init(_ configuration: ServerConfiguration, startedUnixNanos: UInt64) {
        var base = ServerStatus(version: Version.current, startedUnixNanos: startedUnixNanos)
        base.retentionAgeSeconds = configuration.retention.map { UInt64($0.components.seconds) }
        base.retentionBytes = configuration.retentionBytes.map { UInt64($0) }
        base.retentionRules = configuration.retentionRules.map {
            .init(ageSeconds: $0.rule.ageNanos.map { $0 / 1_000_000_000 }, condition: $0.condition)
        }
        base.dataDirectory = URL(fileURLWithPath: configuration.dataDirectory).standardizedFileURL.path
        if configuration.insecureNoAuth, configuration.listeners.values.contains(where: { !$0.isLoopback }) {
            base.problems = ["Other machines can reach this server, and it does not ask who they are."]
        }
        self.base = base
    }

    func add(_ name: ListenerName, _ address: ListenAddress) {
        let listener = ServerStatus.Listener(name: name.rawValue, address: address.description)
        state.withLock { $0.listeners.append(listener) }
    }

    func add(_ counters: IngestCounters) { state.withLock { $0.counters.append(counters) } }

    var status: ServerStatus {
        let state = state.withLock { $0 }
        var status = base
        status.listeners = state.listeners
        status.receivedSpanCount = state.counters.reduce(0) { $0 &+ $1.acceptedSpans.value }
        return status
    }
}
