// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinMCP
import SkeinRecording
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Stands between a client and the server that it starts, which talk in lines over pipes (MCP, "stdio").
///
/// Each direction is a thread of its own that reads, looks, and writes, one piece at a time: who reads slowly is written for
/// slowly, all the way to who wrote. Of a line at most ``lineBytesMax`` are kept.
package final class StdioProxy: Sendable {
    /// Bytes of a line that is looked at. A longer one is passed on as it is.
    private static let lineBytesMax = 64 << 20
    private static let chunkBytes = 64 << 10
    /// How long nothing has to come from a server that has ended before nothing is expected any more: a child of its own may hold
    /// the pipe for as long as it likes.
    private static let silenceMilliseconds: Int32 = 250

    private let command: [String]
    private let tracing: ProxyTracing
    private let ambience: Ambience
    private let conversation: Conversation
    private let way = MessageWay(.connection)
    /// What the child's variable `BAGGAGE` is to say; `nil` for what it says anyway.
    private let baggage: String?

    /// `environment` is that of this process, and so the child's, but for baggage that it may not see.
    package init(
        command: [String],
        tracing: ProxyTracing,
        environment: [String: String],
        policy: ContextPolicy = ContextPolicy()
    ) {
        self.command = command
        self.tracing = tracing
        baggage = environment["BAGGAGE"].flatMap { given in
            let passed = policy.baggage.passed(given)
            return passed == given ? nil : passed
        }
        ambience = Ambience(environment: environment, keepsBaggage: true)
        conversation = Conversation(tracing, transport: "pipe", policy: policy)
    }

    /// Why nothing was proxied, and the exit code that says so.
    package struct Failure: Error {
        package var message: String
        package var exitCode: Int32
    }

    /// Runs until the server has ended, and gives back the exit code.
    package func run() async throws(Failure) -> Int32 {
        let signals = ForwardedSignals()
        let child: ChildProcess
        do throws(ChildProcess.Failure) {
            child = try ChildProcess(command, defaultSignals: signals.taken, baggage: baggage)
        } catch {
            throw Failure(message: error.message, exitCode: error.exitCode)
        }
        signals.forward(to: child.id)
        OwnThread.detach { [self] in pumpToServer(child) }
        let outputEnd = DispatchSemaphore(value: 0)
        let exited = Flag()
        OwnThread.detach { [self] in
            pumpToClient(child, until: exited)
            outputEnd.signal()
        }
        let code = await OwnThread.run { () -> Int32 in
            child.waitForEnd()
            // Who wants it to end now does not wait for what may still come.
            signals.stop { outputEnd.signal() }
            let code = child.exitCode()
            exited.set()
            outputEnd.wait()
            return code
        }
        conversation.closeAll()
        await tracing.shutdown()
        return code
    }

    // MARK: Directions

    private func pumpToServer(_ child: ChildProcess) {
        var long: MessageText?
        var lines = LineSplitter(lineBytesMax: Self.lineBytesMax)
        let isOpen = Self.pump(from: .standardInput, waits: { true }) { bytes in
            for piece in lines.add(bytes) {
                switch piece {
                case .line(let line): if !send(line, to: child) { return false }
                case .part(let part, _, let isLast):
                    // Its edits are of no use: what they would change is on its way.
                    if let scan = Self.add(part, isLast, to: &long) { _ = note(fromClient: scan) }
                    if !part.withUnsafeBytes(child.input.write) { return false }
                }
            }
            return true
        }
        let rest = lines.finish()
        if isOpen, !rest.isEmpty { _ = send(rest, to: child) }
        if let scan = long?.scan() { _ = note(fromClient: scan) }
        child.input.close()
        // Who still writes learns that nobody reads, as without a proxy.
        if !isOpen { Descriptor.standardInput.closeKeepingNumber() }
    }

    private func send(_ line: [UInt8], to child: ChildProcess) -> Bool {
        line.withUnsafeBytes { bytes in
            let scan = JSONRPCScanner.scan(bytes)
            let edits = scan.isWhole ? note(fromClient: scan) : []
            if edits.isEmpty { return child.input.write(bytes) }
            return edits.applied(to: bytes).withUnsafeBytes(child.input.write)
        }
    }

    private func note(fromClient scan: JSONRPCScanner.Scan) -> [ByteEdit] {
        conversation.note(fromClient: scan, in: .init(way: way, ambience: ambience))
    }

    private func note(fromServer bytes: UnsafeRawBufferPointer) {
        let scan = JSONRPCScanner.scan(bytes)
        if scan.isWhole { conversation.note(fromServer: scan, on: way) }
    }

    /// Adds a part of a line that is too long to be kept; what is in the line once it ends.
    private static func add(_ part: [UInt8], _ isLast: Bool, to long: inout MessageText?) -> JSONRPCScanner.Scan? {
        var text = long.take() ?? MessageText(bytesMax: lineBytesMax)
        part.withUnsafeBytes { text.add($0) }
        guard !isLast else { return text.scan() }
        long = text
        return nil
    }

    private func pumpToClient(_ child: ChildProcess, until exited: Flag) {
        var lines = LineSplitter(lineBytesMax: Self.lineBytesMax)
        var long: MessageText?
        let waits = {
            // Asked again after each wait: the exit may come during one.
            while !child.output.wait(for: Int16(POLLIN), milliseconds: Self.silenceMilliseconds) {
                if exited.isSet { return child.output.wait(for: Int16(POLLIN), milliseconds: 0) }
            }
            return true
        }
        let isOpen = Self.pump(from: child.output, waits: waits) { bytes in
            // Noted before it is passed on: who gets an answer may ask for more at once.
            for piece in lines.add(bytes) {
                switch piece {
                case .line(let line): line.withUnsafeBytes { note(fromServer: $0) }
                case .part(let part, _, let isLast):
                    if let scan = Self.add(part, isLast, to: &long) { conversation.note(fromServer: scan, on: way) }
                }
            }
            return Descriptor.standardOutput.write(bytes)
        }
        lines.finish().withUnsafeBytes { if !$0.isEmpty { note(fromServer: $0) } }
        if let scan = long?.scan() { conversation.note(fromServer: scan, on: way) }
        child.output.close()
        // The client sees the end, and so does a server whose client is gone.
        if isOpen { Descriptor.standardOutput.closeKeepingNumber() }
    }

    /// Reads until the end, or until `take` says that nobody wants more; whether it was the end.
    private static func pump(
        from source: Descriptor,
        waits: () -> Bool,
        take: (UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 16)
        defer { buffer.deallocate() }
        while waits() {
            let count = source.read(into: buffer)
            guard count > 0 else { return true }
            guard take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return false }
        }
        return true
    }
}

/// Something that happens once.
final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
