// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import SkeinModel
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import Testing

/// Datagrams of classic Jaeger clients.
struct JaegerAgentTests {
    @Test func `spans of datagrams are stored, and garbage is counted`() async throws {
        let fixture = Fixture()
        let listener = Self.listener(fixture)
        try await fixture.run(listener) { port in
            let garbage: [[UInt8]] = [[], [0], Array("garbage".utf8), [UInt8](repeating: 0xff, count: 1400)]
            try await Self.send([Self.datagram(span: 1)] + garbage + [Self.datagram(span: 2)], to: port)
            try await eventually("both spans are stored") {
                await fixture.store.memory.status().spanCount == 2
            }
        }
        let counters = listener.ingestCounters
        #expect(counters.requests.value == 6)
        #expect(counters.acceptedSpans.value == 2)
        #expect(counters.refused(.malformed) + counters.refused(.unsupported) == 4)
        #expect(try await fixture.names(TraceID(high: 0, low: 7)) == ["op", "op"])
    }

    @Test func `datagrams that come together are stored together`() async throws {
        let fixture = Fixture(TestStore(.hold))
        let listener = Self.listener(fixture)
        try await fixture.run(listener) { port in
            try await Self.send([Self.datagram(span: 1)], to: port)
            try await eventually("the first reaches the store") { fixture.store.waitingCount == 1 }
            try await Self.send((2...50).map { Self.datagram(span: $0) }, to: port)
            try await eventually("the others have come") { listener.ingestCounters.requests.value == 50 }
            fixture.store.release()
            try await eventually("all spans are stored") {
                await fixture.store.memory.status().spanCount == 50
            }
        }
        #expect(fixture.store.appendCount == 2)
    }

    @Test func `what waits when the listener goes down is stored`() async throws {
        let fixture = Fixture(TestStore(.hold))
        let listener = Self.listener(fixture)
        try await fixture.run(listener) { port in
            try await Self.send([Self.datagram(span: 1)], to: port)
            try await eventually("the first reaches the store") { fixture.store.waitingCount == 1 }
            try await Self.send([Self.datagram(span: 2)], to: port)
            try await eventually("the second has come") { listener.ingestCounters.requests.value == 2 }
            fixture.store.release()
        }
        #expect(await fixture.store.memory.status().spanCount == 2)
    }

    @Test func `the other port takes the other encoding, and counts the first as garbage`() async throws {
        let fixture = Fixture()
        let listener = Self.listener(fixture, .binary)
        try await fixture.run(listener) { port in
            let message: [UInt8] =
                [0x80, 1, 0, 4, 0, 0, 0, 9] + Array("emitBatch".utf8) + [0, 0, 0, 1, 12, 0, 1] + JaegerBatch.binary + [
                    0
                ]
            try await Self.send([Self.datagram(span: 1), message], to: port)
            try await eventually("the span is stored") { await fixture.store.memory.status().spanCount == 1 }
        }
        #expect(listener.ingestCounters.refused(.malformed) == 1)
        #expect(try await fixture.names(TraceID(high: 0, low: 7)) == ["op"])
    }

    private static func listener(
        _ fixture: Fixture,
        _ encoding: JaegerAgentListener.Encoding = .compact
    ) -> JaegerAgentListener {
        JaegerAgentListener(
            name: "jaeger-agent",
            encoding: encoding,
            address: ListenAddress(host: "127.0.0.1", port: 0),
            pipeline: fixture.pipeline,
            telemetry: fixture.telemetry
        )
    }

    /// `emitBatch` of service `s` with one span: trace id 7, this span id, name `op`, one microsecond.
    private static func datagram(span: Int) -> [UInt8] {
        func zigZag(_ value: Int) -> [UInt8] {
            var rest = UInt64(value) << 1
            var bytes: [UInt8] = []
            while rest >= 0x80 {
                bytes.append(UInt8(rest & 0x7f) | 0x80)
                rest >>= 7
            }
            return bytes + [UInt8(rest)]
        }
        let head: [UInt8] = [0x82, 0x81, 0x00, 9] + Array("emitBatch".utf8)
        let process: [UInt8] = [0x1c, 0x18, 1, UInt8(ascii: "s"), 0x00]
        let ids: [UInt8] = [0x16] + zigZag(7) + [0x16] + zigZag(0) + [0x16] + zigZag(span) + [0x16] + zigZag(0)
        let rest: [UInt8] = [0x18, 2] + Array("op".utf8) + [0x25] + zigZag(1) + [0x16] + zigZag(1_700_000_000_000_000)
        return head + [0x1c] + process + [0x19, 0x1c] + ids + rest + [0x16] + zigZag(1) + [0x00, 0x00, 0x00]
    }

    private static func send(_ datagrams: [[UInt8]], to port: Int) async throws {
        let channel = try await DatagramBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0).get()
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        for datagram in datagrams {
            try await channel.writeAndFlush(
                AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: datagram))
            )
        }
        try await channel.close()
    }
}
