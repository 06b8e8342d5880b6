// SPDX-License-Identifier: Apache-2.0

/// Cuts the bytes of a pipe into lines, and keeps no line that is longer than a limit.
package struct LineSplitter {
    /// A part of what came, in order. Together they are every byte that came.
    package enum Piece: Hashable, Sendable {
        /// A whole line with its newline; the last one may have none.
        case line([UInt8])
        /// A part of a line that is too long to be kept, and whether the line ends with it. `isFirst` for its beginning.
        case part([UInt8], isFirst: Bool, isLast: Bool)
    }

    private let lineBytesMax: Int
    private var line: [UInt8] = []
    /// Whether the line under way has been given up.
    private var isTooLong = false

    package init(lineBytesMax: Int) { self.lineBytesMax = max(lineBytesMax, 1) }

    /// Takes bytes in and gives out what is complete.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) -> [Piece] {
        var pieces: [Piece] = []
        var start = 0
        while start < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            let newline = rest.index(of: 0x0a)
            let end = newline.map { start + $0 + 1 } ?? bytes.count
            take(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), isEnd: newline != nil, into: &pieces)
            start = end
        }
        return pieces
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer, isEnd: Bool, into pieces: inout [Piece]) {
        if isTooLong {
            pieces.append(.part(Array(bytes), isFirst: false, isLast: isEnd))
            isTooLong = !isEnd
            return
        }
        line.append(contentsOf: bytes)
        if line.count > lineBytesMax {
            pieces.append(.part(line, isFirst: true, isLast: isEnd))
            isTooLong = !isEnd
            line = []
        } else if isEnd {
            pieces.append(.line(line))
            line = []
        }
    }

    /// What is left at the end of the pipe.
    package mutating func finish() -> [UInt8] {
        defer { line = [] }
        return line
    }
}
