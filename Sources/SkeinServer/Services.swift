// SPDX-License-Identifier: Apache-2.0
import Logging
import ServiceLifecycle
import SkeinPipeline
import SkeinReceivers
import SkeinStore

/// A store and how to close it.
struct OpenStore: Sendable {
    let store: any SpanStore
    let close: @Sendable () async -> Void

    /// Opens the store that `configuration` asks for.
    static func open(
        _ configuration: ServerConfiguration,
        logger: Logger,
        telemetry: Telemetry
    ) async throws -> OpenStore {
        OpenStore(store: MemoryStore(), close: {})
    }
}

/// Holds the store open until everything that may write to it has ended, then closes it.
struct StoreKeeper: Service {
    private let opened: OpenStore

    init(_ opened: OpenStore) { self.opened = opened }

    func run() async throws {
        try? await gracefulShutdown()
        await opened.close()
    }
}

/// All listeners as one service, so that they go down together and not one after the other.
struct Doors: Service {
    private let listeners: [any Listener]
    private let readiness: Readiness

    init(_ listeners: [any Listener], _ readiness: Readiness) {
        self.listeners = listeners
        self.readiness = readiness
    }

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for listener in listeners { group.addTask { try await listener.run() } }
                try await group.waitForAll()
            }
        } onGracefulShutdown: { [readiness] in
            readiness.set(false)
        }
    }
}
