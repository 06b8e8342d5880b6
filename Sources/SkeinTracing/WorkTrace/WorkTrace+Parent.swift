// SPDX-License-Identifier: Apache-2.0
import SkeinPropagation
import SkeinRecording
import Synchronization
import Tracing

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension WorkTrace {
    /// Who started a session. What a carrier holds that cannot be read counts as absent.
    public struct Parent: Sendable {
        private enum Source: Sendable {
            case none, current
            case carrier([String: String], environment: Bool)
        }

        private var source: Source
        private var isLink = false

        /// A trace of its own.
        public static let none = Parent(source: .none)
        /// The step or span that is open in this task, if any.
        public static let current = Parent(source: .current)

        /// `TRACEPARENT`, `TRACESTATE`, `BAGGAGE` and `WORKTRACE_*`: by default of this process.
        public static func fromEnvironment(_ variables: [String: String]? = nil) -> Parent {
            Parent(source: .carrier(variables ?? ProcessInfo.processInfo.environment, environment: true))
        }

        /// `traceparent`, `tracestate` and `baggage` of a request, in any case.
        public static func headers(_ headers: [String: String]) -> Parent {
            Parent(source: .carrier(headers, environment: false))
        }

        /// `params._meta` of an MCP request.
        public static func mcpMeta(_ meta: [String: String]) -> Parent { headers(meta) }
        /// `Message.metadata` of A2A.
        public static func a2a(_ metadata: [String: String]) -> Parent { headers(metadata) }

        /// A trace of its own with a link to the parent: for schedules, and for work that nobody waits for.
        public static func link(_ parent: Parent) -> Parent {
            var link = parent
            link.isLink = true
            return link
        }

        /// Session ids of the environment that a session of this process has: a second session is another one.
        private static let claimed = Mutex<Set<String>>([])

        func resolve(with tracer: any Tracer) -> Origin {
            var origin = Origin()
            switch source {
            case .none: return origin
            case .current:
                origin.context = ServiceContext.current ?? .topLevel
                if let step = Step.current {
                    origin.parentStep = step.id
                }
            case .carrier(let values, let isEnvironment):
                var carrier: [String: String] = [:]
                let environment = EnvironmentCarrier(values)
                for (name, value) in values where !isEnvironment { carrier[name.lowercased()] = value }
                for name in ["traceparent", "tracestate", "baggage"] where isEnvironment {
                    carrier[name] = environment.value(name)
                }
                tracer.extract(carrier, into: &origin.context, using: Carrier())
                if let header = carrier["baggage"] { origin.context.baggage.add(header: header) }
                if isEnvironment {
                    origin.parentSession = WorkTrace.sane(environment.value("WORKTRACE_PARENT_SESSION_ID"))
                    origin.parentStep = WorkTrace.sane(environment.value("WORKTRACE_PARENT_STEP_ID"))
                    origin.priority = environment.value("WORKTRACE_TASK_PRIORITY").flatMap { Priority(rawValue: $0) }
                    if origin.parentSession != nil, let id = WorkTrace.sane(environment.value("WORKTRACE_SESSION_ID")),
                        Self.claimed.withLock({ $0.insert(id).inserted })
                    {
                        origin.session = id
                    }
                }
            }
            let baggage = origin.context.baggage
            origin.parentSession = origin.parentSession ?? WorkTrace.sane(baggage["worktrace.session.id"])
            origin.root = WorkTrace.sane(baggage["worktrace.root.session.id"]) ?? origin.parentSession
            origin.task = baggage["worktrace.task.id"]
            let carried = baggage["worktrace.task.priority"].flatMap { Priority(rawValue: $0) }
            origin.priority = Priority.effective(origin.priority, inherited: carried)
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
    }

    struct Carrier: Extractor, Injector {
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key.lowercased()] }
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
            carrier[key.lowercased()] = value
        }
    }

    /// An id that WorkTrace can hold: 1 to 128 bytes of `[A-Za-z0-9._:/@-]`.
    static func sane(_ id: String?) -> String? {
        guard let id, (1...128).contains(id.utf8.count) else { return nil }
        let isSane = id.utf8.allSatisfy { byte in
            (0x2d...0x3a).contains(byte) || (0x40...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
        }
        return isSane ? id : nil
    }

    static func newID(_ prefix: String) -> String {
        let hex = String(UInt64.random(in: 1 ... .max), radix: 16)
        return prefix + String(repeating: "0", count: 16 - hex.count) + hex
    }
}
