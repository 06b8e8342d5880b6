// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

extension PromQL.Parser {
    typealias Failure = PromQL.Failure
    typealias Expression = PromQL.Expression

    private static let functions = ["rate", "increase", "histogram_quantile", "vector"]

    // MARK: Selectors

    /// What is left of a selector behind the name of its metric, which began at `start`.
    mutating func selector(_ metric: String?, from start: Int) throws(Failure) -> PromQL.Selector {
        var matchers: [PromQL.LabelMatcher] = []
        if let metric { matchers.append(try matcher(LabelSet.metricName, .equal, metric, at: start)) }
        if metric == nil || token.kind == .sign("{") {
            try expect("{")
            while try !take(sign: "}") {
                matchers.append(try matcher())
                if try !take(sign: ","), token.kind != .sign("}") { throw unexpected(", or }") }
            }
        }
        if let second = matchers.dropFirst().first(where: { $0.name == LabelSet.metricName }), metric != nil {
            throw failure("the metric is named twice, \(metric ?? "") and \(second.value): name it once", at: start)
        }
        guard matchers.contains(where: { !$0.matches("") }) else {
            throw failure("the selector finds every series there is: name a metric or the value of a label", at: start)
        }
        return PromQL.Selector(matchers: matchers)
    }

    private mutating func matcher() throws(Failure) -> PromQL.LabelMatcher {
        guard case .word(let name) = token.kind, !name.contains(":") else { throw unexpected("the name of a label") }
        try advance()
        guard case .sign(let sign) = token.kind, let relation = PromQL.LabelMatcher.Relation(rawValue: sign) else {
            throw unexpected("=, !=, =~ or !~")
        }
        try advance()
        guard case .string(let value) = token.kind else { throw unexpected("a text in quotes") }
        let matcher = try matcher(name, relation, value, at: token.range.lowerBound)
        try advance()
        return matcher
    }

    private func matcher(
        _ name: String,
        _ relation: PromQL.LabelMatcher.Relation,
        _ value: String,
        at start: Int
    ) throws(Failure) -> PromQL.LabelMatcher {
        do throws(TextPattern.Failure) {
            return try PromQL.LabelMatcher(name, relation, value)
        } catch {
            throw failure("\(GoText.quote(value)) is no regular expression: \(error.message)", at: start)
        }
    }

    /// Names of labels in parentheses, ordered, each once.
    mutating func names() throws(Failure) -> [String] {
        var names: Set<String> = []
        try expect("(")
        while try !take(sign: ")") {
            guard case .word(let name) = token.kind, !name.contains(":") else {
                throw unexpected("the name of a label")
            }
            names.insert(name)
            try advance()
            if try !take(sign: ","), token.kind != .sign(")") { throw unexpected(", or )") }
        }
        return names.sorted()
    }

    // MARK: Aggregations

    mutating func aggregation(
        _ operation: PromQL.Aggregation.Operation,
        at start: Int
    ) throws(Failure) -> Expression {
        var grouping = try self.grouping()
        var arguments = try self.arguments()
        if grouping == nil { grouping = try self.grouping() }
        try check(count: operation.hasParameter ? 2 : 1, of: arguments, operation.rawValue, at: start)
        let operand = try vector(arguments.removeLast(), of: operation.rawValue, at: start)
        let parameter = try arguments.first.map { argument throws(Failure) in
            try scalar(argument, of: operation.rawValue, at: start)
        }
        return .aggregation(
            PromQL.Aggregation(
                operation: operation,
                parameter: parameter,
                operand: operand,
                grouping: grouping ?? PromQL.Grouping()
            )
        )
    }

    private mutating func grouping() throws(Failure) -> PromQL.Grouping? {
        let isWithout = isWord("without")
        guard isWithout || isWord("by") else { return nil }
        try advance()
        return PromQL.Grouping(names: try names(), isWithout: isWithout)
    }

    // MARK: Functions

    mutating func call(_ name: String, at start: Int) throws(Failure) -> Expression {
        guard Self.functions.contains(name) else { throw unknown(name, at: start) }
        let arguments = try self.arguments()
        try check(count: name == "histogram_quantile" ? 2 : 1, of: arguments, name, at: start)
        switch name {
        case "histogram_quantile":
            return .quantile(
                try scalar(arguments[0], of: name, at: start),
                of: try vector(arguments[1], of: name, at: start)
            )
        case "vector": return .vector(try scalar(arguments[0], of: name, at: start))
        default:
            guard case .range(let selector, let millis) = arguments[0] else {
                let given = arguments[0].kind.rawValue
                throw failure("\(name) takes a range vector, as in \(name)(x[5m]), not \(given)", at: start)
            }
            return .reading(
                PromQL.Reading(
                    selector: selector,
                    measure: name == "rate" ? .rate(millis: millis) : .increase(millis: millis)
                )
            )
        }
    }

    private func unknown(_ name: String, at start: Int) -> Failure {
        let aggregations = PromQL.Aggregation.Operation.allCases.map(\.rawValue)
        let known = Self.functions + aggregations
        let near = Spelling.nearest(to: name, among: known).map { "; did you mean \($0)?" }
        return failure(
            "\(GoText.quote(name)) is not supported\(near ?? ": there are \(known.joined(separator: ", "))")",
            at: start
        )
    }

    private mutating func arguments() throws(Failure) -> [Expression] {
        try nested { parser throws(Failure) in
            var arguments: [Expression] = []
            try parser.expect("(")
            while try !parser.take(sign: ")") {
                arguments.append(try parser.expression())
                if try !parser.take(sign: ","), parser.token.kind != .sign(")") { throw parser.unexpected(", or )") }
            }
            return arguments
        }
    }

    private func check(
        count: Int,
        of arguments: [Expression],
        _ name: String,
        at start: Int
    ) throws(Failure) {
        guard arguments.count == count else {
            throw failure("\(name) takes \(count) argument\(count == 1 ? "" : "s"), not \(arguments.count)", at: start)
        }
    }

    private func vector(_ argument: Expression, of name: String, at start: Int) throws(Failure) -> Expression {
        guard argument.kind == .vector else {
            let remedy = argument.kind == .range ? ": put rate(…) or increase(…) around it" : ""
            throw failure("\(name) takes an instant vector, not \(argument.kind.rawValue)\(remedy)", at: start)
        }
        return argument
    }

    private func scalar(_ argument: Expression, of name: String, at start: Int) throws(Failure) -> Expression {
        guard argument.kind == .scalar else {
            throw failure("\(name) takes a number first, not \(argument.kind.rawValue)", at: start)
        }
        return argument
    }
}
