// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinTracing

/// An orchestration of two agents in two processes, for tests that read it back.
enum AgentSessions {
    private struct Flaky: Error {}

    static func lead() async throws {
        let work = WorkTrace(agent: .init(id: "lead-1", name: "lead", version: "1.2"))
        await work.withSession(
            task: "task-17",
            priority: .normal,
            id: "ses_lead",
            title: "Fix it",
            budget: .init(usd: 2.5),
            parent: .none
        ) { session in
            await session.step("llm:gpt-5", kind: .llm("gpt-5"), id: "st_ask") {
                $0.usage(inputTokens: 100, outputTokens: 7, cacheReadTokens: 40, reasoningTokens: 5, cost: 0.25)
            }
            await session.step("plan", kind: .plan) { _ in
                async let one: Void = session.step("tool:grep", kind: .tool("grep"), context: ["query": "timeout"]) {
                    _ in
                    try? await Task.sleep(for: .milliseconds(20))
                }
                async let two: Void = session.step("tool:read", kind: .tool("read")) { _ in
                    try? await Task.sleep(for: .milliseconds(20))
                }
                _ = await (one, two)
            }
            try? await session.step("tool:flaky", kind: .tool("flaky")) { _ in throw Flaky() }
            let child = session.spawn(agent: "reviewer", task: "review")
            let process = Process()
            process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
            process.arguments = ["agent-child"]
            process.environment = ProcessInfo.processInfo.environment.merging(child.environment) { $1 }
            do {
                try process.run()
                process.waitUntilExit()
                child.finish(outcome: process.terminationStatus == 0 ? .success : .failure)
            } catch {
                child.finish(outcome: .failure)
            }
        }
    }

    /// A session that a server sees while it goes on: it waits for a line on the standard input, in a step.
    static func live(_ url: String) async {
        let work = WorkTrace(exporter: .hub(url), agent: .init(id: "live-1", name: "live"))
        await work.withSession(task: "task 9", id: "ses_live", title: "Wait", labels: ["team": "infra"], parent: .none)
        {
            session in
            await session.step("llm:m", kind: .llm("m"), id: "st_ask") { step in
                step.usage(inputTokens: 9, outputTokens: 2, cost: 0.5)
                step.messages(input: "secret")
            }
            await session.step("wait:human", id: "st_wait", context: ["question": "go on?"]) { step in
                session.heartbeat()
                session.message(to: "grp", id: "msg_1")
                _ = readLine()
                step.event("answered", ["by": "you"])
            }
            session.outcome(.partial)
        }
    }

    /// The child traces nothing else, and has an exporter of its own.
    static func child() async {
        let collector = ProcessInfo.processInfo.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "http://localhost:4318"
        let work = WorkTrace(exporter: .otlpHTTP(collector), agent: .init(id: "reviewer-1", name: "reviewer"))
        await work.withSession(priority: .low, parent: .fromEnvironment()) { session in
            await session.step("llm:gpt-5", kind: .llm("gpt-5")) {
                $0.usage(inputTokens: 11, outputTokens: 3, cost: 0.5)
            }
        }
    }
}
