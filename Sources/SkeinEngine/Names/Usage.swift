// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Sums up what services take. Those beyond ``NameList/countMax`` are summed up together.
struct Usage {
    private struct Sum {
        var spanCount = 0
        var byteCount = 0.0

        mutating func add(_ count: Int, _ byteCount: Double) {
            spanCount &+= count
            self.byteCount += byteCount
        }
    }

    private var sums: [ExactText: Sum] = [:]
    private var others = Sum()
    /// Of the blocks that were added.
    private var blocks = Sum()

    /// How many bytes of columns in memory become one of a block, as long as there is no block to tell.
    private static let packing = 8.0

    /// Adds a block, whose bytes are shared out by spans.
    mutating func add(_ stored: StoredBlock) throws(StoreError) {
        let perSpan = Double(stored.footer.byteCount) / Double(max(stored.footer.spanCount, 1))
        blocks.add(stored.footer.spanCount, Double(stored.footer.byteCount))
        if let services = try stored.names()[.services] {
            for (key, facts) in zip(services.keys, services.facts) { add(key.name, facts.count, perSpan) }
        } else {
            try stored.block.forEachOperation { _, service, _, count in
                add(String(decoding: service, as: UTF8.self), count, perSpan)
            }
        }
    }

    /// Adds spans in memory as what they will take in a block: each as much as a span of the blocks that were added before,
    /// and without any an eighth of its columns.
    mutating func add(_ batch: SpanBatch) {
        var spans: [SpanBatch.Ref: Int] = [:]
        for row in batch.resourceRows { spans[batch.resources.serviceNameRefs[Int(row)], default: 0] += 1 }
        let perSpan =
            blocks.spanCount > 0
            ? blocks.byteCount / Double(blocks.spanCount)
            : Double(batch.byteCount) / Double(max(batch.count, 1)) / Self.packing
        for (service, count) in spans { add(batch.dictionary.string(service), count, perSpan) }
    }

    private mutating func add(_ service: String, _ count: Int, _ perSpan: Double) {
        let name = ExactText(service)
        if let place = sums.index(forKey: name) {
            sums.values[place].add(count, Double(count) * perSpan)
        } else if sums.count < NameList<ServiceName>.countMax {
            sums[name] = Sum(spanCount: count, byteCount: Double(count) * perSpan)
        } else {
            others.add(count, Double(count) * perSpan)
        }
    }

    /// Most bytes first, ties by name.
    var services: [ServiceUsage] {
        var services = sums.map { name, sum in
            ServiceUsage(name: name.text, spanCount: sum.spanCount, byteCount: Int(sum.byteCount))
        }
        services.sort { $0.precedes($1) }
        if others.spanCount > 0 {
            services.append(
                ServiceUsage(name: nil, spanCount: others.spanCount, byteCount: Int(others.byteCount))
            )
        }
        return services
    }
}
