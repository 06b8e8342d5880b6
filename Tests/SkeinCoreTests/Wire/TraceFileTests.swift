// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

@Suite struct TraceFileTests {
    /// The spans of a file that comes `step` bytes at a time, and what came of it.
    static func read(
        _ text: [UInt8],
        step: Int = 1 << 16,
        format: TraceFileFormat? = nil
    ) -> (spans: [SkeinModel.Span], report: TraceFileReport) {
        var reader = TraceFileReader(format: format)
        var spans: [SkeinModel.Span] = []
        var rest = text[...]
        repeat {
            let part = Array(rest.prefix(step))
            rest = rest.dropFirst(part.count)
            part.withUnsafeBytes { reader.append($0) }
            if rest.isEmpty { reader.finish() }
            while let batch = reader.nextBatch(receivedUnixNanos: 5) { spans += batch.spans }
        } while !rest.isEmpty
        return (spans, reader.report)
    }

    static func read(_ text: String, format: TraceFileFormat? = nil) -> (
        spans: [SkeinModel.Span], report: TraceFileReport
    ) { read(Array(text.utf8), format: format) }

    /// What was left out, as `reason count@line.item: message`.
    static func skips(_ text: String, format: TraceFileFormat? = nil) -> [String] {
        read(text, format: format).report.skips.map { skip in
            let item = skip.place.item.map { ".\($0)" } ?? ""
            return "\(skip.reason.label) \(skip.count)@\(skip.place.line)\(item): \(skip.message)"
        }
    }

