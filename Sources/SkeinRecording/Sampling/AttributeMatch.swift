// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// A condition on the value of one attribute, ready to be asked.
struct AttributeMatch: Sendable {
    let key: String
    let condition: SpanMatch.AttributeCondition
    private let pattern: Wildcard?

    init(_ key: String, _ condition: SpanMatch.AttributeCondition) {
        self.key = key
        self.condition = condition
        if case .matches(let text) = condition { pattern = Wildcard(text) } else { pattern = nil }
    }

    /// Whether an attribute with this value meets it; `nil` stands for one that is not set.
    func matches(_ value: RecordedValue?) -> Bool {
        guard let value else { return false }
        switch condition {
        case .exists: return true
        case .equals(let wanted): return value.attributeValue == wanted
        case .matches: return value.text.flatMap { pattern?.matches($0[...]) } ?? false
        }
    }

    var description: String {
        switch condition {
        case .exists: key
        case .equals(let value): "\(key)=\(value)"
        case .matches(let text): "\(key)~\(text)"
        }
    }
}

extension RecordedValue {
    /// A text, number or truth value as it is written; `nil` for anything else.
    var text: String? {
        switch self {
        case .string(let text): text
        case .bool(let bool): "\(bool)"
        case .int(let int): "\(int)"
        case .double(let double): "\(double)"
        case .strings, .bools, .ints, .doubles, .other: nil
        }
    }
}
