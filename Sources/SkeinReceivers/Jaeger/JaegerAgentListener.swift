// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
package import SkeinBase
import SkeinModel
package import SkeinPipeline
import SkeinWire
import Synchronization

/// What Jaeger clients send to an agent: Thrift messages `emitBatch` in one of two encodings, one a datagram.
///
/// Nobody is answered. Datagrams wait in a bounded queue; those that wait together are stored together, so that a store
/// that syncs for each append is not asked to for each datagram. When the store is busy it is asked again a few times.
package final class JaegerAgentListener: Listener {
    /// How the messages of a port are encoded.
    package enum Encoding: Sendable { case compact, binary }

    /// The most a datagram holds: what a UDP length field can say.
    private static let datagramBytesMax = 65_535
    private static let datagramsPerRead = 16
    private static let socketBufferBytes = 4 << 20
    private static let attemptsMax = 5
    /// How long the first datagram waits for others to be stored with it.
    private static let gatherNanos: UInt64 = 3_000_000

    package let name: String
    private let encoding: Encoding
    private let address: ListenAddress
    private let pipeline: Pipeline
    private let limits: DecodingLimits
    private let counters: IngestCounters
    private let clock: any WallClock
    private let queue: DatagramQueue
    private let socket = Mutex<(any Channel)?>(nil)

    /// A listener that is not bound yet.
    package init(
        name: StaticString,
        encoding: Encoding,
        address: ListenAddress,
        pipeline: Pipeline,
        itemsMax: Int = DecodingLimits().itemsMax,
        telemetry: Telemetry,
        clock: any WallClock = SystemClock()
    ) {
        self.name = name.description
        self.encoding = encoding
        self.address = address
        self.pipeline = pipeline
        var limits = DecodingLimits()
        limits.itemsMax = itemsMax
        self.limits = limits
        self.clock = clock
        queue = DatagramQueue(countMax: 10_000, bytesMax: 16 << 20, budget: pipeline.budget)
        counters = IngestCounters(protocol: name, in: telemetry)
        telemetry.gauge(
            "skein_queued_datagrams",
            "Datagrams received and not yet decoded.",
            ["protocol": name],
            reading: { [queue] in Double(queue.count) }
        )
    }

    /// What was received, kept and refused.
    package var ingestCounters: IngestCounters { counters }

    package func bind() async throws(ListenError) -> ListenAddress {
        let (queue, counters) = (queue, counters)
        do {
            let channel = try await DatagramBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .channelOption(.socketOption(.so_reuseaddr), value: 0)
                .channelOption(.socketOption(.so_rcvbuf), value: Self.socketBufferBytes)
                .channelOption(.datagramVectorReadMessageCount, value: Self.datagramsPerRead)
                .channelOption(
                    .recvAllocator,
                    value: FixedSizeRecvByteBufferAllocator(capacity: Self.datagramBytesMax * Self.datagramsPerRead)
                )
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            DatagramReceiver(queue: queue, counters: counters)
                        )
                    }
                }
                .bind(host: address.host, port: address.port).get()
            socket.withLock { $0 = channel }
            return channel.localAddress.flatMap(ListenAddress.init) ?? address
        } catch {
            throw ListenError(name, address, error)
        }
    }

    package func run() async throws {
        guard let channel = socket.withLock({ $0 }) else { preconditionFailure("\(name) is served before it is bound") }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.consume() }
            await channel.serveUntilShutdown()
            queue.close()
        }
    }

    private func consume() async {
        var decoder = Jaeger.ThriftDecoder(limits: limits)
        while var datagrams = await queue.take() {
            try? await clock.sleep(nanos: Self.gatherNanos)
            if queue.count > 0, let more = await queue.take() { datagrams += more }
            await store(decode(datagrams, &decoder))
        }
    }

    /// The spans of several datagrams as one batch.
    private func decode(_ datagrams: [[UInt8]], _ decoder: inout Jaeger.ThriftDecoder) -> SpanBatch {
        var batches: [SpanBatch] = []
        let now = clock.unixNanos
        for datagram in datagrams {
            do throws(WireError) {
                let decoded = try datagram.withBytes { bytes throws(WireError) in
                    switch encoding {
                    case .compact: try decoder.decodeCompact(bytes, receivedUnixNanos: now)
                    case .binary: try decoder.decodeBinary(bytes, receivedUnixNanos: now)
                    }
                }
                counters.receivedSpans.add(decoded.accepted + decoded.rejectedCount)
                for (reason, count) in decoded.rejected { counters.reject(count, SpanRejection(reason)) }
                counters.drop(decoded.dropped)
                if !decoded.batch.isEmpty { batches.append(decoded.batch) }
            } catch {
                counters.refuse(error.code == .unsupported ? .unsupported : .malformed)
            }
        }
        guard batches.count > 1 else { return batches.first ?? SpanBatch() }
        var builder = SpanBatchBuilder()
        for batch in batches {
            var merger = SpanBatchMerger(from: batch)
            for row in 0..<batch.count { merger.append(row, to: &builder) }
        }
        return builder.finish(receivedUnixNanos: now)
    }

    private func store(_ batch: SpanBatch) async {
        guard let prepared = try? pipeline.prepare(batch, counters: counters) else { return }
        // It is here already; whoever comes next is refused for it.
        var memory = pipeline.budget.reservation()
        memory.resizeAnyway(to: 2 * prepared.batch.byteCount)
        // The senders are gone; nobody but this loop can try again. What fails for good is counted by the pipeline.
        for attempt in 1...Self.attemptsMax {
            do throws(Refusal) {
                let isLast = attempt == Self.attemptsMax
                return try await pipeline.store(prepared, counters: counters, isLastAttempt: isLast)
            } catch {
                guard error.reason.isRetryable, attempt < Self.attemptsMax else { return }
                try? await clock.sleep(nanos: UInt64(attempt) * 200_000_000)
            }
        }
    }
}

/// Takes datagrams off the socket into the queue.
private final class DatagramReceiver: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let queue: DatagramQueue
    private let counters: IngestCounters

    init(queue: DatagramQueue, counters: IngestCounters) {
        self.queue = queue
        self.counters = counters
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let datagram = unwrapInboundIn(data).data
        counters.requests.add()
        counters.bytes.add(datagram.readableBytes)
        guard queue.makeRoom(for: datagram.readableBytes) else { return counters.refuse(.busy) }
        // Copied, since the buffer is a slice of one made for many datagrams of the largest size.
        queue.append(Array(datagram.readableBytesView))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An ICMP message about an earlier datagram, or none at all: the socket goes on.
    }
}
