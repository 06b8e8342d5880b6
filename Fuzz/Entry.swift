// SPDX-License-Identifier: Apache-2.0
import Foundation

// libFuzzer brings `main` and calls these two. `SKEIN_FUZZ_TARGET` in the environment names the decoder; without it the
// names are printed. With `SKEIN_FUZZ_SEEDS` too, first inputs of the target are written into that folder instead.

/// The target that the environment names.
private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["SKEIN_FUZZ_TARGET"] ?? ""
    if let target = FuzzTarget.all.first(where: { $0.name == name }) { return target }
    for target in FuzzTarget.all { print(target.name) }
    guard name.isEmpty else { fatalError("SKEIN_FUZZ_TARGET is \(name), which is none of these") }
    exit(0)
}()

@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    let target = target
    guard let folder = ProcessInfo.processInfo.environment["SKEIN_FUZZ_SEEDS"] else { return 0 }
    for (number, seed) in target.seeds().enumerated() {
        do {
            try Data(seed).write(to: URL(filePath: folder).appending(path: "seed-\(number)"))
        } catch {
            fatalError("\(folder): \(error)")
        }
    }
    exit(0)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target.run(UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}
