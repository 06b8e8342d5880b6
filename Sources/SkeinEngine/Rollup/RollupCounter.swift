// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Counts the spans and calls of sections, copies of spans left out. Each trace of a section counts by itself.
///
/// Measured at sealing the bench corpus, 1,000,126 spans in 53,700 traces, on a busy machine of two cores: 110 ns a span, a
/// sixth of what sealing takes; 30 of them are ``CellTable``'s (`SkeinBenchmarks … engine` under `perf`).
struct RollupCounter: ~Copyable {
    private var numbers = SeriesNumbers()
    private var cells = CellTable()
    private var calls = ServiceCalls()
    private var overflowCount = 0

    /// Numbers of service names as ``ParentIndex`` wants them: 0 for the empty one, unbounded.
    private var serviceNumbers: [[UInt8]: UInt32] = [[]: 0]
    /// By such a number, that in the rollup.
    private var seriesServices: [UInt32] = []
    /// By resource of the block's table: number of the service + 1, or 0 when not yet known.
    private var resourceServices = ColumnBuffer<UInt32>()
    /// By slot of the section: number of the name in the rollup + 1, or 0 when not yet known.
    private var names = ColumnBuffer<UInt32>()
    /// The same for slots of values.
    private var peerNames = ColumnBuffer<UInt32>()
    /// By key of the block's table, one more than its number among those that name the other end of a call; 0 for all
    /// others.
    private var peerKeys = ColumnBuffer<UInt8>()

    /// Of the trace at hand, by row.
    private var rows = ColumnBuffer<UInt32>()
    private var services = ColumnBuffer<UInt32>()
    private var kinds = ColumnBuffer<UInt8>()
    private var spanIDs = ColumnBuffer<UInt64>()
    private var parentIDs = ColumnBuffer<UInt64>()

    init() {}

    /// Adds what a section holds or takes it away. `tables` must be the same at each call.
    mutating func add(
        _ section: borrowing BlockSection,
        _ tables: borrowing BlockTables,
        isTakenAway: Bool = false
    ) {
        names.reset(repeating: 0, count: section.slots.count)
        peerNames.reset(repeating: 0, count: section.slots.count)
        while peerKeys.count < tables.keys.count {
            peerKeys.append(tables.keys[peerKeys.count].peer.map { $0.rawValue + 1 } ?? 0)
        }
        while resourceServices.count < tables.services.count {
            resourceServices.append(service(tables.services[resourceServices.count]))
        }
        let sign: Int64 = isTakenAway ? -1 : 1
        var first = 0
        for trace in section.traces {
            let end = first + Int(trace.rowCount)
            addTrace(trace.id, first..<end, section, sign)
            first = end
        }
    }

    /// Gives out what was counted, and starts anew.
    mutating func take() -> Rollup {
        let taken = cells.take()
        defer { overflowCount = 0 }
        return Rollup(table: numbers.table, cells: taken, overflowCount: overflowCount)
    }

    private mutating func service(_ name: [UInt8]) -> UInt32 {
        if seriesServices.isEmpty { seriesServices.append(numbers.service("")) }
        if let known = serviceNumbers[name] { return known }
        let number = UInt32(seriesServices.count)
        serviceNumbers[name] = number
        seriesServices.append(numbers.service(String(decoding: name, as: UTF8.self)))
        return number
    }

    private mutating func addTrace(
        _ id: TraceID,
        _ range: Range<Int>,
        _ section: borrowing BlockSection,
        _ sign: Int64
    ) {
        rows.removeAll()
        services.removeAll()
        kinds.removeAll()
        for row in range {
            rows.append(UInt32(row))
            services.append(resourceServices[Int(section.resources[row])])
            // A kind that a client made up is none.
            kinds.append(section.kinds[row] <= Span.Kind.consumer.rawValue ? section.kinds[row] : 0)
        }
        calls.find(
            ParentIndex.Rows(
                spanIDs: section.spanIDs.elements(range),
                parentIDs: section.parentIDs.elements(range),
                kinds: kinds.elements,
                services: services.elements
            )
        )
        if calls.hasCopies { dropCopies(range, section) }
        for place in 0..<rows.count {
            let row = Int(rows[place])
            let series = number(
                Rollup.Series(
                    role: .operation,
                    first: seriesServices[Int(services[place])],
                    second: name(section.names[row], section),
                    detail: kinds[place],
                    status: Self.status(section.statuses[row])
                )
            )
            cells.add(
                series: series,
                minute: section.starts[row] / Self.minuteNanos,
                durationNanos: section.durations[row],
                units: sign &* Self.units(row, section),
                traceID: id
            )
        }
        for call in 0..<calls.count { add(calls[call], id, section, sign) }
    }

    /// The number of a series; counts those that have none of their own.
    @inline(__always)
    private mutating func number(_ series: Rollup.Series) -> UInt32 {
        let number = numbers.number(series)
        if numbers.hasStandIns, numbers.isStandIn(number) { overflowCount += 1 }
        return number
    }

    /// Keeps of rows with equal id and kind the one that ends last, of equal ends the last in order.
    private mutating func dropCopies(_ range: Range<Int>, _ section: borrowing BlockSection) {
        var kept: [CopyKey: Int] = [:]
        for row in range {
            let key = CopyKey(spanID: section.spanIDs[row], kind: kinds[row - range.lowerBound])
            if let known = kept[key], Self.end(row, section) < Self.end(known, section) { continue }
            kept[key] = row
        }
        let picked = kept.values.sorted()
        rows.removeAll()
        spanIDs.removeAll()
        parentIDs.removeAll()
        var next = 0
        for row in picked {
            services[next] = services[row - range.lowerBound]
            kinds[next] = kinds[row - range.lowerBound]
            rows.append(UInt32(row))
            spanIDs.append(section.spanIDs[row])
            parentIDs.append(section.parentIDs[row])
            next += 1
        }
        calls.find(
            ParentIndex.Rows(
                spanIDs: spanIDs.elements,
                parentIDs: parentIDs.elements,
                kinds: kinds.elements(0..<next),
                services: services.elements(0..<next)
            )
        )
    }

