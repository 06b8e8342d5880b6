// SPDX-License-Identifier: Apache-2.0
package import SkeinAgents
package import SkeinBase
package import SkeinPipeline
package import SkeinStore

/// The HTTP APIs over a store: the native one below `/api/skein/v1/`, Jaeger's below `/api/`, Tempo's below `/tempo/`,
/// Zipkin's below `/zipkin/`, that of Prometheus below `/prometheus/` and the Model Context Protocol's at `/mcp`, or one of
/// them at its own root.
///
/// A pure function from request to response; it opens no socket, reads no configuration and keeps no state. Any number
/// of requests may run at once. Cancelling the task of a request cancels its read of the store.
package struct API: Sendable {
    let store: any SpanStore
    let clock: any WallClock
    /// Memory of answers that are in the making or on their way; more are refused, one that is larger for good.
    let answers: ByteBudget
    /// Stored spans of a trace that is answered whole; a larger one is read page by page.
    let traceSpanCountMax: Int
    /// Tells which traces get spans.
    let live: LiveTraces
    let savedQueries: any SavedQueries
    let pins: any PinnedTraces
    /// Log records of traces; `nil` where none are kept.
    let logRecords: (any LogRecordStore)?
    let zipkin: ZipkinSettings
    /// Where imported spans go; `nil` where none are taken.
    let importing: ImportIntake?
    /// Sessions of agents and what they do; `nil` where none are taken.
    let work: WorkTrace?
    /// What calls of models cost where agents do not say.
    let prices: ModelPriceBook
    /// Path below which a proxy mounts the page, for addresses in answers; empty, or as in `/skein`.
    let basePath: String
    /// Reads policies for whole traces out of a text.
    let samplingPolicies: SamplingPolicies
    let serverStatus: @Sendable () async -> ServerStatus

    /// The policies that a text describes, which count bytes.
    package typealias SamplingPolicies = @Sendable (String) throws(SamplingPoliciesFailure) -> SamplingPolicySet

    /// Why a text describes no policies.
    package struct SamplingPoliciesFailure: Error {
        package var message: String
        package init(_ message: String) { self.message = message }
    }

    /// The APIs over `store`, whose answers take at most `answers` while they are made, and hold whole traces of at most
    /// `traceSpanCountMax` spans.
    package init(
        store: any SpanStore,
        clock: any WallClock = SystemClock(),
        answers: ByteBudget = ByteBudget(limit: 256 << 20),
        traceSpanCountMax: Int = 200_000,
        live: LiveTraces = LiveTraces(),
        savedQueries: any SavedQueries = MemorySavedQueries(),
        pins: any PinnedTraces = MemoryPinnedTraces(),
        logRecords: (any LogRecordStore)? = nil,
        zipkin: ZipkinSettings = ZipkinSettings(),
        importing: ImportIntake? = nil,
        work: WorkTrace? = nil,
        prices: ModelPriceBook = ModelPriceBook(),
        basePath: String = "",
        samplingPolicies: @escaping SamplingPolicies = { _ throws(SamplingPoliciesFailure) in
            throw SamplingPoliciesFailure("this server reads no policies")
        },
        serverStatus: @escaping @Sendable () async -> ServerStatus
    ) {
        self.store = store
        self.clock = clock
        self.answers = answers
        self.traceSpanCountMax = traceSpanCountMax
        self.live = live
        self.savedQueries = savedQueries
        self.pins = pins
        self.logRecords = logRecords
        self.zipkin = zipkin
        self.importing = importing
        self.work = work
        self.prices = prices
        self.basePath = basePath
        self.samplingPolicies = samplingPolicies
        self.serverStatus = serverStatus
    }

    /// Whether a target is an API's where all of them are served side by side.
    package static func serves(_ target: String) -> Bool {
        APIFamily.serving(Route.split(APIRequest(target: target).path)) != nil
    }

    /// Whether a request writes work of agents, which is no query.
    package static func writesWork(_ request: APIRequest) -> Bool {
        ["POST", "PATCH"].contains(request.method) && request.path.hasPrefix("/api/worktrace/")
    }

    /// Answers a request; `nil` when its path is no API's, where the web page's paths are.
    ///
    /// `HEAD` is answered like `GET` without the body, `OPTIONS` with the methods that a path has.
    package func respond(to request: APIRequest) async -> APIResponse? {
        guard let (family, path) = APIFamily.serving(Route.split(request.path)) else { return nil }
        return await respond(to: request, path, family)
    }

    /// Answers a request to a listener that serves one family alone, whose paths begin at its root; where it has a prefix, there
    /// too.
    package func respond(to request: APIRequest, family: APIFamily) async -> APIResponse {
        let path = Route.split(request.path)
        guard let (named, rest) = APIFamily.serving(path), named == family else {
            return await respond(to: request, path, family)
        }
        return await respond(to: request, rest, family)
    }

    private func respond(to request: APIRequest, _ path: [String], _ family: APIFamily) async -> APIResponse {
        var allowed: [String] = []
        for route in family.routes {
            guard let values = route.match(path) else { continue }
            if route.method == request.method || (route.method == "GET" && request.method == "HEAD") {
                let call = APICall(request: request, pathValues: values, route: route)
                var response = await answer(call, family)
                if request.method == "HEAD" {
                    // An empty answer to GET, such as 304, says nothing of a length.
                    let count = response.byteCount
                    if count > 0 { response.headers.append(("Content-Length", String(count))) }
                    response.body = .empty
                }
                return response
            }
            allowed += route.method == "GET" ? ["GET", "HEAD"] : [route.method]
        }
        if allowed.isEmpty { return family.response(for: .unknownPath(request.path)) }
        allowed.append("OPTIONS")
        if request.method == "OPTIONS" {
            return APIResponse(status: 204, headers: [("Allow", allowed.joined(separator: ", "))])
        }
        return family.response(for: .methodNotAllowed(request.method, allowed: allowed))
    }

    /// The answer to a request that the server around the API refuses, for its size or for want of room: whoever speaks
    /// to an API is answered in its own form: that of `family`, or else of the one that `target` leads to, the native one
    /// where that is none.
    package static func refusal(
        _ status: Int,
        _ code: String,
        _ detail: String,
        retryAfterSeconds: Int = 0,
        target: String,
        family: APIFamily? = nil
    ) -> APIResponse {
        var error = APIError(status, code, detail)
        if retryAfterSeconds > 0 { error.headers = [("Retry-After", "\(retryAfterSeconds)")] }
        let family = family ?? APIFamily.serving(Route.split(APIRequest(target: target).path))?.family ?? .native
        return family.response(for: error)
    }

    private func answer(_ call: APICall, _ family: APIFamily) async -> APIResponse {
        var response: APIResponse
        do throws(APIError) {
            try call.checkParameters()
            response = try await call.route.answer(self, call)
            // What is made in one go is measured when it is there.
            response = try response.held(in: response.memory ?? HeldMemory(answers))
        } catch {
            response = family.response(for: error)
        }
        response.route = family.prefix + call.route.template
        return response
    }

    /// Asks the store, and puts its refusal in HTTP's terms.
    func ask<T>(
        _ call: APICall,
        _ question: (any SpanStore) async throws(StoreError) -> T
    ) async throws(APIError) -> T {
        do throws(StoreError) {
            return try await question(store)
        } catch {
            throw APIError(error, requestID: call.requestID())
        }
    }
}
