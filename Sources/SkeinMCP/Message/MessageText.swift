// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// The text of a message that comes piece by piece. It is kept while it is short enough and there is memory for it; of a longer one the
/// beginning is read, and the rest looked at while it passes.
package struct MessageText: Sendable {
    /// Bytes of a long text that are read as its beginning: what stands further on stands behind something long.
    private static let startBytesMax = 1 << 20

    private let bytesMax: Int
    private let memory: HeldMemory?
    /// What came; empty once there was too much of it.
    package private(set) var bytes: [UInt8] = []
    /// Of all that came.
    package private(set) var byteCount = 0
    private var long: (start: JSONRPCScanner.Scan, outline: MessageOutline)?

    /// What is kept, `bytesMax` bytes at most, is counted against `budget`.
    package init(bytesMax: Int, budget: ByteBudget? = nil) {
        self.bytesMax = max(bytesMax, 1)
        memory = budget.map(HeldMemory.init)
    }

    /// Whether more came than was kept.
    package var isLong: Bool { long != nil }

    package mutating func add(_ more: UnsafeRawBufferPointer) {
        byteCount += more.count
        guard long == nil else {
            long?.outline.add(more)
            return
        }
        let room = bytesMax - bytes.count
        if more.count <= room, holds(bytes.count + more.count) { return bytes.append(contentsOf: more) }
        let count = min(more.count, room, bytes.capacity - bytes.count)
        bytes.append(contentsOf: more[..<count])
        var outline = MessageOutline()
        bytes.withUnsafeBytes { outline.add($0) }
        outline.add(UnsafeRawBufferPointer(rebasing: more[count...]))
        let start = bytes.withUnsafeBytes { bytes in
            JSONRPCScanner.scan(UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.startBytesMax)))
        }
        long = (start, outline)
        bytes = []
        _ = memory?.resize(to: 0)
    }

    /// Whether there is memory for so many bytes, which may take twice as much while they grow.
    private func holds(_ count: Int) -> Bool { count <= bytes.capacity || memory?.grow(to: 2 * count) ?? true }

    /// The messages in it, once it is whole; `nil` when it is no JSON.
    package func scan() -> JSONRPCScanner.Scan? {
        guard let long else {
            let scan = bytes.withUnsafeBytes { JSONRPCScanner.scan($0) }
            return scan.isWhole ? scan : nil
        }
        // Of an array what its beginning holds counts.
        if long.start.isBatch { return long.start }
        guard long.outline.isWhole else { return nil }
        let found = long.outline.text.withUnsafeBytes { JSONRPCScanner.scan($0) }
        guard found.isWhole, var message = found.messages.first else { return nil }
        if let start = long.start.messages.first { message.add(start) }
        message.range = 0..<byteCount
        var scan = long.start
        scan.messages = [message]
        return scan
    }
}

extension JSONRPCMessage {
    /// Adds what only the beginning of a message says. What that may have cut off stands in this one.
    fileprivate mutating func add(_ start: JSONRPCMessage) {
        isError = isError || start.isError
        errorCode = errorCode ?? start.errorCode
        if var params = start.params {
            params.name = self.params?.name ?? params.name
            params.taskID = self.params?.taskID ?? params.taskID
            self.params = params
        }
        guard var result = start.result else { return }
        result.isError = self.result?.isError ?? result.isError
        result.resultType = self.result?.resultType ?? result.resultType
        result.requestState = self.result?.requestState ?? result.requestState
        result.taskID = self.result?.taskID ?? result.taskID
        result.status = self.result?.status ?? result.status
        self.result = result
    }
}
