// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP2
import SkeinBase
import SkeinCompression
import SkeinPipeline
import SkeinReceivers
import Synchronization
import Testing

/// Calls that are answered with a stream of messages.
struct GRPCStreamingTests {
    private let fixture = Fixture()

    /// What a method went through.
    private final class Progress: Sendable {
        private let state = Mutex((sent: 0, isOver: false, wasCancelled: false))

        var sentCount: Int { state.withLock { $0.sent } }
        var isOver: Bool { state.withLock { $0.isOver } }
        var wasCancelled: Bool { state.withLock { $0.wasCancelled } }

        func sent() { state.withLock { $0.sent += 1 } }
        func end() { state.withLock { $0 = ($0.sent, true, Task.isCancelled) } }
    }

    private typealias Method = @Sendable (consuming GRPCRequest, GRPCMessageWriter) async throws(GRPCStatus) -> Void

    private struct OneMethod: GRPCService {
        let method: Method
        let refusals: RefusalCounters

        func method(at path: String) -> GRPCMethod? { path == "/test.Service/Stream" ? .serverStreaming(method) : nil }
        func count(_ reason: Refusal.Reason) { refusals.add(reason) }
    }

    private func withMethod(
        _ method: @escaping Method,
        limits: GRPCLimits = GRPCLimits(),
        _ body: (GRPCClient) async throws -> Void
    ) async throws {
        let listener = GRPCListener(
            name: "test",
            address: ListenAddress(host: "127.0.0.1", port: 0),
            limits: limits,
            budget: fixture.pipeline.budget,
            telemetry: fixture.telemetry,
            service: OneMethod(method: method, refusals: RefusalCounters(protocol: "test", in: Telemetry()))
        )
        try await fixture.run(listener) { port in try await GRPCClient.with(port, body) }
    }

    private static let path = "/test.Service/Stream"
    private static let request = [GRPCClient.frame([7])]

    /// Sends messages of `size` bytes, each of its number, until it cannot.
    private static func counting(_ count: Int, size: Int = 1, _ progress: Progress = Progress()) -> Method {
        { _, writer throws(GRPCStatus) in
            defer { progress.end() }
            for number in 0..<count {
                try await writer.write(ByteBuffer(repeating: UInt8(truncatingIfNeeded: number), count: size))
                progress.sent()
            }
        }
    }

    /// Sends one message and then waits until it is cancelled.
    private static func waiting(_ progress: Progress) -> Method {
        { _, writer throws(GRPCStatus) in
            defer { progress.end() }
            try await writer.write(ByteBuffer(string: "begun"))
            progress.sent()
            try? await Task.sleep(for: .seconds(600))
        }
    }

    @Test(arguments: [0, 1, 3, 200])
    func `messages come in order and end with a status`(_ count: Int) async throws {
        try await withMethod(Self.counting(count)) { client in
            let reply = try await client.call(Self.path, parts: Self.request)
            #expect(reply.value(":status") == "200")
            #expect(reply.value("content-type") == "application/grpc")
            #expect(reply.status == "0")
            #expect(GRPCClient.messages(in: reply.data) == (0..<count).map { [UInt8($0)] })
        }
        #expect(fixture.pipeline.budget.used == 0)
    }

    @Test func `a message is there before the next one is made`() async throws {
        let progress = Progress()
        try await withMethod(Self.waiting(progress)) { client in
            let call = try await client.begin(Self.path, parts: Self.request)
            try await eventually("the first message is here") {
                GRPCClient.messages(in: call.replySoFar.data) == [Array("begun".utf8)]
            }
            #expect(call.replySoFar.status == nil)
            try await call.cancel()
            try await eventually("the method is cancelled") { progress.wasCancelled }
            // The connection serves on.
            try await #expect(client.call("/nowhere", parts: Self.request).status == "12")
        }
    }

    @Test func `a method is cancelled when its client goes away`() async throws {
        let progress = Progress()
        try await withMethod(Self.waiting(progress)) { client in
            let call = try await client.begin(Self.path, parts: Self.request)
            try await eventually("it has begun") { !call.replySoFar.data.isEmpty }
        }
        try await eventually("the method is cancelled") { progress.wasCancelled }
    }

    @Test func `a failure before the first message is all there is`() async throws {
        let method: Method = { _, _ throws(GRPCStatus) in throw GRPCStatus(.notFound, "no träce") }
        try await withMethod(method) { client in
            let reply = try await client.call(Self.path, parts: Self.request)
            #expect(reply.headers.count == 1)
            #expect(reply.status == "5")
            #expect(reply.value("grpc-message") == "no tr%C3%A4ce")
        }
    }

