// SPDX-License-Identifier: Apache-2.0
import Logging
import SkeinModel
import SkeinPropagation
import SkeinTracing
import Tracing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Makes spans as its arguments say and exports them as the environment says (`OTEL_*`), so that tests see the SDK from outside,
/// as a service's operator does.
///
///     OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 SpanEmitter every-shape
@main struct SpanEmitter {
    private struct OutOfStock: Error, CustomStringConvertible {
        var description: String { "no widgets left" }
    }

    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        LoggingSystem.bootstrap(
            { label, provider in
                var handler = StreamLogHandler.standardError(label: label)
                handler.metadataProvider = provider
                return handler
            },
            metadataProvider: .skein()
        )
        switch arguments.first {
        case "every-shape":
            try await Skein.run { everyShape() }
        case "burst":
            // So many spans as fast as they come.
            let count = arguments.dropFirst().first.flatMap { Int($0) } ?? 10_000
            try await Skein.run { for index in 0..<count { Skein.withSpan("burst \(index)") { _ in } } }
        case "start":
            // Without running as a service, and without a word at the end: what is left goes at exit.
            Skein.start()
            Skein.withSpan("before exit") { _ in }
        case "wait":
            // Until a signal comes.
            Skein.start()
            Skein.withSpan("before signal") { _ in }
            print("ready")
            fflush(nil)
            try await Task.sleep(for: .seconds(600))
        case "twice":
            let skein = Skein.start()
            Skein.start().tracer.withSpan("first") { _ in }
            print("flushed: \(await skein.forceFlush())")
            Skein.withSpan("second") { _ in }
            print("shut down: \(await skein.shutdown())")
        case "global":
            // Through swift-distributed-tracing's own functions.
            try await Skein.run(service: "global") {
                withSpan("outer", ofKind: .server) { outer in
                    outer.attributes["user.id"] = "abc"
                    withSpan("inner") { _ in Logger(label: "shop").info("in stock") }
                }
            }
        case "agents":
            // Sessions of agents: parallel steps, one that fails, and a child, which is this program again.
            try await Skein.run(service: "agents") { try await AgentSessions.lead() }
        case "agent-child":
            await AgentSessions.child()
        case "agent-live":
            await AgentSessions.live(arguments.dropFirst().first ?? "http://localhost:16686")
        default:
            print(
                "usage: SpanEmitter every-shape | burst COUNT | start | wait | twice | global | agents | agent-live URL; OTEL_* say where"
            )
        }
    }

    /// A trace of a server, a client below it that failed, and a producer, with all that a span may hold.
    private static func everyShape() {
        Skein.withSpan("GET /orders/{id}", kind: .server, attributes: ["http.request.method": "GET"]) { server in
            server.setAttribute("text", "grün \u{1F33F}")
            server.setAttribute("int", 42)
            server.setAttribute("double", 1.5)
            server.setAttribute("bool", true)
            server.setAttribute("texts", .array(["a", "b"]))
            server.setAttribute("bytes", .bytes([0, 255]))
            server.addEvent("looked up", attributes: ["rows": 3])
            let earlier = SpanContext(
                traceID: TraceID(high: 1, low: 2),
                spanID: SpanID(3),
                flags: [.sampled],
                isRemote: true
            )
            server.addLink(earlier, attributes: ["why": "retry"])
            try? Skein.withSpan(
                "GET",
                kind: .client,
                attributes: ["server.address": "inventory", "server.port": 8_080]
            ) { _ in throw OutOfStock() }
            Skein.withSpan("orders publish", kind: .producer, attributes: ["peer.service": "queue"]) { producer in
                producer.setStatus(SpanStatus(code: .ok))
            }
        }
    }
}
