// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import Synchronization
import Testing

/// The WorkTrace API over a store in memory, with a clock of its own, and a journal that outlives it.
final class WorkUnderTest: Sendable {
    let store = MemoryStore()
    let live = LiveTraces()
    let clock = TurnedClock()
    let journal: MemoryRecordLog
    let messages: MemoryRecordLog
    let work: WorkTrace
    let api: API
    let door: Door

    /// Lets spans through to the store, or says why not.
    final class Door: Sendable {
        let refusal = Mutex<Refusal?>(nil)
        /// What the log of the server would say.
        let warnings = Mutex<[String]>([])
    }

    init(
        journal: MemoryRecordLog = MemoryRecordLog(),
        messages: MemoryRecordLog = MemoryRecordLog(),
        limits: WorkLimits = WorkLimits(),
        content: WorkContent = WorkContent(),
        policy: SessionPolicy? = nil,
        options: WorkOptions = WorkOptions(),
        unixNanos: UInt64? = nil
    ) throws {
        if let unixNanos { clock.unix.withLock { $0 = unixNanos } }
        self.journal = journal
        self.messages = messages
        let (door, store, clock, live) = (Door(), store, clock, live)
        self.door = door
        work = try WorkTrace(
            journal: journal,
            messageLog: messages,
            intake: WorkIntake { batch throws(Refusal) in
                if let refusal = door.refusal.withLock({ $0 }) { throw refusal }
                do { try await store.append(batch) } catch { throw Refusal(.storeUnavailable, "\(error)") }
                live.note(batch)
            },
            limits: limits,
            content: content,
            sampling: policy.map { PrioritySampling($0, clock: clock) } ?? EverySession(),
            options: options,
            clock: clock,
            store: store,
            warn: { text in door.warnings.withLock { $0.append(text) } }
        )
        api = API(store: store, clock: clock, live: live, work: work) {
            ServerStatus(version: "0", startedUnixNanos: 0)
        }
    }

    /// The same journal in a new process.
    func restarted(policy: SessionPolicy? = nil) throws -> WorkUnderTest {
        try WorkUnderTest(
            journal: MemoryRecordLog(journal.records),
            messages: MemoryRecordLog(messages.records),
            policy: policy,
            unixNanos: clock.unixNanos
        )
    }

    struct Answer {
        var status: Int
        var headers: [(name: String, value: String)]
        var json: [String: Any]

        subscript(path: String) -> String? {
            var value: Any? = json
            for part in path.split(separator: ".") {
                if let list = value as? [Any] {
                    value = Int(part).flatMap { list.indices.contains($0) ? list[$0] : nil }
                } else {
                    value = (value as? [String: Any])?[String(part)]
                }
            }
            if let text = value as? String { return text }
            return (value as? NSNumber)?.stringValue
        }
    }

    func call(
        _ method: String,
        _ path: String,
        _ body: String = "{}",
        type: String = "application/json",
        headers: [(name: String, value: String)] = []
    ) async throws -> Answer {
        try await answer(
            APIRequest(
                method: method,
                target: "/api/worktrace/v1/\(path)",
                headers: [("Content-Type", type)] + headers,
                body: Array(body.utf8)
            )
        )
    }

    /// What the native API tells of a trace.
    func trace(_ id: String?, _ path: String = "") async throws -> Answer {
        try await answer(APIRequest(target: "/api/skein/v1/traces/\(try #require(id))\(path)"))
    }

    private func answer(_ request: APIRequest) async throws -> Answer {
        let response = try #require(await api.respond(to: request))
        let json = try? JSONSerialization.jsonObject(with: Data(response.bytes)) as? [String: Any]
        return Answer(status: response.status, headers: response.headers, json: json ?? [:])
    }

    func post(_ path: String, _ body: String = "{}", headers: [(name: String, value: String)] = []) async throws
        -> Answer
    {
        try await call("POST", path, body, headers: headers)
    }

    func patch(_ path: String, _ body: String) async throws -> Answer { try await call("PATCH", path, body) }

    /// What is stored of a trace.
    func spans(_ trace: String?) async throws -> [SkeinModel.Span] {
        let id = try #require(trace.flatMap { TraceID(hex: $0) })
        return try await store.trace(id)?.spans ?? []
    }

    func span(_ trace: String?, step: String) async throws -> SkeinModel.Span {
        try #require(try await spans(trace).first { $0.attributes["worktrace.step.id"] == .string(step) })
    }
}

/// A clock that goes on when it is told to.
final class TurnedClock: WallClock {
    let unix = Mutex<UInt64>(1_795_341_600_000_000_000)
    var unixNanos: UInt64 { unix.withLock { $0 } }
    var monotonicNanos: UInt64 { unixNanos }
    func sleep(nanos: UInt64) async throws { try await Task.sleep(nanoseconds: nanos) }
    func turn(seconds: UInt64) { unix.withLock { $0 += seconds * 1_000_000_000 } }
}