    @Test func `a failure between messages ends the stream`() async throws {
        let method: Method = { _, writer throws(GRPCStatus) in
            try await writer.write(ByteBuffer(string: "one"))
            throw GRPCStatus(.unavailable, "later", retryAfterSeconds: 3)
        }
        try await withMethod(method) { client in
            let reply = try await client.call(Self.path, parts: Self.request)
            #expect(reply.headers.count == 2)
            #expect(GRPCClient.messages(in: reply.data).count == 1)
            #expect(reply.status == "14")
            #expect(reply.value("grpc-status-details-bin") != nil)
        }
    }

    @Test func `a client that reads slowly is written for slowly, and gets everything`() async throws {
        let progress = Progress()
        try await withMethod(Self.counting(500, size: 10_000, progress)) { client in
            let call = try await client.begin(Self.path, parts: Self.request, reads: false)
            try await eventually("it has begun") { progress.sentCount > 0 }
            try await Task.sleep(for: .milliseconds(300))
            // The client gave credit for 65,535 bytes, and the last message may lie in the middle.
            #expect(progress.sentCount <= 7)
            #expect(!progress.isOver)
            // Other calls on the connection need not wait.
            try await #expect(client.call("/nowhere", parts: Self.request).status == "12")
            try await call.read()
            let reply = try await call.reply
            #expect(reply.status == "0")
            #expect(GRPCClient.messages(in: reply.data).count == 500)
        }
    }

    @Test func `a client that asks for nothing for too long is cut off`() async throws {
        var limits = GRPCLimits()
        limits.writeTime = .milliseconds(200)
        limits.messageBytesPerSecondMin = 10 << 20
        let progress = Progress()
        try await withMethod(Self.counting(500, size: 10_000, progress), limits: limits) { client in
            let call = try await client.begin(Self.path, parts: Self.request, reads: false)
            try await eventually("the method fails") { progress.isOver }
            try await call.read()
            try await #expect(call.reply.status == nil)
            // The connection serves on.
            try await #expect(client.call("/nowhere", parts: Self.request).status == "12")
        }
    }

    @Test(arguments: ["300m", "300000u", "1S"])
    func `what is not answered by its deadline is told so`(_ timeout: String) async throws {
        let progress = Progress()
        let start = ContinuousClock.now
        try await withMethod(Self.waiting(progress)) { client in
            let reply = try await client.call(Self.path, [("grpc-timeout", timeout)], parts: Self.request)
            #expect(reply.status == "4")
        }
        #expect(start.duration(to: .now) >= .milliseconds(300))
        try await eventually("the method is cancelled") { progress.wasCancelled }
    }

    @Test func `what is answered by its deadline is not bothered`() async throws {
        try await withMethod(Self.counting(3)) { client in
            for timeout in ["20S", "99999999H", "1M", nil] {
                let headers = timeout.map { [("grpc-timeout", $0)] } ?? []
                try await #expect(client.call(Self.path, headers, parts: Self.request).status == "0")
            }
        }
    }

    @Test(arguments: ["", "S", "1", "1s", "-1S", "123456789S", "300000000n", "1.5S", " 1S", "1h"])
    func `a timeout out of its form is refused`(_ timeout: String) async throws {
        try await withMethod(Self.counting(1)) { client in
            let reply = try await client.call(Self.path, [("grpc-timeout", timeout)], parts: Self.request)
            #expect(reply.status == "13")
        }
    }

    @Test func `a deadline passes although the client asks for nothing`() async throws {
        let progress = Progress()
        try await withMethod(Self.counting(500, size: 10_000, progress)) { client in
            let call = try await client.begin(
                Self.path,
                [("grpc-timeout", "200m")],
                parts: Self.request,
                reads: false
            )
            try await eventually("the method is cancelled") { progress.wasCancelled }
            try await call.read()
            try await #expect(call.reply.data.count < 500 * 10_000)
        }
    }

    @Test func `requests come compressed as for any method`() async throws {
        let codings = Mutex<[String?]>([])
        let method: Method = { request, _ throws(GRPCStatus) in
            let coding = request.coding
            codings.withLock { $0.append(coding) }
        }
        let packed = [UInt8](1...100).withUnsafeBytes { ContentCoding.gzip.encode($0) }
        try await withMethod(method) { client in
            let headers = [("grpc-encoding", "gzip")]
            let parts = [GRPCClient.frame(packed, flag: 1)]
            try await #expect(client.call(Self.path, headers, parts: parts).status == "0")
            try await #expect(client.call(Self.path, headers, parts: Self.request).status == "0")
        }
        #expect(codings.withLock { $0 } == ["gzip", nil])
    }

    @Test func `many streams run side by side`() async throws {
        try await withMethod(Self.counting(20, size: 5_000)) { client in
            try await withThrowingTaskGroup(of: GRPCClient.Reply.self) { group in
                for _ in 0..<100 { group.addTask { try await client.call(Self.path, parts: Self.request) } }
                for try await reply in group {
                    #expect(reply.status == "0")
                    #expect(GRPCClient.messages(in: reply.data).count == 20)
                }
            }
        }
    }
}