    static let plain = #"{"traceId":"1","spanId":"2","operationName":"a","startTime":1}"#
    static let jaeger =
        #"{"traceID":"1","spans":[{"traceID":"1","spanID":"2","operationName":"a","startTime":1}],"processes":{}}"#
    static let zipkin = #"{"traceId":"1","id":"2","name":"a","timestamp":1,"localEndpoint":{"serviceName":"shop"}}"#
    static let zipkinV1 =
        #"{"traceId":"1","id":"2","name":"a","timestamp":1,"binaryAnnotations":[{"key":"a","value":"b","endpoint":{"serviceName":"s"}}]}"#
    static let otlp = OTLPJSONTests.request(#""name":"a","startTimeUnixNano":"1""#)

    @Test(arguments: [
        (otlp, TraceFileFormat.otlp, 1), ("\(otlp)\n\(otlp)\n", .otlp, 2), ("[\(otlp),\(otlp)]", .otlp, 2),
        (jaeger, .jaeger, 1), ("{\"data\":[\(jaeger),\(jaeger)]}", .jaeger, 2), ("[\(jaeger)]", .jaeger, 1),
        ("\(jaeger)\n\(jaeger)", .jaeger, 2), (#"{"traceID":"1","spanID":"2"}"#, .jaeger, 1),
        (zipkin, .zipkin, 1), ("[\(zipkin),\(zipkin)]", .zipkin, 2), ("[[\(zipkin)],[\(zipkin)]]", .zipkin, 2),
        ("\(zipkin)\n\(zipkin)", .zipkin, 2), ("[\(zipkinV1)]", .zipkin, 1),
        ("\(zipkin)\n\(zipkinV1)\n\(zipkin)", .zipkin, 3), ("[\(zipkinV1),\(zipkin)]", .zipkin, 2),
        (#"[{"traceId":"1","id":"2"}]"#, .zipkin, 1),
        (plain, .plain, 1), ("[\(plain),\(plain)]", .plain, 2), ("\(plain)\n\(plain)", .plain, 2),
        (#"{"startTime":1,"traceId":"1","spanId":"2"}"#, .plain, 1),
    ])
    func `the form of a file is told by what is in it`(text: String, format: TraceFileFormat, count: Int) {
        let (spans, report) = Self.read(text)
        #expect(spans.count == count && report.spanCounts == [format: count] && report.skips.isEmpty)
        let (again, _) = Self.read(text, format: format)
        #expect(again == spans)
    }

    @Test func `one file may have several forms`() {
        let (spans, report) = Self.read("\(Self.plain)\n\(Self.otlp)\n\(Self.jaeger)\n\(Self.zipkin)\n\(Self.plain)")
        #expect(spans.count == 5 && report.spanCounts == [.plain: 2, .otlp: 1, .jaeger: 1, .zipkin: 1])
    }

    @Test(arguments: [
        ("{}", ["unknown_form 1@1: an object that is no trace and no span, with no members"]),
        (
            #"{"resourceMetrics":[],"a":1}"#,
            ["unknown_form 1@1: an object that is no trace and no span, with members resourceMetrics, a"]
        ),
        ("[1,2]", ["unknown_form 2@1.1: an element of a list that is no object"]),
        ("hello\nworld", ["malformed 2@1: neither an object nor a list begins here"]),
        (plain + "\n{\"traceId\":\"1\"", ["cut_off 1@2: the file ends inside of it"]),
        (
            "\(plain)\n{\"traceId\":\"1\",\"spanId\":\"2\",\n\"startTime\":yes}\n\(plain)",
            ["malformed 1@3: found 'y' where a value is expected"]
        ),
        (
            "[\(plain),{\"traceId\":\"\",\"spanId\":\"2\",\"startTime\":1},{\"spanId\":\"2\"}]",
            ["invalid_trace_id 2@1.2: traceId must be there, and not all zero"]
        ),
        (
            "\(plain)\n{\"traceId\":\"1\",\"spanId\":\"2\",\"startTime\":\"now\"}",
            [
                "invalid_time 1@2: startTime must be RFC 3339, such as 2026-11-22T10:00:00Z with its offset, or a Unix time"
            ]
        ),
    ])
    func `what is left out is counted with its reason and its place`(text: String, skips: [String]) {
        #expect(Self.skips(text) == skips)
    }

    @Test func `another form than was asked for is left out`() {
        #expect(Self.skips(Self.otlp, format: .jaeger) == ["unknown_form 1@1.1: this is otlp, not jaeger"])
        #expect(Self.skips(Self.plain, format: .otlp) == ["unknown_form 1@1: this is plain, not otlp"])
    }

    @Test func `a bad object costs nothing of its neighbours`() {
        let lines = (0..<500).map { index in
            index % 50 == 7
                ? #"{"traceId":"1","spanId":"\#(index)","tags":7}"#
                : #"{"traceId":"1","spanId":"1\#(index)","startTime":1}"#
        }
        let (spans, report) = Self.read(lines.joined(separator: "\n"))
        #expect(spans.count == 490 && report.skips.map(\.count) == [10] && report.skips[0].place.line == 8)
    }

    @Test func `how the bytes come makes no difference`() {
        let text = Array("\(Self.plain)\n{\"data\":[\(Self.jaeger)]}\nx\n\(Self.otlp)\n[\(Self.plain)".utf8)
        let whole = Self.read(text)
        for step in [1, 2, 3, 7, 50] {
            let parts = Self.read(text, step: step)
            #expect(parts.spans.count == whole.spans.count && parts.report.skippedCount == whole.report.skippedCount)
        }
        #expect(whole.spans.count == 4 && whole.report.skippedCount == 2)
    }

    @Test func `large files come in batches`() {
        let text = (0..<20_000).map { #"{"traceId":"1","spanId":"1\#($0)","startTime":1}"# }.joined(separator: "\n")
        var reader = TraceFileReader()
        Array(text.utf8).withUnsafeBytes { reader.append($0) }
        reader.finish()
        var counts: [Int] = []
        while let batch = reader.nextBatch(receivedUnixNanos: 5) { counts.append(batch.count) }
        #expect(counts.reduce(0, +) == 20_000 && counts.count > 3 && counts.allSatisfy { $0 < 8000 })
    }

    /// Bytes from outside never stop the process, whatever they are.
    @Test(arguments: 0..<8)
    func `no mutation of a file does harm`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let seeds = [
            "\(PlainJSONTests.text)\n[\(Self.plain),\(Self.plain)]", "{\"data\":[\(JaegerJSONTests.trace)]}",
            "\(OTLPJSONTests.fullJSON)\n\(Self.otlp)", JaegerJSONTests.trace, "[\(Self.zipkin),\(Self.zipkinV1)]",
        ].map { Array($0.utf8) }
        let inserts = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\n", "null", "-1", "1e999", "\u{0}", "{\"a\":",
            "9999999999999999999",
        ]
        for _ in 0..<300 {
            var bytes = seeds[Int(random.next() % UInt64(seeds.count))]
            for _ in 0..<(1 + random.next() % 6) {
                let at = Int(random.next() % UInt64(bytes.count + 1))
                switch random.next() % 5 {
                case 0: bytes.removeSubrange(at..<min(bytes.count, at + 1 + Int(random.next() % 20)))
                case 1: bytes.insert(contentsOf: inserts[Int(random.next() % UInt64(inserts.count))].utf8, at: at)
                case 2: if at < bytes.count { bytes[at] = UInt8(truncatingIfNeeded: random.next()) }
                case 3: bytes.removeSubrange(at...)
                default:
                    let other = Int(random.next() % UInt64(bytes.count + 1))
                    bytes.insert(contentsOf: Array(bytes[min(at, other)..<max(at, other)]), at: at)
                }
            }
            let format = [nil, .otlp, .jaeger, .zipkin, .plain][Int(random.next() % 5)] as TraceFileFormat?
            let (spans, _) = Self.read(bytes, step: 1 + Int(random.next() % 400), format: format)
            #expect(spans.allSatisfy { $0.traceID.isValid && $0.spanID.isValid })
        }
    }
}
