// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
import Synchronization

/// A file system in memory that fails as real ones do, driven by a seed.
///
/// It keeps apart what programs see and what the device holds. ``crash()`` gives the disk as the next start finds it: of
/// bytes not synced a random part survives, some of it garbled; of names made, changed or removed without a sync of the
/// folder each is undone or not on its own. ``kill()`` gives it as a start on the running machine finds it: all is seen,
/// and what was not synced still waits for a sync or a crash. The disk before then refuses everything.
package final class SimulatedDisk: Disk {
    /// How often operations fail, in units of 1 in 1,000.
    package struct Faults: Sendable {
        /// An append finds the disk full after writing a part.
        package var appendsFull = 0
        /// An append fails after writing a part.
        package var appendsFailing = 0
        /// A sync fails; bytes since the last one may never reach the device, whatever later syncs say.
        package var syncsFailing = 0
        /// A sync of a folder, a rename or the making of a file fails.
        package var namesFailing = 0
        /// A read fails.
        package var readsFailing = 0

        /// No faults.
        package init() {}
    }

    final class Node: Sendable {
        struct Bytes {
            /// What programs see.
            var current: [UInt8] = []
            /// What the device surely holds.
            var synced: [UInt8] = []
            /// From here on the device may hold anything, since a sync failed.
            var doubtful = Int.max
        }

        let bytes: Mutex<Bytes>
        /// How many programs have it open.
        let openCount = Atomic<Int>(0)

        init(_ content: [UInt8] = []) {
            var bytes = Bytes()
            bytes.current = content
            bytes.synced = content
            self.bytes = Mutex(bytes)
        }

        init(_ bytes: Bytes) { self.bytes = Mutex(bytes) }
    }

    fileprivate enum NameChange {
        case madeFolder(String)
        case made(String, Node)
        case removed(String)
        case renamed(String, String, Node)
        case moved(String, String)

        /// The folder whose sync makes it durable.
        var folder: String {
            switch self {
            case .madeFolder(let path), .made(let path, _), .removed(let path), .renamed(_, let path, _),
                .moved(_, let path):
                SimulatedDisk.folder(of: path)
            }
        }
    }

    struct State {
        fileprivate(set) var random: SeededRandom
        fileprivate var folders: Set<String> = ["", "/"]
        fileprivate var durableFolders: Set<String> = ["", "/"]
        fileprivate var files: [String: Node] = [:]
        fileprivate var durableFiles: [String: Node] = [:]
        fileprivate var changes: [NameChange] = []
        /// Without a name: they take space until nobody has them open.
        fileprivate var unlinked: [Node] = []
        fileprivate var locks: Set<String> = []
        fileprivate var faults = Faults()
        /// Bytes that all files may have together.
        fileprivate var capacity = Int.max
        fileprivate var isReadOnly = false
        fileprivate var canLink = true
        fileprivate var brokenFolder: String?
        fileprivate var unreadableFolder: String?
        /// Operations until the machine stops.
        fileprivate var operationsLeft = Int.max
        fileprivate var isStopped = false
        fileprivate var operationCount = 0
        fileprivate var onSync: (@Sendable () -> Void)?
        fileprivate var onRead: (@Sendable () -> Void)?
    }

    private let state: Mutex<State>

    /// An empty disk.
    package init(seed: UInt64) { state = Mutex(State(random: SeededRandom(seed: seed))) }

    // MARK: What a test does to it

    package var faults: Faults {
        get { state.withLock { $0.faults } }
        set { state.withLock { $0.faults = newValue } }
    }

    /// Bytes that all files may have together.
    package var capacity: Int {
        get { state.withLock { $0.capacity } }
        set { state.withLock { $0.capacity = newValue } }
    }

    package var isReadOnly: Bool {
        get { state.withLock { $0.isReadOnly } }
        set { state.withLock { $0.isReadOnly = newValue } }
    }

    /// A folder of which no file can be opened or read.
    package var unreadableFolder: String? {
        get { state.withLock { $0.unreadableFolder } }
        set { state.withLock { $0.unreadableFolder = newValue } }
    }

    /// Whether a file may have a second name.
    package var canLink: Bool {
        get { state.withLock { $0.canLink } }
        set { state.withLock { $0.canLink = newValue } }
    }

    /// Whether there is a folder `path`.
    package func hasFolder(_ path: String) -> Bool { state.withLock { $0.folders.contains(path) } }

    /// A folder in which nothing can be written.
    package var brokenFolder: String? {
        get { state.withLock { $0.brokenFolder } }
        set { state.withLock { $0.brokenFolder = newValue } }
    }

    /// Called before bytes of a file are read, and may take its time.
    package var onRead: (@Sendable () -> Void)? {
        get { state.withLock { $0.onRead } }
        set { state.withLock { $0.onRead = newValue } }
    }

    /// Called before the bytes of a file are synced, and may take its time.
    package var onSync: (@Sendable () -> Void)? {
        get { state.withLock { $0.onSync } }
        set { state.withLock { $0.onSync = newValue } }
    }

    /// Lets the machine stop in the middle of the operation after the next `count`.
    package func stop(afterOperations count: Int) { state.withLock { $0.operationsLeft = count } }

    /// Whether the machine stopped by itself.
    package var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Operations done so far.
    package var operationCount: Int { state.withLock { $0.operationCount } }

    /// Bytes that all files have together, those counted that were removed and are still open.
    package var usedByteCount: Int { state.withLock { $0.usedByteCount } }

    /// How often files are open at the moment.
    package var openCount: Int {
        state.withLock { state in
            (state.files.values + state.unlinked).reduce(0) { $0 + $1.openCount.load(ordering: .relaxed) }
        }
    }

    /// Paths of all files, sorted.
    package var paths: [String] { state.withLock { $0.files.keys.sorted() } }

    /// How many bytes each file has, in no order.
    package var fileByteCounts: [Int] {
        state.withLock { $0.files.values.map { $0.bytes.withLock { $0.current.count } } }
    }

    /// The bytes of a file as programs see them; `nil` when there is none.
    package subscript(path: String) -> [UInt8]? {
        get { state.withLock { $0.files[path] }?.bytes.withLock { $0.current } }
        set {
            state.withLock { state in
                let node = newValue.map { Node($0) }
                state.files[path] = node
                state.durableFiles[path] = node
            }
        }
    }

    /// Flips a bit of a file, on the device and for whoever has it open.
    package func flip(_ path: String, byte: Int, bit: Int) {
        state.withLock { $0.files[path] }?.bytes.withLock { bytes in
            bytes.current[byte] ^= 1 << UInt8(bit)
            if byte < bytes.synced.count { bytes.synced[byte] ^= 1 << UInt8(bit) }
        }
    }

    /// A copy of the disk as it is, everything synced: for trying many things from one state.
    package func copy(seed: UInt64 = 0) -> SimulatedDisk {
        let copy = SimulatedDisk(seed: seed)
        let (folders, files) = state.withLock { ($0.folders, $0.files) }
        copy.state.withLock { target in
            target.folders = folders
            target.durableFolders = folders
            for (path, node) in files {
                let node = Node(node.bytes.withLock { $0.current })
                target.files[path] = node
                target.durableFiles[path] = node
            }
        }
        return copy
    }

    /// Cuts the power: the disk as the next start finds it.
    package func crash() -> SimulatedDisk {
        state.withLock { state in
            state.isStopped = true
            var (files, folders) = (state.durableFiles, state.durableFolders)
            for change in state.changes where Bool.random(using: &state.random) {
                change.apply(to: &files, &folders)
            }
            // What lies in a folder that is gone is gone.
            for path in folders.sorted() where !folders.contains(Self.folder(of: path)) { folders.remove(path) }
            files = files.filter { folders.contains(Self.folder(of: $0.key)) }
            let next = SimulatedDisk(seed: state.random.next())
            let (faults, capacity) = (state.faults, state.capacity)
            var survivors: [String: Node] = [:]
            for (path, node) in files.sorted(by: { $0.key < $1.key }) {
                survivors[path] = Node(node.bytes.withLock { $0.survivor(&state.random) })
            }
            next.state.withLock { [folders, survivors] target in
                target.folders = folders
                target.durableFolders = folders
                target.faults = faults
                target.capacity = capacity
                target.files = survivors
                target.durableFiles = survivors
            }
            return next
        }
    }

    /// Ends the process, and only that: the disk as the next start on the running machine finds it.
    package func kill() -> SimulatedDisk {
        state.withLock { state in
            state.isStopped = true
            let next = SimulatedDisk(seed: state.random.next())
            // What the ended process still holds open must not change what the next one sees.
            var copies: [ObjectIdentifier: Node] = [:]
            func copy(_ node: Node) -> Node {
                if let known = copies[ObjectIdentifier(node)] { return known }
                let made = Node(node.bytes.withLock { $0 })
                copies[ObjectIdentifier(node)] = made
                return made
            }
            let files = state.files.mapValues(copy)
            let durableFiles = state.durableFiles.mapValues(copy)
            let changes = state.changes.map { $0.mapNode(copy) }
            let (folders, durableFolders) = (state.folders, state.durableFolders)
            let (faults, capacity) = (state.faults, state.capacity)
            next.state.withLock { target in
                target.folders = folders
                target.durableFolders = durableFolders
                target.faults = faults
                target.capacity = capacity
                target.files = files
                target.durableFiles = durableFiles
                target.changes = changes
            }
            return next
        }
    }

    // MARK: Disk

    package func createDirectory(_ path: String) throws(DiskError) {
        let isThere = try operate(.create, path, writes: false) { $0.folders.contains(path) }
        if isThere { return }
        let parent = Self.folder(of: path)
        try createDirectory(parent)
        try operate(.create, path, writes: true) { state in
            state.folders.insert(path)
            state.changes.append(.madeFolder(path))
        }
        try syncDirectory(parent)
    }

    package func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        let node = try operate(.open, path, writes: mode != .read) { state throws(DiskError) -> Node in
            switch (state.files[path], mode) {
            case (let node?, .read), (let node?, .append): return node
            case (.some, .create):
                throw DiskError(.exists, .open, path: path, reason: "it exists already")
            case (nil, .read), (nil, .append):
                throw DiskError(.notFound, .open, path: path, reason: "there is no such file")
            case (nil, .create):
                guard state.folders.contains(Self.folder(of: path)) else {
                    throw DiskError(.notFound, .open, path: path, reason: "there is no such folder")
                }
                try state.fail(state.faults.namesFailing, .open, path)
                let node = Node()
                state.files[path] = node
                state.changes.append(.made(path, node))
                return node
            }
        }
        return File(disk: self, node: node, path: path)
    }

    package func list(_ path: String) throws(DiskError) -> [String] {
        try operate(.list, path, writes: false) { state throws(DiskError) -> [String] in
            guard state.folders.contains(path) else {
                throw DiskError(.notFound, .list, path: path, reason: "there is no such folder")
            }
            return (Array(state.files.keys) + Array(state.folders))
                .filter { Self.folder(of: $0) == path && $0 != path && !$0.isEmpty }
                .map { String($0.dropFirst(path.count + 1)) }
                .sorted()
        }
    }

    package func kind(of path: String) throws(DiskError) -> DiskEntryKind {
        try operate(.measure, path, writes: false) { state throws(DiskError) -> DiskEntryKind in
            if state.folders.contains(path) { return .folder }
            if state.files[path] != nil { return .file }
            throw DiskError(.notFound, .measure, path: path, reason: "there is no such file")
        }
    }

    package func link(_ path: String, to target: String) throws(DiskError) {
        try operate(.link, target, writes: true) { state throws(DiskError) in
            guard let node = state.files[path] else {
                throw DiskError(.notFound, .link, path: path, reason: "there is no such file")
            }
            guard state.canLink else {
                throw DiskError(.io, .link, path: path, reason: "the names lie on two file systems")
            }
            guard state.files[target] == nil else {
                throw DiskError(.exists, .link, path: target, reason: "it exists already")
            }
            try state.fail(state.faults.namesFailing, .link, path)
            state.files[target] = node
            state.changes.append(.made(target, node))
        }
    }

    package func removeDirectory(_ path: String) throws(DiskError) {
        try operate(.remove, path, writes: true) { state throws(DiskError) in
            let names = Array(state.files.keys) + Array(state.folders)
            guard state.folders.contains(path), !names.contains(where: { $0.hasPrefix(path + "/") }) else {
                throw DiskError(.io, .remove, path: path, reason: "it is not empty, or not there")
            }
            state.folders.remove(path)
            state.durableFolders.remove(path)
        }
    }

    package func rename(_ path: String, to target: String) throws(DiskError) {
        try operate(.rename, path, writes: true) { state throws(DiskError) in
            if state.folders.contains(path) {
                try state.fail(state.faults.namesFailing, .rename, path)
                guard !state.folders.contains(target), state.files[target] == nil else {
                    throw DiskError(.exists, .rename, path: target, reason: "it exists already")
                }
                let change = NameChange.moved(path, target)
                change.apply(to: &state.files, &state.folders)
                return state.changes.append(change)
            }
            guard let node = state.files[path] else {
                throw DiskError(.notFound, .rename, path: path, reason: "there is no such file")
            }
            try state.fail(state.faults.namesFailing, .rename, path)
            state.files[path] = nil
            if let replaced = state.files.updateValue(node, forKey: target) { state.unlink(replaced) }
            state.changes.append(.renamed(path, target, node))
        }
    }

    package func remove(_ path: String) throws(DiskError) {
        try operate(.remove, path, writes: true) { state throws(DiskError) in
            guard let node = state.files.removeValue(forKey: path) else {
                throw DiskError(.notFound, .remove, path: path, reason: "there is no such file")
            }
            state.unlink(node)
            state.changes.append(.removed(path))
        }
    }

    package func syncDirectory(_ path: String) throws(DiskError) {
        try operate(.sync, path, writes: true) { state throws(DiskError) in
            try state.fail(state.faults.namesFailing, .sync, path)
            state.changes.removeAll { change in
                guard change.folder == path else { return false }
                change.apply(to: &state.durableFiles, &state.durableFolders)
                return true
            }
        }
    }

    package func freeBytes(_ path: String) throws(DiskError) -> Int {
        state.withLock { max(0, $0.capacity - $0.usedByteCount) }
    }

    package func lock(_ path: String) throws(DiskError) -> any DiskLock {
        try operate(.lock, path, writes: true) { state throws(DiskError) in
            guard state.locks.insert(path).inserted else {
                throw DiskError(.locked, .lock, path: path, reason: "another process holds it")
            }
        }
        return Lock(disk: self, path: path)
    }

    // MARK: Parts

    private static func folder(of path: String) -> String { DiskPath.parent(of: path) ?? "" }

    /// Counts an operation, and refuses it when the machine stopped or the disk may only be read.
    private func operate<T: Sendable>(
        _ operation: DiskError.Operation,
        _ path: String,
        writes: Bool,
        _ body: (inout State) throws(DiskError) -> T
    ) throws(DiskError) -> T {
        let result = state.withLock { state -> Result<T, DiskError> in
            do throws(DiskError) {
                state.operationCount += 1
                if writes { state.operationsLeft -= 1 }
                if state.operationsLeft < 0 { state.isStopped = true }
                if state.isStopped {
                    throw DiskError(.io, operation, path: path, reason: "the machine stopped")
                }
                if writes, let folder = state.brokenFolder, path.hasPrefix(folder) {
                    throw DiskError(.io, operation, path: path, reason: "the device failed")
                }
                if !writes, operation == .open || operation == .read, let folder = state.unreadableFolder,
                    path.hasPrefix(folder)
                {
                    throw DiskError(.io, operation, path: path, reason: "the device failed")
                }
                if state.isReadOnly, writes {
                    throw DiskError(.readOnly, operation, path: path, reason: "the disk may only be read")
                }
                return .success(try body(&state))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private final class Lock: DiskLock {
        let disk: SimulatedDisk
        let path: String

        init(disk: SimulatedDisk, path: String) {
            self.disk = disk
            self.path = path
        }

        deinit { disk.state.withLock { _ = $0.locks.remove(path) } }
    }

    private final class File: DiskFile {
        let disk: SimulatedDisk
        let node: Node
        let path: String

        init(disk: SimulatedDisk, node: Node, path: String) {
            self.disk = disk
            self.node = node
            self.path = path
            node.openCount.add(1, ordering: .relaxed)
        }

        deinit { node.openCount.subtract(1, ordering: .relaxed) }

        func size() throws(DiskError) -> Int {
            try disk.operate(.measure, path, writes: false) { _ in node.bytes.withLock { $0.current.count } }
        }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
            disk.onRead?()
            try disk.operate(.read, path, writes: false) { state throws(DiskError) in
                try state.fail(state.faults.readsFailing, .read, path)
            }
            return node.bytes.withLock { bytes in
                guard offset < bytes.current.count else { return 0 }
                let count = min(buffer.count, bytes.current.count - offset)
                bytes.current.withUnsafeBytes { source in
                    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<(offset + count)]))
                }
                return count
            }
        }

        func append(_ added: UnsafeRawBufferPointer) throws(DiskError) {
            let added = [UInt8](added)
            let failure: DiskError?
            do throws(DiskError) {
                failure = try disk.operate(.append, path, writes: true) { state -> DiskError? in
                    let room = state.capacity == .max ? Int.max : state.capacity - state.usedByteCount
                    var failure: DiskError?
                    var count = added.count
                    if count > room || state.happens(state.faults.appendsFull) {
                        failure = DiskError(.noSpace, .append, path: path, reason: "no space is left")
                        count = min(Int.random(in: 0...count, using: &state.random), max(0, room))
                    } else if state.happens(state.faults.appendsFailing) {
                        failure = DiskError(.io, .append, path: path, reason: "the device failed")
                        count = Int.random(in: 0...count, using: &state.random)
                    }
                    node.bytes.withLock { $0.current += added.prefix(count) }
                    return failure
                }
            } catch {
                if error.reason == "the machine stopped" {
                    // The machine may stop in the middle of it.
                    let count = disk.state.withLock { Int.random(in: 0...added.count, using: &$0.random) }
                    node.bytes.withLock { $0.current += added.prefix(count) }
                }
                throw error
            }
            if let failure { throw failure }
        }

        func sync() throws(DiskError) {
            disk.onSync?()
            try disk.operate(.sync, path, writes: true) { state throws(DiskError) in
                if state.happens(state.faults.syncsFailing) {
                    node.bytes.withLock { $0.doubtful = min($0.doubtful, $0.synced.count) }
                    throw DiskError(.io, .sync, path: path, reason: "the device failed")
                }
                node.bytes.withLock { $0.synced = $0.current }
            }
        }

        func truncate(to count: Int) throws(DiskError) {
            try disk.operate(.truncate, path, writes: true) { _ in
                node.bytes.withLock { bytes in
                    if count < bytes.current.count { bytes.current.removeLast(bytes.current.count - count) }
                }
            }
        }
    }
}