    private struct CopyKey: Hashable {
        var spanID: UInt64
        var kind: UInt8
    }

    private static func end(_ row: Int, _ section: borrowing BlockSection) -> UInt64 {
        let (end, overflow) = section.starts[row].addingReportingOverflow(section.durations[row])
        return overflow ? .max : end
    }

    private mutating func add(
        _ call: ServiceCalls.Call,
        _ id: TraceID,
        _ section: borrowing BlockSection,
        _ sign: Int64
    ) {
        let clientPlace = Int(call.client)
        let client = Int(rows[clientPlace])
        let first = seriesServices[Int(services[clientPlace])]
        let clientFailed = section.statuses[client] == Self.error
        guard call.server >= 0 else {
            guard let (peer, name) = peer(client, call.isMessage, section) else { return }
            let series = number(
                Rollup.Series(
                    role: .outside,
                    first: first,
                    second: name,
                    detail: peer.rawValue,
                    status: clientFailed ? Self.error : 0
                )
            )
            cells.add(
                series: series,
                minute: section.starts[client] / Self.minuteNanos,
                durationNanos: section.durations[client],
                units: sign &* Self.units(client, section),
                traceID: id
            )
            return
        }
        let server = Int(rows[Int(call.server)])
        let isCalling =
            kinds[clientPlace] == Span.Kind.client.rawValue || kinds[clientPlace] == Span.Kind.producer.rawValue
        var series = Rollup.Series(
            role: .serverSide,
            first: first,
            second: seriesServices[Int(services[Int(call.server)])],
            detail: (call.isMessage ? ConnectionType.messagingSystem : .direct).rawValue,
            status: section.statuses[server] == Self.error || (isCalling && clientFailed) ? Self.error : 0
        )
        let units = sign &* Self.units(server, section)
        let minute = section.starts[server] / Self.minuteNanos
        cells.add(
            series: number(series),
            minute: minute,
            durationNanos: section.durations[server],
            units: units,
            traceID: id
        )
        guard isCalling else { return }
        series.role = Rollup.Role.clientSide.rawValue
        cells.add(
            series: numbers.number(series),
            minute: minute,
            durationNanos: section.durations[client],
            units: units,
            traceID: id
        )
    }

    /// What a client or producer span calls, and the number of its name.
    private mutating func peer(
        _ row: Int,
        _ isMessage: Bool,
        _ section: borrowing BlockSection
    ) -> (ConnectionType, UInt32)? {
        // By key, the slot of its first value: keys are bits of 16.
        var slots = InlineArray<16, UInt32>(repeating: .max)
        var present: UInt16 = 0
        var seen: UInt16 = 0
        guard section.attributes.starts.count > row + 1 else { return nil }
        for pair in Int(section.attributes.starts[row])..<Int(section.attributes.starts[row + 1]) {
            let key = peerKeys[Int(section.attributes.keys[pair])]
            guard key != 0 else { continue }
            let bit: UInt16 = 1 &<< UInt16(key &- 1)
            guard seen & bit == 0 else { continue }
            seen |= bit
            let slot = section.attributes.values[pair]
            // What has a name already is text.
            guard peerNames[Int(slot)] != 0 || Self.isText(section.slots.entry(slot)) else { continue }
            present |= bit
            slots[Int(key) - 1] = slot
        }
        guard present != 0, let peer = Peer(isMessage: isMessage, present: present) else { return nil }
        let slot = slots[Int(peer.key.rawValue)]
        let known = peerNames[Int(slot)]
        if known != 0 { return (peer.connection, known - 1) }
        guard case .string(let text) = EncodedValue.decode(section.slots.entry(slot)) else { return nil }
        let number = numbers.operation(text)
        peerNames[Int(slot)] = number + 1
        return (peer.connection, number)
    }

    /// Whether a value is a string and not empty: its tag, a length, a byte.
    @inline(__always)
    private static func isText(_ value: UnsafeRawBufferPointer) -> Bool {
        value.count > 2 && value.unsafelyLoad(0, as: UInt8.self) == 0x0a
    }

    @inline(__always)
    private mutating func name(_ slot: UInt32, _ section: borrowing BlockSection) -> UInt32 {
        let known = names[Int(slot)]
        if known != 0 { return known &- 1 }
        let number = numbers.operation(String(decoding: section.slots.entry(slot), as: UTF8.self))
        names[Int(slot)] = number + 1
        return number
    }

    // Constants of other modules are looked up at each use.
    private static let minuteNanos: UInt64 = 60_000_000_000
    private static let unitsPerSpan: Int64 = 65_536
    private static let error = Span.Status.Code.error.rawValue

    /// A status that a client made up is none.
    private static func status(_ raw: UInt8) -> UInt8 { raw <= error ? raw : 0 }

    @inline(__always)
    private static func units(_ row: Int, _ section: borrowing BlockSection) -> Int64 {
        section.weights.count == 0
            ? unitsPerSpan
            : DurationDistribution.units(ofWeight: Double(bitPattern: section.weights[row]))
    }
}
