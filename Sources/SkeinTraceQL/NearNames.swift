// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinStore

extension TraceQL {
    /// The words of the bare form that are no attributes: `service`, `error`, `duration` and the like.
    package static let names = ["service", "operation", "error"] + Intrinsic.words.keys.sorted()

    /// The attributes of a condition whose keys are nearly words of the language, as in `eror = true`, and what may have
    /// been meant. A key that says its scope, as in `span.eror`, is meant as it is.
    package static func slips(in predicate: SpanPredicate) -> [(key: String, near: String)] {
        predicate.attributes.compactMap { scope, key in
            guard scope == .any else { return nil }
            return Spelling.nearest(to: key, among: names).map { (key, $0) }
        }
    }
}
