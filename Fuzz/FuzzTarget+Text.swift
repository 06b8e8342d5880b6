// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPipeline
import SkeinTraceQL
import SkeinWire

@testable import SkeinStore

extension FuzzTarget {
    private static func text(_ name: String, run: @escaping @Sendable (String) -> Void) -> FuzzTarget {
        FuzzTarget(name: name) { run(String(decoding: $0, as: UTF8.self)) }
    }

    static let texts = [
        text("traceql") { text in
            for dialect in [TraceQL.Dialect.skein, .tempo] {
                do throws(QueryError) {
                    _ = try TraceQL.parse(text, dialect)
                } catch {
                    precondition(
                        error.range.offset + error.range.length <= text.utf8.count,
                        "the error points behind the query"
                    )
                }
            }
            _ = try? TraceQL.plan(text)
            _ = TraceQL.lenientConditions(text)
        },
        FuzzTarget(name: "traceql-completion") { bytes in
            // The first byte says where the cursor stands.
            let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
            let completion = TraceQL.complete(text, at: Int(bytes.first ?? 0))
            precondition(completion.replaced.upperBound <= text.utf8.count)
        },
        FuzzTarget(name: "text-pattern") { bytes in
            // A pattern, NUL, and what it is held against; without NUL, itself.
            let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = parts.first, let last = parts.last else { return }
            let source = String(decoding: first, as: UTF8.self)
            do throws(TextPattern.Failure) {
                let matches = try TextPattern(source).matches(UnsafeRawBufferPointer(rebasing: last))
                var parser = PatternParser(source)
                let program = try PatternProgram(try parser.parse())
                precondition(
                    program.matches(UnsafeRawBufferPointer(rebasing: last)) == matches,
                    "two ways, two answers"
                )
            } catch {
                precondition((0...source.utf8.count).contains(error.offset))
            }
        },
        FuzzTarget(name: "tracestate") { bytes in
            let weight = SamplingThreshold.weight(ofTraceState: bytes)
            precondition(weight >= 1 && weight <= 0x1p56)
            let randomness = SamplingThreshold.randomness(ofTraceState: bytes)
            let threshold = SamplingThreshold.threshold(ofTraceState: bytes) ?? 0
            let wanted: UInt64 = 0xc0 << 48
            let raised = SamplingThreshold.rewriting(traceState: bytes, threshold: wanted)
            raised.withUnsafeBytes { raised in
                let found = SamplingThreshold.threshold(ofTraceState: raised) ?? 0
                precondition(found == max(threshold, wanted), "the threshold was not raised")
                precondition(SamplingThreshold.randomness(ofTraceState: raised) == randomness, "the randomness changed")
            }
        },
        FuzzTarget(name: "sampling-strategies") { bytes in
            do throws(WireError) {
                _ = try Jaeger.SamplingStrategies(json: bytes)
            } catch {
                Soundness.check(error, in: bytes)
            }
        },
        FuzzTarget(name: "sampling-strategy") { bytes in
            do throws(WireError) {
                let strategy = try Jaeger.SamplingStrategy(json: bytes)
                var json = JSONWriter()
                strategy.write(to: &json)
                let again = try Jaeger.SamplingStrategy(json: json.bytes)
                precondition(again == strategy, "a strategy is not read as it was written")
            } catch {
                Soundness.check(error, in: bytes)
            }
        },
        FuzzTarget(name: "sampling-configuration") { bytes in
            var reader = JSONReader(bytes)
            guard let root = try? ConfigurationNode(&reader) else { return }
            do throws(ConfigurationNode.Failure) {
                _ = try SamplingConfiguration(root) { text throws(SamplingConfiguration.ConditionFailure) in
                    do throws(QueryError) { return try TraceQL.plan(text) } catch { throw .init(error.message) }
                }
            } catch {
                precondition(!error.message.isEmpty)
            }
            _ = try? HeadConfiguration(root)
        },
        text("scrub-rules") { text in _ = try? ScrubRules(parsing: text) },
        FuzzTarget(name: "secret-detector") { bytes in
            let detector = SecretDetector(Set(SecretDetector.Kind.allCases))
            guard let masked = detector.scrubbed(bytes) else { return }
            // What is left beside a mask may look like a secret of another form, so that this need not be the end of it.
            _ = masked.withUnsafeBytes { detector.scrubbed($0) }
        },
    ]
}

extension ConfigurationNode {
    /// A configuration in JSON, which is YAML too: what a file is after the YAML library has read it, all on line 1.
    fileprivate init(_ reader: inout JSONReader) throws(WireError) {
        switch try reader.peek() {
        case .object:
            var pairs: [(key: String, line: Int, value: ConfigurationNode)] = []
            try reader.openObject()
            while let key = try reader.nextKey() {
                let name = key.text
                pairs.append((name, 1, try ConfigurationNode(&reader)))
            }
            self.init(.map(pairs), line: 1)
        case .array:
            var list: [ConfigurationNode] = []
            try reader.openArray()
            while try reader.nextElement() { list.append(try ConfigurationNode(&reader)) }
            self.init(.list(list), line: 1)
        case .string: self.init(.scalar(String(decoding: try reader.readString(), as: UTF8.self)), line: 1)
        default: self.init(.scalar(String(decoding: try reader.readRaw(), as: UTF8.self)), line: 1)
        }
    }
}
