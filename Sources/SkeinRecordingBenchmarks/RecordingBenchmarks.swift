// SPDX-License-Identifier: Apache-2.0
import CSkeinAllocations
import SkeinRecording
import Tracing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a span costs: time and allocations of one thread for a child of an active span, beside the no-op tracer in the same
/// run. `SKEIN_SDK=recording swift run -c release SkeinRecordingBenchmarks`; with `check` it ends with an error when a span
/// allocates more than it may.
@main struct RecordingBenchmarks {
    /// One way of making a span.
    struct Case {
        var name: String
        /// Allocations a span at most, as `docs/benchmarks.md` promises them.
        var allocationsMax: Double
        /// Makes a span as often as it is told.
        var body: (Int) async -> Void
    }

    /// Takes what is exported away.
    private struct Sink: SpanExporter {
        var typeName: String { "sink_exporter" }
        func export(_ spans: [FinishedSpan], by deadline: ContinuousClock.Instant) -> ExportResult { .done }
    }

    // Inside of a task, as services run: outside of any, each value of a task costs an allocation.
    static func main() async {
        let mustCheck = CommandLine.arguments.dropFirst().first == "check"
        let only = CommandLine.arguments.dropFirst().first { $0 != "check" }
        let rounds = mustCheck ? 3 : 9
        let count = mustCheck ? 2_000 : 100_000
        print("nanoseconds and allocations a span, \(count) spans, best of \(rounds)")
        var isBeyond = false
        for group in groups() {
            var floor = 0.0
            for (index, entry) in group.enumerated() where only.map({ entry.name.contains($0) }) ?? true {
                let (nanos, allocations, bytes) = await measure(entry, count: count, rounds: rounds)
                if index == 0 { floor = nanos }
                let isTooMany = skein_counts_allocations() && allocations > entry.allocationsMax + 0.05
                isBeyond = isBeyond || isTooMany
                let allocated =
                    skein_counts_allocations() ? "\(rounded(allocations)) allocations, \(Int(bytes)) bytes" : ""
                let ratio = "\(rounded(nanos / max(floor, 1)))×"
                print(
                    entry.name.padded(to: 58),
                    String(Int(nanos)).leftPadded(to: 6),
                    "ns",
                    ratio.leftPadded(to: 7),
                    allocated,
                    isTooMany ? "MORE THAN \(entry.allocationsMax)" : ""
                )
            }
        }
        if mustCheck, isBeyond { exit(1) }
    }

    private static func rounded(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }

    private static func measure(_ entry: Case, count: Int, rounds: Int) async -> (Double, Double, Double) {
        await entry.body(count / 10)
        var best = (Double.infinity, Double.infinity, Double.infinity)
        for _ in 0..<rounds {
            let (allocations, bytes) = (skein_thread_allocations(), skein_thread_allocated_bytes())
            let start = threadNanos
            await entry.body(count)
            let nanos = Double(threadNanos - start)
            best.0 = min(best.0, nanos / Double(count))
            best.1 = min(best.1, Double(skein_thread_allocations() - allocations) / Double(count))
            best.2 = min(best.2, Double(skein_thread_allocated_bytes() - bytes) / Double(count))
        }
        return best
    }

    /// What this thread has computed so far: others on the machine make it no longer.
    private static var threadNanos: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func groups() -> [[Case]] {
        let noOp = NoOpTracer()
        let off = SkeinTracer(sampler: AlwaysOffSampler(), processors: [])
        let parentOff = SkeinTracer(sampler: ParentBasedSampler(root: AlwaysOffSampler()), processors: [])
        let strict = SkeinTracer(
            sampler: ParentBasedSampler(root: AlwaysOffSampler()),
            processors: [],
            hasStrictSpanIDs: true
        )
        let on = SkeinTracer(processors: [BatchSpanProcessor(Sink(), configuration: large)])
        // Before the first override, as in a service; what is not sampled needs one, which costs some 20 ns a span.
        Skein.adopt(on)
        return [
            [
                Case(name: "no-op tracer, concrete", allocationsMax: 0) { count in
                    noOp.withSpan("parent") { _ in for _ in 0..<count { noOp.withSpan("child") { blackHole($0) } } }
                },
                recorded("recorded, batch processor, concrete", 3) { _ in },
                recorded("recorded, five attributes", 5) { span in
                    span.setAttribute("http.request.method", "GET")
                    span.setAttribute("http.response.status_code", 200)
                    span.setAttribute("url.path", "/orders/17")
                    span.setAttribute("http.route", "/orders/{id}")
                    span.setAttribute("server.port", 8_080)
                },
                recorded("recorded, five attributes through the dictionary", .infinity) { span in
                    span.attributes["http.request.method"] = "GET"
                    span.attributes["http.response.status_code"] = 200
                    span.attributes["url.path"] = "/orders/17"
                    span.attributes["http.route"] = "/orders/{id}"
                    span.attributes["server.port"] = 8_080
                },
                Case(name: "recorded, five attributes at its start", allocationsMax: 5) { count in
                    Skein.withSpan("parent") { _ in
                        for _ in 0..<count {
                            let attributes: SpanAttributes = [
                                "http.request.method": "GET", "http.response.status_code": 200,
                                "url.path": "/orders/17",
                                "http.route": "/orders/{id}", "server.port": 8_080,
                            ]
                            Skein.withSpan("child", attributes: attributes) { blackHole($0) }
                        }
                    }
                },
                unsampled("not sampled (always off), concrete", off, 0),
                unsampled("not sampled (by its parent), concrete", parentOff, 0),
                unsampled("not sampled, with a span id of its own, concrete", strict, 2),
            ],
            [
                Case(name: "no-op tracer, swift-distributed-tracing's withSpan", allocationsMax: 0) { count in
                    withTracer(noOp) {
                        withSpan("parent") { _ in for _ in 0..<count { withSpan("child") { blackHole($0) } } }
                    }
                },
                through("not sampled, swift-distributed-tracing's withSpan", parentOff, 0),
                through("recorded, swift-distributed-tracing's withSpan", on, 3),
            ],
            sessions(on),
        ]
    }

