// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

extension NativeAPI {
    static func trace(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        throw .unknownPath("")
    }
    static func spans(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        throw .unknownPath("")
    }
    static func skeleton(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        throw .unknownPath("")
    }
}
extension JaegerAPI {
    static func dependencies(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        throw .unknownPath("")
    }
}
extension JaegerTag {
    static func parse(map: String) throws(APIError) -> [JaegerTag] { [] }
}
