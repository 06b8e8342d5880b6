// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTestKit

@testable import SkeinEngine

/// A store that samples late, its disk and its clock.
struct LateBench {
    static let hour: UInt64 = 3_600_000_000_000
    static let errors = SamplingPolicy.Rule.condition(.status(in: [.error]))

    private(set) var disk: SimulatedDisk
    let clock: SimulatedClock
    let telemetry = Telemetry()
    private(set) var store: EmbeddedStore
    private let policies: SamplingPolicySet
    private let change: (inout EmbeddedStore.Configuration) -> Void

    init(
        _ rules: SamplingPolicy.Rule...,
        seed: UInt64 = 1,
        change: @escaping (inout EmbeddedStore.Configuration) -> Void = { _ in }
    ) async throws {
        policies = try SamplingPolicySet(rules.enumerated().map { SamplingPolicy("policy-\($0.offset)", $0.element) })
        disk = SimulatedDisk(seed: seed)
        clock = SimulatedClock(unixNanos: 1_000 * 24 * Self.hour)
        self.change = change
        store = try await Self.open(disk, clock, policies, telemetry, change)
    }

    private static func open(
        _ disk: SimulatedDisk,
        _ clock: SimulatedClock,
        _ policies: SamplingPolicySet,
        _ telemetry: Telemetry,
        _ change: (inout EmbeddedStore.Configuration) -> Void
    ) async throws -> EmbeddedStore {
        var configuration = EngineSupport.configuration(disk, clock)
        configuration.lateSampling = LateSampling(
            hotWindow: .seconds(86_400),
            sampler: LatePolicies(policies, telemetry: telemetry)
        )
        change(&configuration)
        return try await EmbeddedStore.open(configuration)
    }

    /// Opens the folder again as it is on `disk`.
    mutating func reopen(on disk: SimulatedDisk) async throws {
        self.disk = disk
        store = try await Self.open(disk, clock, policies, telemetry, change)
    }

    /// Appends spans, received now, as one request, and makes a block of them.
    func block(_ spans: [SkeinModel.Span]) async throws {
        try await store.append(SpanBatch(spans: spans, receivedUnixNanos: clock.unixNanos))
        try await store.seal()
    }

    func wait(hours: Int) { clock.advance(by: .seconds(hours * 3_600)) }

    func metric(_ line: String) -> Bool {
        var text = PrometheusText()
        telemetry.write(to: &text)
        return text.text.contains(line + "\n")
    }
}

/// Known traces: three spans of one of four services, one in fifty with an error, one in forty slow. Their randomness is evenly
/// spread over the traces of each service, as it is over many more by chance.
struct LateTraffic {
    let traces: [[SkeinModel.Span]]

    init(count: UInt64) {
        traces = (0..<count).map { number in
            var trace = TraceSketch(number)
            trace.id = TraceID(high: number + 1, low: (number / 4) &* 0x9e_3779_b97f_4a7d)
            for index in 0..<3 {
                trace.add(
                    resource: [Attribute("service.name", .string("service-\(number % 4)"))],
                    millis: 0...(Self.isSlow(number) && index == 2 ? 1_000 : 5),
                    status: Self.isWrong(number) && index == 1 ? .error : .unset
                )
            }
            return trace.spans
        }
    }

    static func isWrong(_ number: UInt64) -> Bool { number % 50 == 3 }
    static func isSlow(_ number: UInt64) -> Bool { number % 40 == 7 }

    /// The spans as requests, those of many traces mixed.
    func requests(_ random: inout SeededRandom) -> [[SkeinModel.Span]] {
        stride(from: 0, to: traces.count, by: 1_000).flatMap { first in
            let spans = traces[first..<min(first + 1_000, traces.count)].flatMap(\.self).shuffled(using: &random)
            return stride(from: 0, to: spans.count, by: 500).map { Array(spans[$0..<min($0 + 500, spans.count)]) }
        }
    }
}