extension SimulatedDisk.State {
    var usedByteCount: Int {
        let open = unlinked.filter { $0.openCount.load(ordering: .relaxed) > 0 }
        // A file takes its bytes once, whatever number of names it has.
        var counted: Set<ObjectIdentifier> = []
        return (files.values + open).reduce(0) { sum, node in
            counted.insert(ObjectIdentifier(node)).inserted ? sum + node.bytes.withLock { $0.current.count } : sum
        }
    }

    fileprivate mutating func unlink(_ node: SimulatedDisk.Node) {
        unlinked.removeAll { $0.openCount.load(ordering: .relaxed) == 0 }
        unlinked.append(node)
    }

    mutating func happens(_ perMille: Int) -> Bool {
        perMille > 0 && Int.random(in: 0..<1_000, using: &random) < perMille
    }

    mutating func fail(_ perMille: Int, _ operation: DiskError.Operation, _ path: String) throws(DiskError) {
        if happens(perMille) { throw DiskError(.io, operation, path: path, reason: "the device failed") }
    }
}

extension SimulatedDisk.NameChange {
    fileprivate func mapNode(_ change: (SimulatedDisk.Node) -> SimulatedDisk.Node) -> Self {
        switch self {
        case .made(let path, let node): .made(path, change(node))
        case .madeFolder, .removed, .moved: self
        case .renamed(let from, let to, let node): .renamed(from, to, change(node))
        }
    }

    fileprivate func apply(to files: inout [String: SimulatedDisk.Node], _ folders: inout Set<String>) {
        switch self {
        case .madeFolder(let path): folders.insert(path)
        case .moved(let from, let to):
            func moved(_ path: String) -> String { to + path.dropFirst(from.count) }
            for path in files.keys where path.hasPrefix(from + "/") {
                files[moved(path)] = files.removeValue(forKey: path)
            }
            for path in folders where path == from || path.hasPrefix(from + "/") {
                folders.remove(path)
                folders.insert(moved(path))
            }
        case .made(let path, let node): files[path] = node
        case .removed(let path): files[path] = nil
        case .renamed(let from, let to, let node):
            if files[from] === node { files[from] = nil }
            files[to] = node
        }
    }
}
