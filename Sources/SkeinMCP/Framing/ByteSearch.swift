// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension UnsafeRawBufferPointer {
    /// Where `byte` comes first.
    func index(of byte: UInt8) -> Int? {
        guard let base = baseAddress, let found = memchr(base, Int32(byte), count) else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// Where `byte` comes first behind `start`; the end where it does not.
    func index(of byte: UInt8, from start: Int) -> Int {
        UnsafeRawBufferPointer(rebasing: self[start...]).index(of: byte).map { start + $0 } ?? count
    }
}
