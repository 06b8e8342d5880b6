// SPDX-License-Identifier: Apache-2.0

/// Which colour of the palette a service has.
///
/// A service's ordinal never changes, so it has the same colour in every trace, unless one with a lower ordinal took
/// it: then it has the next free one. With more services than colours the rest share.
package enum ServiceColors {
    /// Colours of the palette.
    package static let count = 12

    /// A colour from `0..<count` for each ordinal, which must be distinct.
    package static func colors(ofOrdinals ordinals: [Int]) -> [Int] {
        var colors = [Int](repeating: 0, count: ordinals.count)
        var isTaken = [Bool](repeating: false, count: count)
        for index in ordinals.indices.sorted(by: { ordinals[$0] < ordinals[$1] }) {
            let own = ((ordinals[index] % count) + count) % count
            let color = (0..<count).lazy.map { (own + $0) % count }.first { !isTaken[$0] } ?? own
            isTaken[color] = true
            colors[index] = color
        }
        return colors
    }
}
