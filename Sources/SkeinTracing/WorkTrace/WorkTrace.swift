// SPDX-License-Identifier: Apache-2.0
import SkeinPropagation
import SkeinRecording
public import Tracing

/// Sessions and steps of an agent as spans of any `Tracer`.
///
///     let work = WorkTrace(agent: .init(id: "coder-2", name: "coder"))
///     try await work.withSession(task: "task-17", priority: .high, parent: .fromEnvironment()) { session in
///         try await session.step("tool:grep", kind: .tool("grep"), context: ["query": "timeout"]) { step in … }
///     }
///
/// Nothing here waits for a network or throws because of tracing: errors are those of the closures.
public struct WorkTrace: Sendable {
    /// Who works. `id` is stable over sessions; `name` is what people read.
    public struct Agent: Sendable, Hashable {
        public var id: String
        public var name: String
        public var version: String?

        /// An agent; without a name its id is its name.
        public init(id: String, name: String? = nil, version: String? = nil) {
            (self.id, self.name, self.version) = (id, name ?? id, version)
        }
    }

    /// How urgent a task is, the most urgent first.
    public enum Priority: String, Sendable, CaseIterable {
        case critical, high, normal, low, background

        /// A child may raise the priority of its parent, and never lowers it.
        static func effective(_ own: Priority?, inherited: Priority?) -> Priority? {
            guard let own, let inherited else { return own ?? inherited }
            return allCases.first { $0 == own || $0 == inherited }
        }
    }

    public let agent: Agent
    /// Whether prompts, arguments and results that steps are given are recorded; off unless told.
    public let recordsContent: Bool
    private let chosen: (any Tracer)?

    /// A client of `tracer`; without one, of the tracer that is bootstrapped when a session begins.
    public init(agent: Agent, tracer: (any Tracer)? = nil, recordsContent: Bool = false) {
        (self.agent, self.chosen, self.recordsContent) = (agent, tracer, recordsContent)
    }

    var tracer: any Tracer { chosen ?? InstrumentationSystem.tracer }

    /// Runs `body` as a session: its span ends with it, as `success`, as `failure` when it throws, or as `cancelled`.
    ///
    /// - Parameters:
    ///   - task: What it works for.
    ///   - priority: Raises the parent's, never lowers it.
    ///   - id: Up to 128 bytes of `[A-Za-z0-9._:/@-]`; made when absent or not so.
    ///   - thread: The conversation it belongs to; without one, the session is its own.
    ///   - labels: At most 64.
    ///   - parent: Who started it.
    /// - Throws: Only what `body` throws.
    public func withSession<Value>(
        task: String? = nil,
        priority: Priority? = nil,
        id: String? = nil,
        thread: String? = nil,
        labels: [String: String] = [:],
        parent: Parent = .current,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (Session) async throws -> Value
    ) async rethrows -> Value {
        let origin = parent.resolve(with: tracer)
        let session = Session(self, origin, task: task, priority: priority, id: id, thread: thread, labels: labels)
        do {
            let value = try await ServiceContext.withValue(session.context) {
                try await Step.$current.withValue(nil) { try await body(session) }
            }
            session.end(.success)
            return value
        } catch {
            session.end(Outcome(of: error), error: error)
            throw error
        }
    }
}
