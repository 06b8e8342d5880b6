// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

// Seeds of the store's simulation, on all processors:  SkeinSimulation SEEDS [FIRST]
// Of three seeds one runs on a disk that only loses power, one on a disk that also fails, one on a disk that flips bits and
// fails to read. Ends at the first seed that goes wrong with status 1 and its number.

let words = CommandLine.arguments
guard words.count > 1, let count = UInt64(words[1]), let first = words.count > 2 ? UInt64(words[2]) : 0,
    first <= UInt64.max - count
else {
    print("usage: SkeinSimulation SEEDS [FIRST]")
    exit(2)
}

let next = Atomic<UInt64>(first)
let failure = Mutex<String?>(nil)
let started = Date()

/// Runs seeds until there are none, or one went wrong.
@Sendable func work() async {
    while failure.withLock({ $0 == nil }) {
        let seed = next.add(1, ordering: .relaxed).oldValue
        guard seed < first + count else { return }
        do {
            try await StoreSimulation.ofSeed(seed).run(seed: seed)
        } catch {
            failure.withLock { $0 = $0 ?? "seed \(seed): \(error)" }
        }
        if (seed - first) % 500 == 499 {
            let rate = Double(seed - first + 1) / Date().timeIntervalSince(started)
            print("\(seed - first + 1) seeds, \(Int(rate)) a second")
        }
    }
}

await withTaskGroup { group in
    for _ in 0..<ProcessInfo.processInfo.activeProcessorCount { group.addTask { await work() } }
}
if let failure = failure.withLock({ $0 }) {
    print(failure)
    exit(1)
}
print("\(count) seeds from \(first) on: every acknowledged span there, once, or reported as damaged")
