// SPDX-License-Identifier: Apache-2.0

/// Numbers things in order of appearance. Few resources and services make a trace, so a list is faster than a table; where
/// there are many, it is the other way round.
struct Places<Element: Hashable> {
    private static var listCountMax: Int { 32 }
    /// In order of their places.
    private(set) var elements: [Element] = []
    /// Empty as long as there are few.
    private var table: [Element: Int] = [:]

    init() {}

    /// The place of `element`: the next one at its first appearance.
    mutating func place(of element: Element) -> Int {
        let known = table.isEmpty ? elements.firstIndex(of: element) : table[element]
        if let known { return known }
        elements.append(element)
        if elements.count == Self.listCountMax {
            for (place, element) in elements.enumerated() { table[element] = place }
        } else if elements.count > Self.listCountMax {
            table[element] = elements.count - 1
        }
        return elements.count - 1
    }
}
