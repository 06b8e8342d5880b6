// SPDX-License-Identifier: Apache-2.0
extension JaegerTag {
    static func parse(map: String) throws(APIError) -> [JaegerTag] { [] }
}
