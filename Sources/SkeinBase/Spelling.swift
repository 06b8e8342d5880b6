// SPDX-License-Identifier: Apache-2.0

/// Guesses what a misspelt word was meant to be.
package enum Spelling {
    /// The known word that is fewest slips away: at most one in a word of four letters, two in a longer one.
    package static func nearest(to word: String, among known: some Sequence<String>) -> String? {
        let letters = Array(word.lowercased().utf8.prefix(64))
        let slipsMax = letters.count <= 4 ? 1 : 2
        return known.map { (word: $0, slips: slips(letters, Array($0.lowercased().utf8))) }
            .filter { $0.slips <= slipsMax }
            .min { $0.slips < $1.slips }?
            .word
    }

    /// Optimal string alignment distance: letters put in, left out, mistaken, or exchanged with a neighbour.
    private static func slips(_ a: [UInt8], _ b: [UInt8]) -> Int {
        if abs(a.count - b.count) > 2 { return 3 }
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var least = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, beforeLast[j - 1] + 1) }
                row.append(least)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
