// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

// Seeds of the store's simulation, on all processors:  SkeinSimulation SEEDS [FIRST [DISK]]
// Of three seeds one runs on a disk that only loses power, one on a disk that also fails, one on a disk that flips bits and
// fails to read; with DISK all of them run on one: crashing, failing or rotting. Without, each seed also samples late. Prints the number of each seed that goes
// wrong, ends after the tenth of them, and with status 1 if there was one.

let words = CommandLine.arguments
guard words.count > 1, let count = UInt64(words[1]), let first = words.count > 2 ? UInt64(words[2]) : 0,
    first <= UInt64.max - count
else {
    print("usage: SkeinSimulation SEEDS [FIRST [DISK]]")
    exit(2)
}
let disks = ["crashing": StoreSimulation(), "failing": .failing, "rotting": .rotting]
let disk = words.count > 3 ? disks[words[3]] : nil
guard words.count <= 3 || disk != nil else {
    print("no disk is called \(words[3]): say crashing, failing or rotting")
    exit(2)
}

let next = Atomic<UInt64>(first)
let failureCount = Atomic<Int>(0)
let failureCountMax = 10
let started = Date()

/// Runs seeds until there are none, or too many went wrong.
@Sendable func work() async {
    while failureCount.load(ordering: .relaxed) < failureCountMax {
        let seed = next.add(1, ordering: .relaxed).oldValue
        guard seed < first + count else { return }
        do {
            try await (disk ?? .ofSeed(seed)).run(seed: seed)
            if disk == nil { try await LateSimulation.ofSeed(seed).run(seed: seed) }
        } catch {
            failureCount.add(1, ordering: .relaxed)
            print("seed \(seed): \(error)")
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
guard failureCount.load(ordering: .relaxed) == 0 else { exit(1) }
print("\(count) seeds from \(first) on: every acknowledged span there, once, or reported as damaged")
