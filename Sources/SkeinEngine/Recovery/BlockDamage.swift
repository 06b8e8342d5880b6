// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// What of a block cannot be read any more.
struct BlockDamage {
    /// Row groups of which some column or the table of traces does not check.
    private(set) var lostGroups: Set<Int> = []
    /// Spans in them.
    private(set) var lostSpanCount = 0
    /// Whether a table is lost without which no span can be read.
    private(set) var isUnreadable = false
    /// What was found first; `nil` when everything checks.
    private(set) var reason: StoreError?

    /// Reads every column and table of `block`. Throws what is no damage: a disk that refuses, a stop.
    ///
    /// - Parameter pause: Called between steps; throws to stop.
    init(_ block: Block, pause: () throws(StoreError) -> Void) throws(StoreError) {
        let areTablesGood = try note { () throws(StoreError) in
            _ = try block.resourceTable()
            _ = try block.scopeTable()
            _ = try block.keyTable()
        }
        isUnreadable = !areTablesGood
        // These can be made anew.
        _ = try note { () throws(StoreError) in
            try block.forEachOperation { _, _, _, _ in }
            _ = try CheckedFilters(block)
        }
        for (index, group) in block.footer.groups.enumerated() where !isUnreadable {
            try pause()
            let isGood = try note { () throws(StoreError) in
                _ = try block.traces(inGroup: index)
                _ = try block.batch(rows: group.rows, columns: .all)
            }
            if isGood { continue }
            lostGroups.insert(index)
            lostSpanCount += group.rowCount
        }
        if isUnreadable || lostGroups.count == block.footer.groups.count {
            isUnreadable = true
            lostSpanCount = block.footer.spanCount
        }
    }

    /// Whether what `body` reads checks.
    private mutating func note(_ body: () throws(StoreError) -> Void) throws(StoreError) -> Bool {
        do throws(StoreError) {
            try body()
            return true
        } catch {
            guard error.code == .corrupt else { throw error }
            reason = reason ?? error
            return false
        }
    }
}
