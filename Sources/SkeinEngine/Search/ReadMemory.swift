// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

extension HeldMemory {
    /// Holds at least `total` bytes for a read. Throws ``StoreError/Code/limit`` when no read may take as much, and
    /// ``StoreError/Code/unavailable`` when others have taken it.
    func holdForRead(_ total: Int) throws(StoreError) {
        guard total <= budget.limit else {
            throw StoreError(
                .limit,
                "the question takes \(total) bytes of memory, the limit is \(budget.limit): ask for less, or raise memory"
            )
        }
        guard grow(to: total) else {
            throw StoreError(.unavailable, "questions under way take all the memory they may: try again")
        }
    }
}
