// SPDX-License-Identifier: Apache-2.0
public import Tracing

/// Sessions and steps of an agent as spans of any `Tracer`.
///
///     let work = WorkTrace(agent: .init(id: "coder-2", name: "coder"))
///     try await work.withSession(task: "task-17", priority: .high, parent: .fromEnvironment()) { session in
///         try await session.step("tool:grep", kind: .tool("grep"), context: ["query": "timeout"]) { step in … }
///     }
///
/// Nothing here waits for a network or throws because of tracing: errors are those of the closures.
///
/// By a ``SkeinTracer`` spans have the ids that everybody computes from those of sessions and steps (`docs/agents.md`, "Ids"), so
/// that whoever else records the session agrees; other tracers give spans ids of their own.
public struct WorkTrace: Sendable {
    /// Who works. `id` is stable over sessions; `name` is what people read.
    public struct Agent: Sendable, Hashable {
        public var id: String
        public var name: String
        public var version: String?
        public var description: String?

        /// An agent; without a name its id is its name.
        public init(id: String, name: String? = nil, version: String? = nil, description: String? = nil) {
            (self.id, self.name, self.version, self.description) = (id, name ?? id, version, description)
        }
    }

    /// What a session may use up, as it is written down: nothing here enforces it.
    public struct Budget: Sendable, Hashable {
        /// US dollars.
        public var usd: Double?
        public var tokens: Int?
        public var seconds: Double?

        public init(usd: Double? = nil, tokens: Int? = nil, seconds: Double? = nil) {
            (self.usd, self.tokens, self.seconds) = (usd, tokens, seconds)
        }
    }

    public let agent: Agent
    /// Whether prompts, arguments, results, summaries and texts of messages are recorded; off unless told. Without, their length is.
    public let recordsContent: Bool
    /// The most that is recorded of one piece of content, in bytes.
    public let contentByteCountMax: Int
    /// Whether names that conventions only propose are written, too: `gen_ai.transfer.mode` and `gen_ai.transfer.target.name` on
    /// handoffs and spawns.
    public let writesDraftConventions: Bool
    private let chosen: (any Tracer)?

    /// A client of `tracer`; without one, of the tracer that is bootstrapped when a session begins.
    public init(
        agent: Agent,
        tracer: (any Tracer)? = nil,
        recordsContent: Bool = false,
        contentByteCountMax: Int = 64 << 10,
        writesDraftConventions: Bool = false
    ) {
        self.writesDraftConventions = writesDraftConventions
        (self.agent, chosen) = (agent, tracer)
        (self.recordsContent, self.contentByteCountMax) = (recordsContent, max(contentByteCountMax, 0))
    }

    /// What the spans are recorded by.
    package var tracer: any Tracer { chosen ?? InstrumentationSystem.tracer }

    /// Runs `body` as a session: its span ends with it, as `success` or what the session was told, as `failure` when it throws, or
    /// as `cancelled`.
    ///
    /// - Parameters:
    ///   - task: What it works for.
    ///   - priority: Raises the parent's, never lowers it.
    ///   - id: Of this run alone, up to 128 bytes of `[A-Za-z0-9._:/@-]`; made when absent or not so.
    ///   - thread: The conversation it belongs to; without one, the session is its own.
    ///   - title: What people read.
    ///   - labels: At most 64 of 4 KiB each.
    ///   - budget: What it may use up.
    ///   - parent: Who started it.
    /// - Throws: Only what `body` throws.
    public func withSession<Value>(
        task: String? = nil,
        priority: Priority? = nil,
        id: String? = nil,
        thread: String? = nil,
        title: String? = nil,
        labels: [String: String] = [:],
        budget: Budget? = nil,
        parent: Parent = .current,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (Session) async throws -> Value
    ) async rethrows -> Value {
        let tracer = tracer
        let session = Session(
            self,
            parent.resolve(with: tracer),
            tracer,
            task: task,
            priority: priority,
            id: id,
            thread: thread,
            title: title,
            labels: labels,
            budget: budget
        )
        do {
            let value = try await ServiceContext.withValue(session.span.context) {
                try await Step.$current.withValue(nil) { try await body(session) }
            }
            session.end()
            return value
        } catch {
            session.end(error: error)
            throw error
        }
    }
}