    /// Steps of one session of an agent, beside a plain span.
    private static func sessions(_ tracer: SkeinTracer) -> [Case] {
        let work = WorkTrace(agent: .init(id: "coder-2", name: "coder"), tracer: tracer)
        func steps(
            _ name: String,
            _ allocationsMax: Double,
            context: [String: SpanAttribute] = [:],
            _ change: @escaping (WorkTrace.Step) -> Void
        ) -> Case {
            Case(name: name, allocationsMax: allocationsMax) { count in
                await work.withSession(task: "task-17", priority: .high, parent: .none) { session in
                    for _ in 0..<count {
                        await session.step("tool:grep", kind: .tool("grep"), context: context) { change($0) }
                    }
                }
            }
        }
        return [
            Case(name: "recorded span, as async", allocationsMax: 3) { count in
                await Skein.withSpan("parent") { _ in
                    for _ in 0..<count { await Skein.withSpan("child") { span async in blackHole(span) } }
                }
            },
            Case(name: "recorded span with the attributes of a step, at its start", allocationsMax: .infinity) {
                count in
                await Skein.withSpan("parent") { _ in
                    for index in 0..<count {
                        let attributes: SpanAttributes = [
                            "worktrace.session.id": "ses_7f3", "session.id": "ses_7f3",
                            "worktrace.session.root_id": "ses_7f3", "gen_ai.conversation.id": "ses_7f3",
                            "gen_ai.agent.id": "coder-2", "gen_ai.agent.name": "coder", "worktrace.task.id": "task-17",
                            "worktrace.task.priority": "high", "worktrace.step.id": .string("\(index)"),
                            "worktrace.step.kind": "tool", "worktrace.step.action": "tool:grep",
                            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "grep",
                        ]
                        await Skein.withSpan("child", attributes: attributes) { span async in
                            span.setAttribute("worktrace.step.outcome", "success")
                            span.setStatus(SpanStatus(code: .ok))
                        }
                    }
                }
            },
            steps("a step of a session", 18) { blackHole($0) },
            steps(
                "a step with a context of two, tokens and cost",
                99,
                context: ["query": "timeout", "file": "a.swift"]
            ) {
                $0.usage(inputTokens: 812, outputTokens: 64, cost: 0.01)
            },
            Case(name: "a session without steps", allocationsMax: 32) { count in
                for _ in 0..<count {
                    await work.withSession(task: "task-17", priority: .high, parent: .none) { blackHole($0) }
                }
            },
        ]
    }

    /// A queue in which nothing is dropped.
    private static var large: BatchConfiguration {
        var configuration = BatchConfiguration()
        configuration.queueSizeMax = 1_000_000
        return configuration
    }

    /// A child through the handle of the process, whose tracer is `tracer` for the while.
    private static func unsampled(_ name: String, _ tracer: SkeinTracer, _ allocationsMax: Double) -> Case {
        Case(name: name, allocationsMax: allocationsMax) { count in
            Skein.withTracer(tracer) {
                Skein.withSpan("parent") { _ in for _ in 0..<count { Skein.withSpan("child") { blackHole($0) } } }
            }
        }
    }

    /// A child through the handle of the process.
    private static func recorded(
        _ name: String,
        _ allocationsMax: Double,
        _ change: @escaping (SkeinSpan) -> Void
    ) -> Case {
        Case(name: name, allocationsMax: allocationsMax) { count in
            Skein.withSpan("parent") { _ in for _ in 0..<count { Skein.withSpan("child") { change($0) } } }
        }
    }

    private static func through(_ name: String, _ tracer: SkeinTracer, _ allocationsMax: Double) -> Case {
        Case(name: name, allocationsMax: allocationsMax) { count in
            withTracer(tracer) {
                withSpan("parent") { _ in for _ in 0..<count { withSpan("child") { blackHole($0) } } }
            }
        }
    }

    /// Keeps the compiler from leaving out what makes `value`.
    @inline(never)
    private static func blackHole<Value>(_ value: Value) {}
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(width - count, 0)) }
    fileprivate func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(width - count, 0)) + self }
}
