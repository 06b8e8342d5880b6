// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
    import Glibc
#endif

/// What is asked of glibc's allocator; other systems have nothing to ask. Swift's module of glibc leaves `malloc.h` out,
/// so its functions are looked up by name.
enum Allocator {
    /// Keeps what many threads free in few heaps. Each heap holds on to its freed pages: with one for each of the sixteen
    /// threads, a server under full load took a quarter more memory, and no more spans a second.
    static func limitHeaps() {
        #if canImport(Glibc)
            typealias Option = @convention(c) (CInt, CInt) -> CInt
            let heapCountMax: CInt = -8
            guard let function = dlsym(nil, "mallopt") else { return }
            _ = unsafeBitCast(function, to: Option.self)(heapCountMax, 2)
        #endif
    }

    /// Gives freed pages back to the system.
    static func trim() {
        #if canImport(Glibc)
            typealias Trim = @convention(c) (Int) -> CInt
            guard let function = dlsym(nil, "malloc_trim") else { return }
            _ = unsafeBitCast(function, to: Trim.self)(0)
        #endif
    }
}
