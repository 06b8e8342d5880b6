// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Testing

struct InternerTests {
    private func intern(_ text: String, in interner: inout Interner) -> UInt32 {
        Array(text.utf8).withUnsafeBytes { interner.intern($0).ref }
    }

    @Test func `what does not fit is left out and said, and all else stays as it is`() {
        var interner = Interner(byteCountMax: 8)
        let first = intern("abcd", in: &interner)
        let second = intern("efg", in: &interner)
        var isFull = interner.isFull
        #expect(!isFull)
        let left = intern("hi", in: &interner)
        let again = intern("abcd", in: &interner)
        let third = intern("h", in: &interner)
        isFull = interner.isFull
        #expect(isFull && left == 0 && again == first)
        let dictionary = interner.finish()
        #expect([first, second, third].map(dictionary.string) == ["abcd", "efg", "h"])
        #expect(dictionary.count == 4)
    }

    @Test func `an interner that starts anew has room again`() {
        var interner = Interner(byteCountMax: 3)
        let left = intern("abcd", in: &interner)
        interner.removeAll()
        var isFull = interner.isFull
        #expect(left == 0 && !isFull)
        let fitting = intern("abc", in: &interner)
        isFull = interner.isFull
        #expect(fitting == 1 && !isFull)
    }
}
