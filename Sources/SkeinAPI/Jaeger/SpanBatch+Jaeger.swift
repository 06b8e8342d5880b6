// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension SpanBatch {
    /// A whole trace as Jaeger shows it where spans are OTLP's: a server span that shares its id with its client has an id of
    /// its own, see ``JaegerSpanIDs``, and links that lead nowhere are left out, which Jaeger's page takes for malformed.
    func adjustedAsJaegerDoes() -> SpanBatch {
        var batch = self
        let ids = JaegerSpanIDs(self, isRaw: false)
        batch.spanIDs = ids.spans
        batch.parentSpanIDs = ids.parents
        if links.traceIDs.indices.contains(where: { !leadsSomewhere($0) }) { batch.links = linksThatLeadSomewhere() }
        return batch
    }

    private func leadsSomewhere(_ link: Int) -> Bool { links.traceIDs[link].isValid && links.spanIDs[link].isValid }

    private func linksThatLeadSomewhere() -> LinkTable {
        var table = LinkTable()
        for row in 0..<count {
            for link in links.range(of: row) where leadsSomewhere(link) {
                table.traceIDs.append(links.traceIDs[link])
                table.spanIDs.append(links.spanIDs[link])
                table.traceStateRefs.append(Self.value(links.traceStateRefs, link, default: 0))
                table.flags.append(Self.value(links.flags, link, default: 0))
                table.droppedAttributesCounts.append(Self.value(links.droppedAttributesCounts, link, default: 0))
                for pair in links.attributes.range(of: link) {
                    table.attributes.keyRefs.append(links.attributes.keyRefs[pair])
                    table.attributes.valueRefs.append(links.attributes.valueRefs[pair])
                }
                table.attributes.ends.append(UInt32(table.attributes.keyRefs.count))
            }
            table.ends.append(UInt32(table.spanIDs.count))
        }
        return table
    }
}
