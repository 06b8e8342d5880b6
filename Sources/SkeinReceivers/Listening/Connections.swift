// SPDX-License-Identifier: Apache-2.0
import NIOCore
import SkeinPipeline
import Synchronization

/// The open connections of one listener: how many there may be, and how they end.
///
/// At the limit the connection that has been idle longest makes room for the new one, so that ten thousand idle peers
/// cannot keep a working one out; when none is idle the new one is turned away.
final class Connections: Sendable {
    private struct State: ~Copyable {
        /// Idle connections have a time since when; `nil` means one with work in hand.
        var open: [ObjectIdentifier: (channel: any Channel, idleSince: NIODeadline?)] = [:]
        var isClosing = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let limit: Int
    private let state = Mutex(State())
    private let evicted: Counter
    private let refused: Counter

    /// No connection yet, at most `limit`; `name` is the value of the `listener` label.
    init(limit: Int, name: StaticString, telemetry: Telemetry) {
        self.limit = limit
        evicted = telemetry.counter(
            "skein_evicted_connections_total",
            "Idle connections closed to make room for new ones.",
            ["listener": name]
        )
        refused = telemetry.counter(
            "skein_refused_connections_total",
            "New connections closed at once because all others were at work.",
            ["listener": name]
        )
        telemetry.gauge("skein_open_connections", "Connections open now.", ["listener": name]) { [weak self] in
            Double(self?.count ?? 0)
        }
    }

    /// How much a connection reads at once. It keeps a buffer of that size as long as it is open: with the 64 KiB that
    /// are usual, 256 busy connections took 16 MB.
    static var receiveAllocator: AdaptiveRecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 32 << 10)
    }

    /// Open connections.
    var count: Int { state.withLock { $0.open.count } }

    /// Takes a new connection in; `false` when it must be closed. May be called again for one that is in.
    func add(_ channel: any Channel) -> Bool {
        let (isTaken, victim): (Bool, (any Channel)?) = state.withLock { state in
            if state.open[ObjectIdentifier(channel)] != nil { return (true, nil) }
            if state.isClosing { return (false, nil) }
            var victim: (any Channel)?
            if state.open.count >= limit {
                let idle = state.open.filter { $0.value.idleSince != nil }
                let longest = idle.min {
                    ($0.value.idleSince ?? .distantFuture) < ($1.value.idleSince ?? .distantFuture)
                }
                guard let longest else { return (false, nil) }
                victim = longest.value.channel
                state.open[longest.key] = nil
            }
            state.open[ObjectIdentifier(channel)] = (channel, .now())
            return (true, victim)
        }
        if let victim {
            evicted.add()
            victim.close(promise: nil)
        }
        if !isTaken { refused.add() }
        return isTaken
    }

    /// Notes that a connection has work in hand, or has none since now.
    func mark(_ channel: any Channel, isIdle: Bool) {
        state.withLock { $0.open[ObjectIdentifier(channel)]?.idleSince = isIdle ? .now() : nil }
    }

    /// Forgets a closed connection.
    func remove(_ channel: any Channel) {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.open[ObjectIdentifier(channel)] = nil
            guard state.open.isEmpty else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Lets every connection finish what it has in hand and close; takes no new one. Returns when all are closed, at the
    /// latest after `grace`, by when those that still work are cut.
    func drain(grace: TimeAmount) async {
        let channels = state.withLock { state in
            state.isClosing = true
            return state.open.values.map(\.channel)
        }
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            channel.pipeline.fireUserInboundEventTriggered(ListenerIsClosing())
            channel.eventLoop.scheduleTask(in: grace) { channel.close(promise: nil) }
        }
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if !state.open.isEmpty { state.waiting.append(continuation) }
                return state.open.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }
}

/// Told to every connection when its listener goes down, beside NIO's own event, which handlers keep to themselves.
struct ListenerIsClosing {}
