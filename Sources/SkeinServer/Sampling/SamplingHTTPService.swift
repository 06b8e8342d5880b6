// SPDX-License-Identifier: Apache-2.0
import NIOHTTP1
import SkeinPipeline
import SkeinReceivers

/// Remote sampling over HTTP, at the paths of a Jaeger agent: `GET /sampling?service=` and `GET /?service=`.
struct SamplingHTTPService: HTTPService {
    let answers: SamplingAnswers
    let refusals: RefusalCounters

    func abandonsWithClient(_ head: HTTPRequestHead) -> Bool { true }

    func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? {
        guard head.path == "/sampling" || head.path == "/" else {
            refusals.add(.unsupported)
            return .text(.notFound, "404 not found: clients ask for strategies at /sampling?service=NAME\n")
        }
        guard head.method == .GET || head.method == .HEAD else {
            refusals.add(.unsupported)
            let allowed = HTTPHeaders([("allow", "GET, HEAD")])
            return .text(.methodNotAllowed, "405 method not allowed, supported: [GET, HEAD]\n", allowed)
        }
        return nil
    }

    func respond(to call: consuming HTTPCall) async -> HTTPAnswer {
        let answer = answers.answer(target: String(call.head.target))
        if answer.status == .badRequest { refusals.add(.malformed) }
        return answer.secured()
    }

    func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer {
        refusals.add(refusal.reason)
        return .text(refusal.reason.httpStatus, "\(refusal.message)\n")
    }
}
