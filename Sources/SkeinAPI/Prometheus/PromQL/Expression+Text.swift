// SPDX-License-Identifier: Apache-2.0
import SkeinPipeline

/// Expressions as they are written, each in one way.
extension PromQL.Expression: CustomStringConvertible {
    var description: String {
        switch self {
        case .number(let value): PrometheusText.number(value)
        case .string(let text): GoText.quote(text)
        case .reading(let reading): reading.description
        case .range(let selector, let millis): selector.text(range: millis)
        case .vector(let operand): "vector(\(operand))"
        case .quantile(let share, let operand): "histogram_quantile(\(share), \(operand))"
        case .aggregation(let aggregation): aggregation.description
        case .operation(let operation): "(\(operation))"
        case .negation(let operand): "-\(operand)"
        }
    }
}

extension PromQL.Reading: CustomStringConvertible {
    var description: String {
        switch measure {
        case .total: selector.text(range: nil)
        case .rate(let millis): "rate(\(selector.text(range: millis)))"
        case .increase(let millis): "increase(\(selector.text(range: millis)))"
        }
    }
}

extension PromQL.Selector {
    func text(range: Int?) -> String {
        let matchers = matchers.map { "\($0.name)\($0.relation.rawValue)\(GoText.quote($0.value))" }
        var text = "{\(matchers.joined(separator: ","))}"
        if let range { text += "[\(range)ms]" }
        if offsetMillis != 0 { text += " offset \(offsetMillis)ms" }
        return text
    }
}

extension PromQL.Aggregation: CustomStringConvertible {
    var description: String {
        let names = grouping.names.joined(separator: ",")
        let parameter = parameter.map { "\($0), " } ?? ""
        return "\(operation.rawValue) \(grouping.isWithout ? "without" : "by") (\(names)) (\(parameter)\(operand))"
    }
}

extension PromQL.Operation: CustomStringConvertible {
    var description: String {
        var sign = sign.rawValue
        if isBool { sign += " bool" }
        if let matching {
            sign += " \(matching.isIgnoring ? "ignoring" : "on") (\(matching.names.joined(separator: ",")))"
        }
        return "\(left) \(sign) \(right)"
    }
}
