// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// What there is to ask about.
extension MCPTool {
    /// How far back figures go unless a call says otherwise.
    static let hourNanos: UInt64 = 3_600_000_000_000

    static let listServices = MCPTool(
        "list_services",
        "List services",
        "Lists the services that send spans, busiest first, with spans, errors and durations of the last hour or as said.",
        .since,
        .start,
        .end,
        .text("prefix", "Only services whose names begin so."),
        ask: services
    )

    @Sendable private static func services(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let prefix = call.request.query("prefix") ?? ""
        let range = try call.toolRange(api, usual: hourNanos)
        let names = try await api.ask(call) { store throws(StoreError) in
            try await store.services(prefix: prefix, limit: 10_000)
        }
        let slices = try await api.ask(call) { store throws(StoreError) in try await store.rollup(range, step: nil) }
        var figures: [ExactText: Figures] = [:]
        for operation in slices.flatMap(\.operations) {
            guard let service = operation.service else { continue }
            figures[ExactText(service), default: Figures()].add(operation)
        }
        var answer = MCPText()
        guard !names.names.isEmpty else {
            answer.line("No service \(prefix.isEmpty ? "has sent spans yet" : "has a name that begins so").")
            return answer
        }
        let all = names.names.map { ($0.name, figures[ExactText($0.name)] ?? Figures()) }
        show(all, ["service"], { [MCPText.word($0)] }, range, "services", "give a prefix", &answer)
        return answer
    }

    static let listOperations = MCPTool(
        "list_operations",
        "List operations",
        "Lists what a service does, by span name and kind, busiest first, with spans, errors and durations of the last hour or as said.",
        .needed("service", "The service's name, exactly."),
        .since,
        .start,
        .end,
        .text("prefix", "Only operations whose names begin so."),
        ask: operations
    )

    @Sendable private static func operations(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let service = call.request.query("service") ?? ""
        let prefix = call.request.query("prefix") ?? ""
        let range = try call.toolRange(api, usual: hourNanos)
        let names = try await api.ask(call) { store throws(StoreError) in
            try await store.operations(ofService: service, prefix: prefix, limit: 10_000)
        }
        let slices = try await api.ask(call) { store throws(StoreError) in try await store.rollup(range, step: nil) }
        var answer = MCPText()
        guard !names.names.isEmpty else {
            let known = try await api.ask(call) { store throws(StoreError) in
                try await store.services(prefix: "", limit: 10_000)
            }
            guard known.names.contains(where: { $0.name.isExactly(service) }) else {
                throw APICall.unknown(service, "service", known: known.names.prefix(100).map(\.name))
            }
            answer.line("No operation of \(MCPText.word(service)) has a name that begins so.")
            return answer
        }
        var figures: [Operation: Figures] = [:]
        for rollup in slices.flatMap(\.operations) where rollup.service?.isExactly(service) ?? false {
            guard let name = rollup.operation else { continue }
            figures[Operation(name: name, kind: rollup.kind), default: Figures()].add(rollup)
        }
        let all = names.names.map { ($0, figures[$0] ?? Figures()) }
        show(
            all,
            ["operation", "kind"],
            { [MCPText.word($0.name), "\($0.kind)"] },
            range,
            "operations",
            "give a prefix",
            &answer
        )
        return answer
    }

    // MARK: Attributes

    static let listAttributes = MCPTool(
        "list_attributes",
        "List attributes",
        "Lists the attribute keys that stored spans carry, by name, with their scope, types, and the share of spans that have them.",
        .text("prefix", "Only keys that begin so, such as http."),
        ask: attributes
    )

    @Sendable private static func attributes(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let prefix = call.request.query("prefix") ?? ""
        let keys = try await api.ask(call) { store throws(StoreError) in
            try await store.attributeKeys(prefix: prefix, limit: 1_000)
        }
        var answer = MCPText()
        guard !keys.names.isEmpty else {
            answer.line("No attribute key \(prefix.isEmpty ? "is stored" : "begins so").")
            return answer
        }
        let shown = answer.table(
            ["attribute", "types", "share of spans"],
            keys.names.lazy.map { key in
                [
                    MCPText.word("\(key.scope.rawValue).\(key.name)"),
                    key.types.map(\.rawValue).joined(separator: ", "),
                    (key.isEstimate ? "≤ " : "") + MCPText.percent(key.share),
                ]
            }
        )
        answer.noteCut(shown, of: keys.names.count, "keys", "give a longer prefix")
        if keys.isCut { answer.note("There are more keys: give a longer prefix.") }
        return answer
    }

    static let attributeValues = MCPTool(
        "attribute_values",
        "List values of an attribute",
        "Lists the most frequent values of an attribute, or of service, name, kind or status, with the number of spans.",
        .needed(
            "key",
            "The key, such as http.route, span.user.id or resource.service.version, or service, name, kind or status."
        ),
        .text("prefix", "Only values that begin so."),
        .number("limit", 1...200, "Values in the answer; 50 unless said."),
        ask: values
    )

    @Sendable private static func values(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let key = call.request.query("key") ?? ""
        let field = try NativeAPI.field(named: key, scope: nil)
        let prefix = call.request.query("prefix") ?? ""
        let limit = try call.number("limit", 1...200, usual: 50)
        let values = try await api.ask(call) { store throws(StoreError) in
            try await store.values(of: field, prefix: prefix, limit: limit)
        }
        var answer = MCPText()
        guard !values.values.isEmpty else {
            answer.line("No span has a value of \(MCPText.word(key))\(prefix.isEmpty ? "" : " that begins so").")
            answer.line("list_attributes says which keys there are.")
            return answer
        }
        let shown = answer.table(
            ["value", "spans"],
            values.values.lazy.map { [MCPText.word($0.value.text), "\($0.count)"] }
        )
        answer.noteCut(shown, of: values.values.count, "values", "give a longer prefix")
        if values.isCut { answer.note("There are more values: raise limit or give a longer prefix.") }
        return answer
    }

    // MARK: Figures

    /// What spans of an operation or a service add up to.
    private struct Figures {
        var durations = DurationDistribution()
        var errorCount = 0.0

        mutating func add(_ operation: OperationRollup) {
            durations.add(operation.durations)
            if operation.status == .error { errorCount += operation.durations.count }
        }

        var cells: [String] {
            [MCPText.count(durations.count), MCPText.count(errorCount)] + MCPText.quantiles(of: durations)
        }
    }

    /// A table of names with their figures, busiest first.
    private static func show<Name>(
        _ all: [(Name, Figures)],
        _ head: [String],
        _ cells: (Name) -> [String],
        _ range: TimeRange,
        _ what: String,
        _ remedy: String,
        _ answer: inout MCPText
    ) {
        answer.line("Figures \(MCPText.range(range)), in whole minutes.")
        // Of equally busy ones the order of the names stays.
        let order = all.indices.sorted {
            let (a, b) = (all[$0].1.durations.count, all[$1].1.durations.count)
            return a != b ? a > b : $0 < $1
        }
        let rows = order.prefix(200).map { cells(all[$0].0) + all[$0].1.cells }
        let shown = answer.table(head + ["spans", "errors", "p50", "p95"], rows)
        answer.noteCut(shown, of: all.count, what, remedy)
    }
}

extension MCPText {
    /// p50 and p95 of durations; `-` when there are none.
    static func quantiles(of durations: DurationDistribution) -> [String] {
        [0.5, 0.95].map { durations.quantileNanos($0).map { duration($0) } ?? "-" }
    }
}
