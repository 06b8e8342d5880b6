// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import Synchronization
import Tracing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension WorkTrace {
    /// Who started a session. What a carrier holds that cannot be read counts as absent.
    public struct Parent: Sendable {
        private enum Source: Sendable {
            case none, current
            case environment([String: String])
            /// Metadata; of a single call where it is told so, whose child they may name.
            case carrier([String: String], isOfOneCall: Bool)
        }

        private var source: Source
        private var isLink = false

        /// A trace of its own.
        public static let none = Parent(source: .none)
        /// The step or span that is open in this task, if any.
        public static let current = Parent(source: .current)

        /// `TRACEPARENT`, `TRACESTATE`, `BAGGAGE` and `WORKTRACE_*`: by default of this process.
        public static func fromEnvironment(_ variables: [String: String]? = nil) -> Parent {
            Parent(source: .environment(variables ?? WorkEnvironment.ofProcess()))
        }

        /// `traceparent`, `tracestate` and `baggage` of a request, in any case.
        public static func headers(_ headers: [String: String]) -> Parent {
            Parent(source: .carrier(headers, isOfOneCall: false))
        }

        /// `params._meta` of an MCP request.
        public static func mcpMeta(_ meta: [String: String]) -> Parent {
            Parent(source: .carrier(meta, isOfOneCall: true))
        }

        /// `Message.metadata` of A2A.
        public static func a2a(_ metadata: [String: String]) -> Parent { mcpMeta(metadata) }

        /// A trace of its own with a link to the parent: for schedules, and for work that nobody waits for.
        public static func link(_ parent: Parent) -> Parent {
            var link = parent
            link.isLink = true
            return link
        }

        /// Session ids that were handed to this process and are taken: a second session is another one.
        private static let claims = Mutex(WorkClaims())

        private static func claim(_ id: String?) -> String? {
            WorkIDs.sane(id).flatMap { id in claims.withLock { $0.claim(id) } ? id : nil }
        }

        func resolve(with tracer: any Tracer) -> Origin {
            var origin = Origin()
            switch source {
            case .none: return origin
            case .current: origin.context = ServiceContext.current ?? .topLevel
            case .environment(let variables): origin.read(variables, tracer, claim: Self.claim)
            case .carrier(let values, let isOfOneCall):
                let lowercased = values.map { ($0.key.lowercased(), $0.value) }
                origin.read(Dictionary(lowercased) { first, _ in first }, with: tracer)
                if isOfOneCall { origin.session = Self.claim(origin.context.baggage[WorkBaggage.child]) }
            }
            let baggage = origin.context.baggage
            let sender = WorkIDs.sane(baggage[WorkBaggage.session])
            if origin.parentSession == nil { origin.parentSession = sender }
            if origin.parentStep == nil, let sender, sender == origin.parentSession {
                origin.parentStep = WorkIDs.sane(baggage[WorkBaggage.step])
            }
            origin.root = WorkIDs.sane(baggage[WorkBaggage.root]) ?? origin.parentSession
            origin.task = baggage[WorkBaggage.task]
            let carried = baggage[WorkBaggage.priority].flatMap { Priority(word: $0) }
            origin.priority = Priority.effective(origin.priority, inherited: carried)
            origin.completeContext(with: tracer)
            if isLink {
                origin.link = origin.context
                var own = ServiceContext.topLevel
                own.baggage = baggage
                origin.context = own
            }
            return origin
        }
    }

    /// What a parent says of itself.
    struct Origin {
        var context = ServiceContext.topLevel
        var link: ServiceContext?
        var session: String?
        var parentSession: String?
        var parentStep: String?
        var root: String?
        var task: String?
        var priority: Priority?

        fileprivate mutating func read(_ carrier: [String: String], with tracer: any Tracer) {
            tracer.extract(carrier, into: &context, using: WorkCarrier())
            if let header = carrier["baggage"] { context.baggage.add(header: header) }
        }

        fileprivate mutating func read(
            _ variables: [String: String],
            _ tracer: any Tracer,
            claim: (String?) -> String?
        ) {
            let environment = EnvironmentCarrier(variables)
            var carrier: [String: String] = [:]
            for name in ["traceparent", "tracestate", "baggage"] { carrier[name] = environment.value(name) }
            read(carrier, with: tracer)
            parentSession = WorkIDs.sane(environment.value(WorkEnvironment.parentSession))
            parentStep = WorkIDs.sane(environment.value(WorkEnvironment.parentStep))
            priority = environment.value(WorkEnvironment.priority).flatMap { Priority(word: $0) }
            // Without a parent it is the session that others were told of, not one that was made for this process.
            if parentSession != nil { session = claim(environment.value(WorkEnvironment.session)) }
        }

        /// A parent of which only the ids are known has the span that everybody computes.
        fileprivate mutating func completeContext(with tracer: any Tracer) {
            guard tracer is SkeinTracer, let parentSession, context.spanIdentity == nil else { return }
            let span = SpanContext(
                traceID: WorkIDs.trace(ofRootSession: root ?? parentSession),
                spanID: WorkIDs.span(ofSession: parentSession, step: parentStep ?? ""),
                flags: [.sampled],
                isRemote: true
            )
            context.spanIdentity = SpanIdentity(span, decision: .sampled)
        }
    }
}

/// Ids that may be taken once, the last of them.
private struct WorkClaims {
    private var ids: Set<String> = []
    private var oldestFirst: [String] = []
    private var oldest = 0

    private static let countMax = 1_024

    /// Takes an id; `false` where it is taken.
    mutating func claim(_ id: String) -> Bool {
        guard ids.insert(id).inserted else { return false }
        guard oldestFirst.count == Self.countMax else {
            oldestFirst.append(id)
            return true
        }
        ids.remove(oldestFirst[oldest])
        oldestFirst[oldest] = id
        oldest = (oldest + 1) % Self.countMax
        return true
    }
}

/// Members of baggage by which sessions tell others of themselves.
enum WorkBaggage {
    /// Of whoever sends, as are `root` and `step`.
    static let session = "worktrace.session.id"
    static let root = "worktrace.root.session.id"
    static let step = "worktrace.step.id"
    static let task = "worktrace.task.id"
    static let priority = "worktrace.task.priority"
    /// The session that is the receiver's, of a single call.
    static let child = "worktrace.child.session.id"
}

/// Variables by which sessions tell the processes that they start of themselves (`agents.md` §3.1).
enum WorkEnvironment {
    static let session = "WORKTRACE_SESSION_ID"
    static let parentSession = "WORKTRACE_PARENT_SESSION_ID"
    static let parentStep = "WORKTRACE_PARENT_STEP_ID"
    static let priority = "WORKTRACE_TASK_PRIORITY"

    /// What this process was given of them.
    static func ofProcess() -> [String: String] {
        var variables: [String: String] = [:]
        for name in ["TRACEPARENT", "TRACESTATE", "BAGGAGE", session, parentSession, parentStep, priority] {
            if let value = getenv(name) { variables[name] = String(cString: value) }
        }
        return variables
    }
}

struct WorkCarrier: Extractor, Injector {
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key.lowercased()] }
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
        carrier[key.lowercased()] = value
    }
}
