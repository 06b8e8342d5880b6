// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinWire
import Synchronization

extension NativeAPI {
    /// Most traces that policies are asked about.
    private static let explainedTraceCountMax = 1_000_000
    /// Most traces of which it is told what became of them.
    private static let explainedDecisionCountMax = 100

    /// What the policies in the body would keep of the stored traces with a span in a range of time, or of one trace.
    ///
    /// The body must say that it is YAML or JSON: a form on some other page cannot send that without asking.
    static func explainSampling(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        try checkPoliciesType(call)
        let limit = try call.limit(atMost: explainedTraceCountMax, usual: 100_000)
        let id = try call.request.query("trace").map { text throws(APIError) in try APICall.traceID(text, "trace") }
        let range = try call.timeRange()
        let text = String(decoding: call.request.body, as: UTF8.self)
        let policies: SamplingPolicySet
        do throws(API.SamplingPoliciesFailure) {
            policies = try api.samplingPolicies(text)
        } catch {
            throw APIError(400, "invalid-policies", error.message)
        }
        var room = AnswerRoom(api.answers, remedy: "look at fewer traces with limit")
        let trial: SamplingTrial
        if let id {
            trial = try await self.trial(of: id, SamplingTrial(policies, traceCountMax: 1), api, call, room: &room)
        } else {
            // Of more a sample is taken anyway.
            let limit = min(limit, room.limit / 2 / SamplingTrial.byteCountOfTrace)
            try room.hold(source: limit * SamplingTrial.byteCountOfTrace)
            let box = Mutex(SamplingTrial(policies, traceCountMax: limit))
            try await api.ask(call) { store throws(StoreError) in
                try await store.scan(range, columns: .all) { batch throws(StoreError) in
                    box.withLock { $0.add(batch) }
                }
            }
            trial = box.withLock { $0 }
        }
        var finished = trial
        let outcome: SamplingTrial.Outcome
        do throws(CancellationError) {
            outcome = try finished.outcome(decisionCountMax: id == nil ? 0 : explainedDecisionCountMax)
        } catch {
            throw APIError(StoreError(.cancelled, "nobody waits"), requestID: call.requestID())
        }
        var response = APIResponse.json { json in write(outcome, of: finished, to: &json) }
        response.memory = room.memory
        return response
    }

    private static func trial(
        of id: TraceID,
        _ empty: SamplingTrial,
        _ api: API,
        _ call: APICall,
        room: inout AnswerRoom
    ) async throws(APIError) -> SamplingTrial {
        let reader = try await reader(of: id, api, call)
        let batch = try await api.gather(
            reader,
            columns: .all,
            beside: analysisByteCount,
            kept: 0,
            call,
            room: &room
        )
        var trial = empty
        trial.add(batch)
        return trial
    }

    private static func checkPoliciesType(_ call: APICall) throws(APIError) {
        let type = call.request.header("Content-Type") ?? ""
        let name = type.split(separator: ";").first.map { $0.filter { $0 != " " }.lowercased() } ?? ""
        guard ["application/yaml", "application/x-yaml", "text/yaml", "application/json"].contains(name) else {
            throw APIError(
                415,
                "unsupported-media-type",
                "Content-Type is \(APICall.shown(type)): policies are read as application/yaml, or application/json."
            )
        }
    }

    private static func write(_ outcome: SamplingTrial.Outcome, of trial: SamplingTrial, to json: inout JSONWriter) {
        json.object { json in
            json.object("stored") { json in
                json.member("traceCount", trial.traceCount)
                json.member("spanCount", trial.spanCount)
            }
            json.member("sampleRate", outcome.sampleRate)
            write("inspected", outcome.all, to: &json)
            write("kept", outcome.kept, to: &json)
            json.object("weights") { json in
                json.member("before", outcome.weightBefore)
                json.member("after", outcome.weightAfter)
                json.member("outside", outcome.weightOutside)
            }
            json.array("policies") { json in
                for policy in outcome.policies {
                    json.object { json in
                        json.member("name", policy.name)
                        write("matched", policy.matched, to: &json)
                        write("kept", policy.kept, to: &json)
                        write("dropped", policy.dropped, to: &json)
                        json.array("examples") { json in
                            for id in policy.examples { json.id(id) }
                        }
                    }
                }
            }
            guard !outcome.decisions.isEmpty else { return }
            json.array("decisions") { json in
                for decision in outcome.decisions {
                    json.object { json in
                        json.key("traceId")
                        json.id(decision.traceID)
                        json.member("decision", decision.isKept ? "keep" : "drop")
                        json.member("reason", decision.reason)
                        json.array("matched") { json in
                            for number in decision.matching { json.string(outcome.policies[number].name) }
                        }
                    }
                }
            }
        }
    }

    private static func write(
        _ name: StaticString,
        _ amount: SamplingTrial.Amount,
        to json: inout JSONWriter
    ) {
        json.object(name) { json in
            json.member("traceCount", amount.traceCount)
            json.member("spanCount", amount.spanCount)
            json.member("byteCount", amount.byteCount)
        }
    }
}
