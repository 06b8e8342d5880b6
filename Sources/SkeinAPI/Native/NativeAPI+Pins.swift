// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// Traces that are kept until somebody unpins them.
extension NativeAPI {
    /// Pins a trace of which spans are stored. The request says that it is JSON, as a form on some other page cannot.
    static func pin(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let type = call.request.header("Content-Type") ?? ""
        guard type.split(separator: ";").first.map({ $0.lowercased() == "application/json" }) ?? false else {
            throw APIError(
                415,
                "unsupported-media-type",
                "Content-Type is \(APICall.shown(type)): a pin is asked for as application/json, with an empty body."
            )
        }
        let id = try call.traceID()
        try await checkStored(id, api, call)
        let pin: PinnedTrace
        do throws(StoreError) {
            pin = try api.pins.pin(id, atUnixNanos: api.clock.unixNanos)
        } catch {
            throw APIError(error, requestID: call.requestID())
        }
        do throws(APIError) {
            // It may have gone before it was pinned.
            try await checkStored(id, api, call)
        } catch {
            if error.status == 404 { _ = try? api.pins.unpin(id) }
            throw error
        }
        return .json { json in json.object { json in write(pin, to: &json) } }
    }

    /// What is open alone may never be stored.
    private static func checkStored(_ id: TraceID, _ api: API, _ call: APICall) async throws(APIError) {
        guard try await api.reader(of: id, call) != nil else { throw WorkForest.unknown(id) }
    }

    static func unpin(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let id = try call.traceID()
        let wasPinned: Bool
        do throws(StoreError) {
            wasPinned = try api.pins.unpin(id)
        } catch {
            throw APIError(error, requestID: call.requestID())
        }
        guard wasPinned else { throw APIError(404, "unknown-pin", "Trace \(id) is not pinned.") }
        return APIResponse(status: 204)
    }

    /// Every pinned trace, the one pinned last first.
    static func pins(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let (limit, cursor) = (try call.limit(atMost: 1000), try call.listCursor())
        let pins = api.pins.all().sorted {
            ($1.pinnedUnixNanos, $0.traceID) < ($0.pinnedUnixNanos, $1.traceID)
        }
        let page = ListPage(of: pins, limit: limit, after: cursor, question: call.listQuestion) {
            ListCursor.Place(rank: .max - $0.pinnedUnixNanos, "\($0.traceID)")
        }
        return list("pins", page) { pin, json in write(pin, to: &json) }
    }

    private static func write(_ pin: PinnedTrace, to json: inout JSONWriter) {
        json.member("traceId", pin.traceID)
        json.member("pinnedTimeUnixNano", decimal: pin.pinnedUnixNanos)
    }
}
