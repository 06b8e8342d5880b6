// SPDX-License-Identifier: Apache-2.0
import SkeinMCP

extension FuzzTarget {
    static let mcp = [
        FuzzTarget(name: "mcp-message") { bytes in
            let scan = JSONRPCScanner.scan(bytes)
            var last = 0
            for message in scan.messages {
                precondition(last <= message.range.lowerBound && message.range.upperBound <= bytes.count)
                last = message.range.upperBound
            }
            guard scan.isWhole else { return }
            let splice = MetaSplice(traceparent: "00-\u{22}T", tracestate: "a=1", baggage: "k=v")
            let edits = scan.messages.flatMap { splice.edits(of: $0) }
            let changed = edits.applied(to: bytes)
            changed.withUnsafeBytes { changed in
                let again = JSONRPCScanner.scan(changed)
                precondition(again.isWhole, "a splice broke the text")
                precondition(again.messages.map(\.method) == scan.messages.map(\.method))
                precondition(again.messages.map(\.id) == scan.messages.map(\.id))
                for message in again.messages {
                    if let meta = message.params?.meta, meta.bodyStart != nil {
                        precondition(meta.traceparent?.value == splice.traceparent, "the context is not there")
                    }
                }
                precondition(again.messages.allSatisfy { splice.edits(of: $0).isEmpty }, "a splice is not the last one")
            }
            let filter = BaggageFilter.keys(["k"])
            let filtered = scan.messages.flatMap { filter.edits(of: $0) }.applied(to: bytes)
            filtered.withUnsafeBytes { filtered in
                let again = JSONRPCScanner.scan(filtered)
                precondition(again.isWhole, "a filter broke the text")
                precondition(again.messages.map(\.id) == scan.messages.map(\.id))
                precondition(again.messages.allSatisfy { filter.edits(of: $0).isEmpty }, "a filter is not the last one")
            }
        },
        FuzzTarget(name: "mcp-framing") { bytes in
            // The first byte says how the rest arrives.
            let size = Int(bytes.first ?? 0) % 31 + 1
            var lines = LineSplitter(lineBytesMax: 16)
            var reader = EventStreamReader(dataBytesMax: 16)
            var whole = EventStreamReader(dataBytesMax: 16)
            var passed: [UInt8] = []
            var events: [EventStreamReader.Event] = []
            let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
            for start in stride(from: 0, to: rest.count, by: size) {
                let piece = UnsafeRawBufferPointer(rebasing: rest[start..<min(start + size, rest.count)])
                for line in lines.add(piece) {
                    switch line {
                    case .line(let line): passed += line
                    case .part(let part, _, _): passed += part
                    }
                }
                events += reader.add(piece)
            }
            precondition(passed + lines.finish() == Array(rest), "bytes of lines are lost")
            let others = whole.add(rest)
            precondition(events.map(\.name) == others.map(\.name), "events depend on how they arrive")
            precondition(events.map(\.data.byteCount) == others.map(\.data.byteCount), "data depend on how they arrive")
            precondition(events.map(\.data.bytes) == others.map(\.data.bytes), "data depend on how they arrive")
        },
        FuzzTarget(name: "mcp-outline") { bytes in
            // The first byte says how much is kept, the second one how the rest arrives.
            guard bytes.count > 2 else { return }
            let text = UnsafeRawBufferPointer(rebasing: bytes[2...])
            var whole = MessageText(bytesMax: text.count)
            whole.add(text)
            var pieces = MessageText(bytesMax: Int(bytes[0]))
            let size = Int(bytes[1]) % 31 + 1
            for start in stride(from: 0, to: text.count, by: size) {
                pieces.add(UnsafeRawBufferPointer(rebasing: text[start..<min(start + size, text.count)]))
            }
            precondition(pieces.byteCount == text.count)
            let found = pieces.scan()?.messages.first
            guard let scan = whole.scan(), !scan.isBatch, let message = scan.messages.first, message.kind != .other
            else { return }
            // Keys may be written with escapes, or twice, and values be longer than those that are looked for.
            if !text.contains(0x5c), text.count < 1_000, scan.messages.count == 1, found?.kind == message.kind {
                precondition(found?.method == message.method || found?.id == message.id, "a message became another")
            }
        },
    ]
}
