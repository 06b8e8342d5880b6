// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import SkeinAPI
import SkeinBase
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import Synchronization

/// What an operator asks: is it alive, is it ready, how does it do.
struct Operations: Sendable {
    let store: any SpanStore
    let telemetry: Telemetry
    let readiness: Readiness
    let spanMetrics = SpanMetricsExposition()

    /// The answer at `/healthz`, `/readyz` or `/metrics`.
    func answer(_ path: Substring, accept: String?) async -> HTTPAnswer {
        switch path {
        case "/healthz": return .text(.ok, "ok\n")
        case "/readyz":
            return readiness.isReady ? .text(.ok, "ready\n") : .text(.serviceUnavailable, "not ready\n")
        default: return await metrics(PrometheusText.Format(accept: accept))
        }
    }

    private func metrics(_ format: PrometheusText.Format) async -> HTTPAnswer {
        var text = PrometheusText(format)
        telemetry.write(to: &text)
        let status = await store.status()
        text.family("skein_stored_spans", .gauge, "Spans stored; copies count.")
        text.sample("skein_stored_spans", "", Double(status.spanCount))
        text.family("skein_problems", .gauge, "What /api/skein/v1/status lists as problems.")
        text.sample("skein_problems", "", Double(status.problems.count))
        StoreFigures.write(status.figures, to: &text)
        await spanMetrics.write(store, now: SystemClock().unixNanos, to: &text)
        text.finish()
        return HTTPAnswer(
            .ok,
            HTTPHeaders([("content-type", format.contentType)]),
            body: ByteBuffer(string: text.text)
        )
    }
}

/// Whether the server takes requests: from when all listeners are open until it goes down.
final class Readiness: Sendable {
    private let ready = Atomic<Bool>(false)

    var isReady: Bool { ready.load(ordering: .relaxed) }

    func set(_ isReady: Bool) { ready.store(isReady, ordering: .relaxed) }
}
