// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Where files that do not check are put aside: `quarantine/`, each with a text that says what is wrong. Nothing there
/// is read or removed by the store again.
struct Quarantine {
    let disk: any Disk
    let folder: StoreFolder

    /// Gives the file `name` of the folder `source` another name here, and leaves it where it is. Returns that path.
    func link(_ name: String, from source: String, reason: String) throws(DiskError) -> String {
        let target = try note(name, from: source, reason: reason)
        try disk.link(source + "/" + name, to: target)
        try disk.syncDirectory(folder.quarantine)
        return target
    }

    /// Moves the file `name` of the folder `source` here. Returns the path it has now.
    func take(_ name: String, from source: String, reason: String) throws(DiskError) -> String {
        let target = try note(name, from: source, reason: reason)
        try disk.rename(source + "/" + name, to: target)
        try disk.syncDirectory(folder.quarantine)
        try disk.syncDirectory(source)
        return target
    }

    /// Writes down why a file comes here. Returns the path that it is to get.
    private func note(_ name: String, from source: String, reason: String) throws(DiskError) -> String {
        let taken = Set(try disk.list(folder.quarantine))
        var free = name
        var copy = 1
        while taken.contains(free) {
            copy += 1
            free = "\(name).\(copy)"
        }
        let target = folder.quarantine + "/" + free
        var text = ByteWriter()
        text.append(utf8: "\(source)/\(name): \(reason)\n")
        let note = target + ".reason.txt"
        try? disk.remove(note)
        let file = try disk.open(note, .create)
        try file.append(text.bytes)
        try file.sync()
        return target
    }

    /// How many files lie here.
    var count: Int { names.count { !$0.hasSuffix(".reason.txt") } }

    /// Bytes that they take, read anew each time: the operator may take them away.
    var byteCount: Int {
        names.reduce(0) { sum, name in
            sum + MeteredDisk.taken((try? disk.open(folder.quarantine + "/" + name, .read).size()) ?? 0)
        }
    }

    private var names: [String] { (try? disk.list(folder.quarantine)) ?? [] }
}
