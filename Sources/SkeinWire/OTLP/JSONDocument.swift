// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel

extension OTLP {
    /// Writes `{"resourceSpans":[…]}` for spans that come in several batches, without holding more than one of them.
    ///
    /// A resource that several batches have stands there as often, which OTLP allows.
    package struct JSONDocument: ~Copyable {
        private var json: JSONWriter
        private let form: JSONForm
        private let depth: Int

        /// An empty document with room for `capacity` bytes. The list of resources is the member that `path` leads to,
        /// through objects that have no other.
        package init(capacity: Int, form: JSONForm = .otlp, at path: [StaticString] = ["resourceSpans"]) {
            json = JSONWriter(capacity: capacity)
            self.form = form
            depth = path.count
            for name in path {
                json.open(UInt8(ascii: "{"))
                json.key(name)
            }
            json.open(UInt8(ascii: "["))
        }

        /// Appends the spans of `batch`; `check` is told the bytes written so far after each span, and may end the
        /// writing.
        package mutating func append<E: Error>(_ batch: SpanBatch, check: (Int) throws(E) -> Void) throws(E) {
            try JSONEncoder(batch, form: form).writeGroups(to: &json, check: check)
        }

        /// Ends the document and hands out its bytes; `rest` writes further members of its outermost object.
        package consuming func finish(_ rest: (inout JSONWriter) -> Void = { _ in }) -> ByteWriter {
            json.close(UInt8(ascii: "]"))
            for _ in 1..<depth { json.close(UInt8(ascii: "}")) }
            rest(&json)
            json.close(UInt8(ascii: "}"))
            return json.finish()
        }
    }
}
