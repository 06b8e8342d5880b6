// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// Makes conditions plain.
enum Planner {
    /// The plainest condition that says the same: nested `and` and `or` flattened, constants folded, repetitions and double negations dropped.
    static func simplified(_ predicate: SpanPredicate) -> SpanPredicate {
        switch predicate {
        case .true, .exists: return predicate
        case .compare(let field, let comparison, .pattern(let pattern)):
            // `=~ "GET"` is `= "GET"`, which every index knows how to look up.
            guard let literal = pattern.literal else { return predicate }
            return .compare(field, comparison == .matches ? .equal : .notEqual, .string(literal))
        case .compare: return predicate
        case .not(let inner):
            let inner = simplified(inner)
            if case .not(let twice) = inner { return twice }
            return .not(inner)
        case .and(let parts):
            return joined(parts, neutral: .true, decisive: .never) {
                $0.conjuncts
            } as: {
                .and($0)
            }
        case .or(let parts):
            return joined(parts, neutral: .never, decisive: .true) {
                $0.disjuncts
            } as: {
                .or($0)
            }
        }
    }

    private static func joined(
        _ parts: [SpanPredicate],
        neutral: SpanPredicate,
        decisive: SpanPredicate,
        flatten: (SpanPredicate) -> [SpanPredicate],
        as join: ([SpanPredicate]) -> SpanPredicate
    ) -> SpanPredicate {
        var kept: [SpanPredicate] = []
        var seen: Set<SpanPredicate> = []
        for part in parts.flatMap({ flatten(simplified($0)) }) where part != neutral {
            if part == decisive { return decisive }
            if seen.insert(part).inserted { kept.append(part) }
        }
        return kept.isEmpty ? neutral : kept.count == 1 ? kept[0] : join(kept)
    }
}

extension SpanPredicate {
    /// No span.
    static let never = SpanPredicate.not(.true)

    fileprivate var conjuncts: [SpanPredicate] { if case .and(let parts) = self { parts } else { [self] } }
    fileprivate var disjuncts: [SpanPredicate] { if case .or(let parts) = self { parts } else { [self] } }
}
