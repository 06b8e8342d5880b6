// SPDX-License-Identifier: Apache-2.0

/// A parsed regular expression. Groups leave no node: nobody asks what they captured.
indirect enum PatternNode {
    case empty
    /// One scalar of the set.
    case scalar(ScalarSet)
    case assertion(PatternAssertion)
    case sequence([PatternNode])
    case alternation([PatternNode])
    /// `max` is `nil` for no bound.
    case repetition(PatternNode, min: Int, max: Int?)

    /// The only text the node matches, when it is made of single scalars.
    var literal: String? {
        var text = String.UnicodeScalarView()
        switch self {
        case .empty: break
        case .scalar(let set):
            guard let scalar = set.single else { return nil }
            text.append(scalar)
        case .sequence(let parts):
            for part in parts {
                guard case .scalar(let set) = part, let scalar = set.single else { return nil }
                text.append(scalar)
            }
        default: return nil
        }
        return String(text)
    }
}

/// A condition on a place between two scalars.
enum PatternAssertion: Sendable {
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary

    /// What stands on one side of a place.
    enum Side: UInt8, Sendable { case edge, newline, word, other }

    /// Whether the condition holds between these sides.
    func holds(between before: Side, and after: Side) -> Bool {
        switch self {
        case .textStart: before == .edge
        case .textEnd: after == .edge
        case .lineStart: before == .edge || before == .newline
        case .lineEnd: after == .edge || after == .newline
        case .wordBoundary: (before == .word) != (after == .word)
        case .noWordBoundary: (before == .word) == (after == .word)
        }
    }
}
