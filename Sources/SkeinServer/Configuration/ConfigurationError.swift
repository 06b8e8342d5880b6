// SPDX-License-Identifier: Apache-2.0

/// A setting that cannot be what it was set to.
package struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    /// Names the setting, the value, what is allowed, and where it was set.
    package var message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }

    /// The one of `known` that is most like `word`, for "did you mean"; `nil` when none is near.
    static func nearest(to word: String, among known: [String]) -> String? {
        let candidates = known.map { ($0, distance(word, $0)) }.min { $0.1 < $1.1 }
        guard let (name, steps) = candidates, steps <= max(2, word.count / 3) else { return nil }
        return name
    }

    /// Single-character edits between two words.
    private static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8), b = Array(b.utf8)
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = x == y ? diagonal : 1 + min(diagonal, above, row[j])
                diagonal = above
            }
        }
        return row[b.count]
    }
}
