// SPDX-License-Identifier: Apache-2.0

/// Plain numbers in memory of their own: an array without uniqueness checks, for the encoder's loops.
///
/// Subscripts are checked in debug builds only; every index comes from the encoder's own counting.
struct ColumnBuffer<Element: BitwiseCopyable>: ~Copyable {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var count: Int
    private var capacity: Int

    /// An empty buffer with room for `capacity` elements.
    init(capacity: Int = 16) {
        self.capacity = max(capacity, 1)
        base = .allocate(capacity: self.capacity)
        count = 0
    }

    /// A buffer of `count` equal elements.
    init(repeating element: Element, count: Int) {
        self.init(capacity: count)
        base.initialize(repeating: element, count: count)
        self.count = count
    }

    deinit { base.deallocate() }

    subscript(index: Int) -> Element {
        get {
            assert(index >= 0 && index < count)
            return base[index]
        }
        set {
            assert(index >= 0 && index < count)
            base[index] = newValue
        }
    }

    /// The elements, valid until the next change.
    var elements: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }

    /// The elements `range`, valid until the next change.
    func elements(_ range: Range<Int>) -> UnsafeBufferPointer<Element> {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow(to: count &* 2) }
        (base + count).initialize(to: element)
        count &+= 1
    }

    mutating func append(_ elements: UnsafeBufferPointer<Element>) {
        guard let source = elements.baseAddress else { return }
        if capacity - count < elements.count { grow(to: max(count + elements.count, capacity * 2)) }
        (base + count).initialize(from: source, count: elements.count)
        count += elements.count
    }

    /// Forgets the elements and keeps the memory.
    mutating func removeAll() { count = 0 }

    /// Forgets the elements and holds `count` equal ones.
    mutating func reset(repeating element: Element, count: Int) {
        if count > capacity {
            self.count = 0
            grow(to: max(count, capacity &* 2))
        }
        base.initialize(repeating: element, count: count)
        self.count = count
    }

    @inline(never)
    private mutating func grow(to capacity: Int) {
        let moved = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        moved.initialize(from: base, count: count)
        base.deallocate()
        base = moved
        self.capacity = capacity
    }
}
