// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel

extension OTLP {
    /// Writes `{"resourceSpans":[…]}` for spans that come in several batches, without holding more than one of them.
    ///
    /// A resource that several batches have stands there as often, which OTLP allows.
    package struct JSONDocument: ~Copyable {
        private var json: JSONWriter

        /// An empty document with room for `capacity` bytes.
        package init(capacity: Int) {
            json = JSONWriter(capacity: capacity)
            json.open(UInt8(ascii: "{"))
            json.key("resourceSpans")
            json.open(UInt8(ascii: "["))
        }

        /// Appends the spans of `batch`; `check` is told the bytes written so far after each span, and may end the
        /// writing.
        package mutating func append<E: Error>(_ batch: SpanBatch, check: (Int) throws(E) -> Void) throws(E) {
            try JSONEncoder(batch).writeGroups(to: &json, check: check)
        }

        /// Ends the document and hands out its bytes.
        package consuming func finish() -> ByteWriter {
            json.close(UInt8(ascii: "]"))
            json.close(UInt8(ascii: "}"))
            return json.finish()
        }
    }
}
