// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

extension SamplingPolicyReader {
    /// A policy that has no policies within; `fields` is what stands below its type.
    func plainRule(_ type: String, _ fields: inout ConfigurationMap) throws(Failure) -> SamplingPolicy.Rule {
        switch type {
        case "latency": try latency(&fields)
        case "numeric_attribute": try number(&fields)
        case "string_attribute": try text(&fields)
        case "boolean_attribute": try bool(&fields)
        case "status_code": .condition(try status(&fields))
        case "trace_state":
            .condition(
                .traceState(key: try fields.neededText("key"), values: try fields.neededTexts("values").map(\.text))
            )
        case "traceql": .condition(try query(&fields, "query"))
        case "probabilistic":
            .probabilistic(
                (try fields.number("sampling_percentage", in: 0...100) ?? 0) / 100,
                salt: try fields.filledText("hash_salt")
            )
        case "rate_limiting": try rateLimiting(&fields)
        case "bytes_limiting": try bytesLimiting(&fields)
        case "span_count": try spanCount(&fields)
        case "deterministic":
            .probabilistic(1 / (try Self.needed(fields.number("sample_rate", in: 1...1e12), "sample_rate", fields)))
        default: .dynamic(try dynamic(type, &fields))
        }
    }

    /// The condition in a query.
    func query(_ fields: inout ConfigurationMap, _ key: String) throws(Failure) -> SpanCondition {
        let line = try fields.needed(key).line
        let text = try fields.neededText(key)
        do throws(SamplingConfiguration.ConditionFailure) {
            return .predicate(try condition(text))
        } catch {
            throw .init(error.message, line: line)
        }
    }

    static func needed<T>(_ value: T?, _ key: String, _ fields: ConfigurationMap) throws(Failure) -> T {
        guard let value else { throw .init("\(fields.title) lacks \(key)", line: fields.line) }
        return value
    }

    private func latency(_ fields: inout ConfigurationMap) throws(Failure) -> SamplingPolicy.Rule {
        let low = try fields.int("threshold_ms") ?? 0
        let high = try fields.int("upper_threshold_ms") ?? 0
        guard high == 0 || high > low else {
            throw .init("upper_threshold_ms is \(high), which is not above threshold_ms, \(low)", line: fields.line)
        }
        return .latency(millis: UInt64(low), upToMillis: high == 0 ? nil : UInt64(high))
    }

    private func number(_ fields: inout ConfigurationMap) throws(Failure) -> SamplingPolicy.Rule {
        let key = try fields.neededText("key")
        let low = try fields.int("min_value", in: .min ... .max)
        let high = try fields.int("max_value", in: .min ... .max)
        guard low != nil || high != nil else {
            throw .init("numeric_attribute lacks min_value and max_value: name one at least", line: fields.line)
        }
        if let low, let high, low > high {
            throw .init("min_value is \(low), which is above max_value, \(high)", line: fields.line)
        }
        return try inverted(&fields, .number(key, from: low, to: high))
    }

    private func text(_ fields: inout ConfigurationMap) throws(Failure) -> SamplingPolicy.Rule {
        let key = try fields.neededText("key")
        let values = try fields.neededTexts("values")
        // Each distinct value is asked about once in a batch, so that there is nothing to cache.
        _ = try fields.int("cache_max_size")
        guard try fields.bool("enabled_regex_matching") ?? false else {
            return try inverted(&fields, .text(key, in: values.map(\.text)))
        }
        for (pattern, line) in values {
            do throws(TextPattern.Failure) {
                _ = try SpanCondition.text(key, containing: [pattern])
            } catch {
                throw .init("\(pattern) is no pattern: \(error.message), at byte \(error.offset)", line: line)
            }
        }
        guard let condition = try? SpanCondition.text(key, containing: values.map(\.text)) else {
            throw .init("the patterns do not compile", line: fields.line)
        }
        return try inverted(&fields, condition)
    }

    private func bool(_ fields: inout ConfigurationMap) throws(Failure) -> SamplingPolicy.Rule {
        let key = try fields.neededText("key")
        // As in the collector, what is left out is false.
        let value = try fields.bool("value") ?? false
        return try inverted(&fields, .bool(key, is: value))
    }

    private func inverted(
        _ fields: inout ConfigurationMap,
        _ condition: SpanCondition
    ) throws(Failure) -> SamplingPolicy.Rule {
        try fields.bool("invert_match") ?? false ? .inverted(condition) : .condition(condition)
    }

    private func status(_ fields: inout ConfigurationMap) throws(Failure) -> SpanCondition {
        var codes: [Span.Status.Code] = []
        for (name, line) in try fields.neededTexts("status_codes") {
            switch name {
            case "OK": codes.append(.ok)
            case "ERROR": codes.append(.error)
            case "UNSET": codes.append(.unset)
            default: throw .init("\(name) is no status code: it has to be OK, ERROR or UNSET", line: line)
            }
        }
        return .status(in: codes)
    }

    private func rateLimiting(_ fields: inout ConfigurationMap) throws(Failure) -> SamplingPolicy.Rule {
        let rate = try Self.needed(fields.int("spans_per_second", in: 1...1_000_000_000), "spans_per_second", fields)
        let burst = try fields.int("burst_capacity", in: 1...1_000_000_000) ?? rate
        return .rateLimiting(spansPerSecond: Double(rate), burst: Double(burst))
    }

    private func bytesLimiting(_ fields: inout ConfigurationMap) throws(Failure) -> SamplingPolicy.Rule {
        let bounds: ClosedRange<Int64> = 1...1_000_000_000_000
        let rate = try Self.needed(fields.int("bytes_per_second", in: bounds), "bytes_per_second", fields)
        let burst = try fields.int("burst_capacity", in: bounds) ?? 2 * rate
        return .bytesLimiting(bytesPerSecond: Double(rate), burst: Double(burst))
    }

    private func spanCount(_ fields: inout ConfigurationMap) throws(Failure) -> SamplingPolicy.Rule {
        let bounds: ClosedRange<Int64> = 0...Int64(Int32.max)
        let low = try fields.int("min_spans", in: bounds) ?? 0
        let high = try fields.int("max_spans", in: bounds) ?? 0
        guard high == 0 || high >= low else {
            throw .init("max_spans is \(high), which is below min_spans, \(low)", line: fields.line)
        }
        return .spanCount(min: Int(low), max: high == 0 ? nil : Int(high))
    }
}
