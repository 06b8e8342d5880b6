// SPDX-License-Identifier: Apache-2.0

/// A growing run of plain numbers that owns its memory: an array for the inside of builders, without the uniqueness and
/// exclusivity checks that an array pays at every append.
@usableFromInline
struct Column<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<Element>
    @usableFromInline var capacity: Int
    @usableFromInline var count = 0

    /// An empty column with room for `capacity` elements, at least one.
    @usableFromInline
    init(capacity: Int = 16) {
        self.capacity = max(capacity, 1)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    @usableFromInline var isEmpty: Bool { @inline(__always) get { count == 0 } }
    @usableFromInline var last: Element? { count == 0 ? nil : base[count - 1] }

    /// Element `index`, which must be below `count`.
    @inlinable subscript(index: Int) -> Element {
        @inline(__always) get { base[index] }
        @inline(__always) set { base[index] = newValue }
    }

    @inlinable @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow(1) }
        (base + count).initialize(to: element)
        count &+= 1
    }

    /// Makes room for `extra` more elements.
    @inlinable
    mutating func reserve(_ extra: Int) {
        if capacity &- count < extra { grow(extra) }
    }

    @usableFromInline @inline(never)
    mutating func grow(_ extra: Int) {
        resize(to: max(count + extra, capacity * 2))
    }

    private mutating func resize(to wanted: Int) {
        let moved = UnsafeMutablePointer<Element>.allocate(capacity: wanted)
        moved.update(from: base, count: count)
        base.deallocate()
        base = moved
        capacity = wanted
    }

    /// Appends `copies` times the same element.
    mutating func append(_ element: Element, copies: Int) {
        reserve(copies)
        (base + count).update(repeating: element, count: copies)
        count += copies
    }

    /// Keeps the first `length` elements; does nothing when there are fewer.
    @usableFromInline
    mutating func truncate(to length: Int) { count = min(count, max(length, 0)) }

    /// Hands out a copy of exact size and starts anew. What one huge batch needed is not kept for ever.
    mutating func finish() -> [Element] {
        let array = [Element](UnsafeBufferPointer(start: base, count: count))
        removeAll()
        return array
    }

    /// Forgets the elements. What one huge batch needed is not kept for ever.
    mutating func removeAll() {
        count = 0
        if capacity > 65_536 { resize(to: 1024) }
    }
}

/// A column that stays empty until an element differs from the default (`SpanBatch`, *optional* columns).
struct OptionalColumn<Element: BitwiseCopyable & Equatable>: ~Copyable {
    private var column = Column<Element>(capacity: 1)
    private let absent: Element

    init(default absent: Element) { self.absent = absent }

    /// Appends the element of row `row`, which must be the number of rows before it.
    @inline(__always)
    mutating func append(_ element: Element, row: Int) {
        if column.isEmpty {
            if element == absent { return }
            column.append(absent, copies: row)
        }
        column.append(element)
    }

    /// Keeps the first `length` rows.
    mutating func truncate(to length: Int) { column.truncate(to: length) }

    mutating func finish() -> [Element] { column.finish() }
}
