// SPDX-License-Identifier: Apache-2.0
public import SkeinModel
public import SkeinStore

extension EmbeddedStore {
    public func trace(_ id: TraceID) async throws(StoreError) -> SpanBatch? {
        Self.trace(id, in: contents.snapshot())
    }

    static func trace(_ id: TraceID, in snapshot: Contents.Snapshot) -> SpanBatch? {
        var assembly = TraceAssembly()
        for part in snapshot.head {
            for piece in part.rows(of: id) { assembly.add(piece.batch, rows: piece.rows) }
        }
        return assembly.isEmpty ? nil : assembly.finish()
    }

    public func search(_ query: SpanQuery) async throws(StoreError) -> SearchPage {
        try await plain().search(query)
    }

    public func scan(
        _ range: TimeRange,
        columns: SpanColumns,
        visit: @Sendable (SpanBatch) async throws(StoreError) -> Void
    ) async throws(StoreError) {
        try await plain().scan(range, columns: columns, visit: visit)
    }

    public func services() async throws(StoreError) -> [ServiceName] { try await plain().services() }

    public func operations(ofService service: String) async throws(StoreError) -> [Operation] {
        try await plain().operations(ofService: service)
    }

    public func attributeKeys(prefix: String, limit: Int) async throws(StoreError) -> [AttributeKey] {
        try await plain().attributeKeys(prefix: prefix, limit: limit)
    }

    public func values(of field: SpanField, prefix: String, limit: Int) async throws(StoreError) -> [ValueCount] {
        try await plain().values(of: field, prefix: prefix, limit: limit)
    }

    /// All that is stored, read plainly.
    private func plain() async throws(StoreError) -> MemoryStore {
        let memory = MemoryStore()
        for part in contents.snapshot().head { for piece in part.pieces { try await memory.append(piece.batch) } }
        return memory
    }
}
