// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
import SkeinStore
import Synchronization

/// Reads blocks from their first byte to their last, some at the same time.
final class BlockReadings: Sendable {
    /// What came of one.
    enum Outcome: Sendable {
        /// There is no such file any more.
        case gone
        /// It cannot be opened.
        case closed(StoreError)
        /// It was read; `failures` are the places that do not check.
        case read(byteCount: Int, spanCount: Int, failures: [StoreError])
    }

    private struct State {
        var next = 0
        var outcomes: [Outcome]
    }

    private static let cacheByteCount = 32 << 20
    private static let tellMillis = 50

    private let data: DataFolder
    private let ids: [BlockID]
    private let state: Mutex<State>
    private let byteCount = Atomic<Int>(0)

    init(_ data: DataFolder, _ ids: [BlockID]) {
        self.data = data
        self.ids = ids
        state = Mutex(State(outcomes: Array(repeating: .gone, count: ids.count)))
    }

    /// In the order of the ids.
    var outcomes: [Outcome] { state.withLock { $0.outcomes } }

    /// Reads all of them on `threadCount` threads, and returns when that is done. `tell` is told now and then, on the
    /// caller's thread, how many bytes were read.
    func run(_ threadCount: Int, _ tell: (Int) -> Void) {
        let group = DispatchGroup()
        for _ in 0..<min(max(1, threadCount), ids.count) {
            DispatchQueue.global().async(group: group) { while self.readNext() {} }
        }
        while group.wait(timeout: .now() + .milliseconds(Self.tellMillis)) == .timedOut {
            tell(byteCount.load(ordering: .relaxed))
        }
    }

    private func readNext() -> Bool {
        let index = state.withLock { state in
            state.next += 1
            return state.next - 1
        }
        guard index < ids.count else { return false }
        let outcome = read(ids[index])
        state.withLock { $0.outcomes[index] = outcome }
        return true
    }

    private func read(_ id: BlockID) -> Outcome {
        let path = data.folder.block(id)
        let file: any DiskFile
        do throws(DiskError) {
            file = try data.disk.open(path, .read)
        } catch {
            return error.code == .notFound ? .gone : .closed(DataFolder.unreadable(error))
        }
        do throws(StoreError) {
            let block = try Block(file, path: path, id: 0, cache: PartCache(byteCountMax: Self.cacheByteCount))
            var told = 0
            let check = BlockCheck(block) { reached in
                byteCount.add(reached - told, ordering: .relaxed)
                told = reached
            }
            return .read(
                byteCount: block.footer.byteCount,
                spanCount: block.footer.spanCount,
                failures: check.failures
            )
        } catch {
            return .closed(error)
        }
    }
}
