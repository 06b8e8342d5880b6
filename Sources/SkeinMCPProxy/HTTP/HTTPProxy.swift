// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Logging
import NIOCore
import ServiceLifecycle
import SkeinBase
import SkeinPipeline
package import SkeinReceivers
import Synchronization
import UnixSignals

/// Listens for clients over HTTP, and passes on what they ask a server.
package final class HTTPProxy: Sendable {
    private let listener: HTTPListener
    private let client: HTTPClient
    private let tracing: ProxyTracing
    private let conversation: Conversation
    private let known: KnownAddress
    private let exchanges: OpenExchanges

    /// What it takes at most.
    package struct Limits: Sendable {
        /// Of one request.
        package var bodyBytesMax: Int
        /// Bytes of bodies over all connections. A request counts twice, since it may be changed.
        package var memoryBytesMax: Int

        package init(bodyBytesMax: Int = 256 << 20, memoryBytesMax: Int = 1 << 30) {
            self.bodyBytesMax = bodyBytesMax
            self.memoryBytesMax = memoryBytesMax
        }
    }

    /// `environment` is that of this process.
    package init(
        listen: ListenAddress,
        upstream: Upstream,
        tracing: ProxyTracing,
        environment: [String: String],
        policy: ContextPolicy = ContextPolicy(),
        most: Limits = Limits()
    ) {
        self.tracing = tracing
        conversation = Conversation(tracing, transport: "tcp", policy: policy)
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10))
        )
        // A request that waits for a stream of another to end would wait for ever, as it may where a connection of HTTP/2 carries as
        // many streams as the server allows.
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4_096
        // Servers give up idle connections after five seconds and more: not while a request is on its way.
        configuration.connectionPool.idleTimeout = .seconds(2)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.tracing.tracer = nil
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        var limits = HTTPLimits()
        limits.bodyBytesMax = most.bodyBytesMax
        limits.bodyTimeMax = .minutes(10)
        // Who reads slowly is waited for, as the server would.
        limits.writeTime = .minutes(10)
        // Clients keep connections for up to 90 s, and lose a request that meets the end of one.
        limits.idleTime = .minutes(5)
        let budget = MemoryPool(byteCount: most.memoryBytesMax).share(atMost: most.memoryBytesMax)
        let known = KnownAddress(listen)
        let service = ProxyService(
            upstream,
            address: { known.address },
            ambience: Ambience(environment: environment, keepsBaggage: false),
            client: client,
            conversation: conversation,
            baggage: policy.baggage,
            budget: budget
        )
        self.known = known
        exchanges = service.exchanges
        listener = HTTPListener(
            name: "mcp",
            address: listen,
            limits: limits,
            budget: budget,
            telemetry: Telemetry(),
            service: service
        )
    }

    /// Runs until the process is asked to end. `announce` is told where it listens.
    package func run(announce: (ListenAddress) -> Void) async throws {
        do {
            let bound = try await listener.bind()
            known.address = bound
            announce(bound)
            let group = ServiceGroup(
                configuration: .init(
                    services: [.init(service: listener)],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: Logger(label: "skein.mcp-proxy") { _ in SwiftLogNoOpLogHandler() }
                )
            )
            try await group.run()
        } catch {
            try? await client.shutdown()
            throw error
        }
        // Each says itself how it ended.
        await exchanges.drain(grace: .seconds(2))
        conversation.closeAll()
        try? await client.shutdown()
        await tracing.shutdown()
    }
}

/// Where a listener waits, which is known for good when it is bound.
private final class KnownAddress: Sendable {
    private let value: Mutex<ListenAddress>
    init(_ address: ListenAddress) { value = Mutex(address) }

    var address: ListenAddress {
        get { value.withLock(\.self) }
        set { value.withLock { $0 = newValue } }
    }
}
