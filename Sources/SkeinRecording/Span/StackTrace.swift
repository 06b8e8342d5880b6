// SPDX-License-Identifier: Apache-2.0
import Synchronization

#if os(Linux) && canImport(Runtime)
    import Runtime
#endif

/// Where a thread stood, for `exception.stacktrace`.
///
/// Swift keeps no stack with an error: this is the way to the code that records it, not to the code that threw. Addresses are
/// taken at once, in some 40 µs; their names and lines are looked up when the span is exported, which takes up to a second where
/// there is much debug information, and is kept.
package final class StackTrace: Sendable {
    /// Frames that are looked at, from the innermost on.
    private static let frameCountMax = 64
    /// Bytes of the text; frames that do not fit whole are left out.
    private static let byteCountMax = 16_384

    /// Whether this platform can say where a thread stands.
    package static var isAvailable: Bool {
        #if os(Linux) && canImport(Runtime)
            true
        #else
            false
        #endif
    }

    #if os(Linux) && canImport(Runtime)
        private let addresses: Backtrace

        private init(_ addresses: Backtrace) { self.addresses = addresses }

        /// The stack of the caller; `nil` when nothing is known.
        @inline(never)
        static func current() -> StackTrace? {
            let stack = try? Backtrace.capture(limit: frameCountMax, images: images)
            return stack.map { StackTrace($0) }
        }

        /// A line for each frame, `at function (file:line)`, the innermost first; without debug information the image stands in
        /// place of file and line. Frames of the SDK, and of what calls it, are left out. `nil` when nothing is known.
        var text: String? {
            let keys = addresses.frames.map(\.adjustedProgramCounter)
            if let text = Self.known.withLock({ known in Self.text(of: keys, known) }) { return text }
            // Outside of the lock: who has a stack that is known need not wait.
            let lines = lines
            return Self.known.withLock { known in
                if known.count > Self.knownCountMax { known = [:] }
                for key in keys { known[key] = lines[key] ?? [] }
                return Self.text(of: keys, known) ?? nil
            }
        }

        /// The text of a stack of which all addresses are known; `nil` for another, which is looked up as a whole.
        private static func text(
            of keys: [Backtrace.Address],
            _ known: [Backtrace.Address: [String]]
        ) -> String?? {
            guard keys.allSatisfy({ known[$0] != nil }) else { return nil }
            return .some(text(keys.flatMap { known[$0] ?? [] }))
        }

        /// The lines of each address that has any.
        private var lines: [Backtrace.Address: [String]] {
            var found: [Backtrace.Address: [String]] = [:]
            var lines: [String] = []
            for frame in addresses.symbolicated(with: Self.images)?.frames ?? [] {
                if let line = Self.line(frame) { lines.append(line) }
                // Functions that are inlined stand in front of the one that they are inlined into, at its address.
                guard !frame.inlined else { continue }
                found[frame.captured.adjustedProgramCounter] = lines
                lines = []
            }
            return found
        }

        /// What is loaded when the first stack is taken.
        private static let images = ImageMap.capture()
        /// Addresses whose lines are kept, and then some.
        private static let knownCountMax = 4_096
        /// The lines of an address: several where functions are inlined, none where nothing is to be shown.
        private static let known = Mutex<[Backtrace.Address: [String]]>([:])

        private static func line(_ frame: SymbolicatedBacktrace.Frame) -> String? {
            guard let symbol = frame.symbol, !frame.isSwiftThunk, !isPassedOver(symbol.rawName) else { return nil }
            guard let location = symbol.sourceLocation, location.line > 0 else {
                return "at \(symbol.name) (\(symbol.imageName))"
            }
            return "at \(symbol.name) (\(location.path):\(location.line))"
        }
    #else
        private init() {}
        static func current() -> StackTrace? { nil }
        var text: String? { nil }
    #endif

    /// The lines as one text, as many as fit.
    package static func text(_ lines: some Sequence<String>) -> String? {
        var text = ""
        for line in lines {
            guard text.utf8.count + line.utf8.count < byteCountMax else { break }
            if !text.isEmpty { text += "\n" }
            text += line
        }
        return text.isEmpty ? nil : text
    }

    /// Beginnings of mangled names of what stands between a caller and the stack that is taken: of modules by length and name,
    /// and of the standard library the task-local value that `withSpan` sets.
    private static let passedOver = [
        "14SkeinRecording", "12SkeinTracing", "15SkeinHTTPClient", "16SkeinHummingbird", "9SkeinGRPC", "9SkeinGRDB",
        "7Tracing", "15Instrumentation", "20ServiceContextModule", "7Runtime", "s9TaskLocalC",
    ]

    /// Whether a symbol belongs to the SDK or to what calls it.
    package static func isPassedOver(_ mangledName: String) -> Bool {
        guard mangledName.hasPrefix("$s") else { return false }
        let name = mangledName.dropFirst(2)
        return passedOver.contains(where: name.hasPrefix)
    }
}
