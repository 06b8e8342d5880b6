// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

extension HeldMemory {
    /// Holds what a request takes of whose body `count` bytes have come: the bytes, and as many again for what they
    /// become. So a request is refused while it comes rather than after it was decoded. `false` when there is no room.
    package func holdBody(_ count: Int) -> Bool { holdRequest(2 * count) }

    /// Holds `total` bytes for a request; `false` when there is no room. A request alone has room up to the limit of all,
    /// whatever others have taken of the pool, or one that is allowed might come again for ever.
    package func holdRequest(_ total: Int) -> Bool {
        if grow(to: total) { return true }
        guard total <= budget.limit, budget.used == count else { return false }
        resizeAnyway(to: total)
        return true
    }
}
