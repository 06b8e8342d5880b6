// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// Finds the first rule that each span of a batch matches.
struct HeadRules: Sendable {
    let rules: [HeadRule]
    /// Keys of all rules, each once.
    private let keys: [String]
    private let keyTexts: [[UInt8]]

    private static let priorityKey = "sampling.priority"

    init(_ rules: [HeadRule]) {
        self.rules = rules
        var keys: [String] = []
        for rule in rules {
            let wanted = rule.match.attributes.map(\.key) + (rule.match.priority == nil ? [] : [Self.priorityKey])
            for key in wanted where !keys.contains(key) { keys.append(key) }
        }
        self.keys = keys
        keyTexts = keys.map { Array($0.utf8) }
    }

    /// For each row the number of its rule; the count of rules for one that none is about.
    func numbers(of batch: SpanBatch) -> [Int] {
        guard rules.first?.match.isUniversal != true else { return [Int](repeating: 0, count: batch.count) }
        let refs = batch.dictionary.refs(of: keyTexts)
        // Services and operations are few; what holds for one holds for all its spans.
        let services = rules.map { rule in
            batch.resources.serviceNameRefs.map { batch.dictionary.matches($0, rule.match.service) }
        }
        var operations = OperationMatches(rules.map(\.match.operation), batch.dictionary)
        return (0..<batch.count).map { row in
            let resource = Int(batch.resourceRows[row])
            for (number, rule) in rules.enumerated() {
                guard services[number][resource], operations.matches(batch.nameRefs[row], number) else { continue }
                if holdsAttributes(rule.match, row, batch, refs) { return number }
            }
            return rules.count
        }
    }

    private func holdsAttributes(_ match: HeadRule.Match, _ row: Int, _ batch: SpanBatch, _ refs: [UInt32]) -> Bool {
        for attribute in match.attributes {
            guard let value = value(attribute.key, row, batch, refs), isText(value, attribute.value) else {
                return false
            }
        }
        guard let priority = match.priority else { return true }
        return number(value(Self.priorityKey, row, batch, refs)).map(priority.contains) ?? false
    }

    private func value(_ key: String, _ row: Int, _ batch: SpanBatch, _ refs: [UInt32]) -> AttributeValue? {
        guard let index = keys.firstIndex(of: key), refs[index] != 0 else { return nil }
        let ref = refs[index]
        for pair in batch.attributes.range(of: row) where batch.attributes.keyRefs[pair] == ref {
            return batch.dictionary.value(batch.attributes.valueRefs[pair])
        }
        let resources = batch.resources.attributes
        for pair in resources.range(of: Int(batch.resourceRows[row])) where resources.keyRefs[pair] == ref {
            return batch.dictionary.value(resources.valueRefs[pair])
        }
        return nil
    }

    /// Whether a value is written like this; a truth value in any case, as YAML has it.
    private func isText(_ value: AttributeValue, _ wanted: String) -> Bool {
        switch value {
        case .string(let text): text == wanted
        case .bool(let bool): "\(bool)" == wanted.lowercased()
        case .int(let int): "\(int)" == wanted
        case .double(let double): "\(double)" == wanted
        case .null, .bytes, .array, .map: false
        }
    }

    private func number(_ value: AttributeValue?) -> Double? {
        switch value {
        case .int(let int): Double(int)
        case .double(let double): double
        case .string(let text): Double(text)
        case .null, .bool, .bytes, .array, .map, nil: nil
        }
    }
}

/// Which operations a rule is about, found once for each name in a batch.
private struct OperationMatches {
    private let patterns: [Wildcard?]
    private let dictionary: ByteDictionary
    /// By rule and then by ref: whether it matches, where that is known.
    private var known: [[Bool?]]

    init(_ patterns: [Wildcard?], _ dictionary: ByteDictionary) {
        self.patterns = patterns
        self.dictionary = dictionary
        known = patterns.map { $0 == nil ? [] : [Bool?](repeating: nil, count: dictionary.count) }
    }

    mutating func matches(_ ref: SpanBatch.Ref, _ number: Int) -> Bool {
        guard patterns[number] != nil else { return true }
        if let known = known[number][Int(ref)] { return known }
        let isMatch = dictionary.matches(ref, patterns[number])
        known[number][Int(ref)] = isMatch
        return isMatch
    }
}

extension ByteDictionary {
    fileprivate func matches(_ ref: UInt32, _ pattern: Wildcard?) -> Bool {
        guard let pattern else { return true }
        return withBytes(ref) { pattern.matches($0) }
    }
}
