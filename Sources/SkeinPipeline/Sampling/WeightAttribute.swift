// SPDX-License-Identifier: Apache-2.0

/// An attribute in which a client, or something on the way, says how it sampled.
package struct WeightAttribute: Hashable, Sendable {
    /// What its number is.
    package enum Form: String, CaseIterable, Sendable {
        /// The share that was kept, above 0 and at most 1: 0.25 weighs 4.
        case ratio
        /// Of how many one was kept, at least 1: 4 weighs 4.
        case count
    }

    /// The key, of a span or of its resource.
    package var key: String
    package var form: Form

    package init(key: String, form: Form = .ratio) {
        self.key = key
        self.form = form
    }

    /// The weight that `value` says; `nil` for a number out of its bounds.
    func weight(_ value: Double) -> Double? {
        switch form {
        case .ratio: value > 0 && value <= 1 ? 1 / value : nil
        case .count: value >= 1 && value.isFinite ? value : nil
        }
    }
}
