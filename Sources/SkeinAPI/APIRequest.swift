// SPDX-License-Identifier: Apache-2.0

/// A request as the API sees it: what any HTTP server can say about one, and nothing of sockets.
package struct APIRequest: Sendable {
    /// In capitals, such as `GET`.
    package var method: String
    /// Starts with `/`, still percent-encoded, without the query.
    package var path: String
    /// The parameters of the query in the order they came, decoded; a name may come again.
    package var queryItems: [QueryItem]
    /// In the order they came; look them up with ``header(_:)``.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    /// A name and its value in the query; the value is empty when there was no `=`.
    package struct QueryItem: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A request for `target`, which is the path and, behind a `?`, the query, both as they came over the wire.
    package init(
        method: String = "GET",
        target: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.method = method
        let parts = target.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        path = String(Substring(parts[0]))
        queryItems = parts.count > 1 ? Self.queryItems(in: parts[1]) : []
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of that name, whatever the case of its letters.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.utf8.elementsEqual(name.utf8, by: Self.equalIgnoringCase) }?.value
    }

    /// The value of the first parameter of that name.
    package func query(_ name: String) -> String? { queryItems.first { $0.name == name }?.value }

    /// The values of every parameter of that name, in order.
    package func queryValues(_ name: String) -> [String] { queryItems.filter { $0.name == name }.map(\.value) }

    /// Decodes a query as forms write it: `a=1&b=x+y%2Fz`. Never fails: what is no escape stands for itself.
    static func queryItems(in query: some Collection<UInt8>) -> [QueryItem] {
        query.split(separator: UInt8(ascii: "&")).map { pair in
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            return QueryItem(
                PercentEncoding.decode(parts[0], plusIsSpace: true),
                parts.count > 1 ? PercentEncoding.decode(parts[1], plusIsSpace: true) : ""
            )
        }
    }

    private static func equalIgnoringCase(_ a: UInt8, _ b: UInt8) -> Bool {
        func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte | 0x20 : byte }
        return lower(a) == lower(b)
    }
}
