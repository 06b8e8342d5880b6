// SPDX-License-Identifier: Apache-2.0
import NIOHTTP1
import SkeinPipeline
import SkeinReceivers

/// A listener that is one API's alone, at the paths that its clients expect.
struct FamilyService: HTTPService {
    let answers: QueryAnswers

    func abandonsWithClient(_ head: HTTPRequestHead) -> Bool { true }

    func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? { nil }

    func respond(to call: HTTPCall) async -> HTTPAnswer {
        await answers.answer(call, target: String(call.head.target)).secured().compressed(for: call.head)
    }

    func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer {
        answers.refusal(refusal, target: String(head.target)).secured()
    }
}
