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
        #expect(!interner.isFull)
        #expect(intern("hi", in: &interner) == 0)
        #expect(interner.isFull)
        #expect(intern("abcd", in: &interner) == first)
        let third = intern("h", in: &interner)
        #expect(interner.isFull)
        let dictionary = interner.finish()
        #expect([first, second, third].map(dictionary.string) == ["abcd", "efg", "h"])
        #expect(dictionary.count == 4)
    }

    @Test func `an interner that starts anew has room again`() {
        var interner = Interner(byteCountMax: 3)
        #expect(intern("abcd", in: &interner) == 0)
        interner.removeAll()
        #expect(!interner.isFull)
        #expect(intern("abc", in: &interner) == 1)
        #expect(!interner.isFull)
    }
}
