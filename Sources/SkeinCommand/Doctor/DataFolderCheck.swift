// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Looks at a data folder from outside: may it be written, is there room, what is in it.
enum DataFolderCheck {
    /// Below this a disk counts as full.
    private static let freeBytesMin: UInt64 = 512 << 20

    static func findings(_ path: String) -> [Finding] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
            guard access(parent, W_OK) == 0 else {
                return [
                    .problem(
                        "data folder",
                        "\(path) does not exist and cannot be made in \(parent)",
                        remedy: "make \(parent) writable, or name another folder with --data-dir"
                    )
                ]
            }
            return [.note("data folder", "\(path) does not exist yet; `skein serve` makes it"), space(parent)]
        }
        guard isFolder.boolValue else {
            return [.problem("data folder", "\(path) is a file", remedy: "name a folder with --data-dir")]
        }
        guard access(path, W_OK | X_OK) == 0 else {
            return [
                .problem(
                    "data folder",
                    "\(path) cannot be written: \(String(cString: strerror(errno)))",
                    remedy: "give the user that runs skein the right to write there"
                ), space(path),
            ]
        }
        return [.ok("data folder", "\(path) can be written"), space(path)] + contents(path)
    }

    private static func space(_ path: String) -> Finding {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return .note("disk", "the free space of \(path) is not known") }
        let unit = UInt64(facts.f_frsize)
        let free = UInt64(facts.f_bavail) &* unit
        let total = max(UInt64(facts.f_blocks) &* unit, 1)
        let message = "\(Figures.bytes(free)) free of \(Figures.bytes(total))"
        if facts.f_flag & UInt(ST_RDONLY) != 0 {
            return .problem("disk", "the disk of \(path) is read-only", remedy: "mount it writable, or use another one")
        }
        if free < freeBytesMin {
            return .problem("disk", message, remedy: "make space, or keep less with --retention or --retention-bytes")
        }
        if free < total / 20 { return .note("disk", message, remedy: "make space soon") }
        return .ok("disk", message)
    }

    /// Log, blocks and what was put aside (`docs/format.md`).
    private static func contents(_ path: String) -> [Finding] {
        var findings: [Finding] = []
        for (subject, folder, noun) in [("log", "log", "segment"), ("blocks", "blocks", "block")] {
            guard let (count, bytes) = measure("\(path)/\(folder)") else { continue }
            findings.append(.ok(subject, "\(Figures.count(count, noun)), \(Figures.bytes(bytes))"))
        }
        if let (count, bytes) = measure("\(path)/quarantine"), count > 0 {
            findings.append(
                .problem(
                    "quarantine",
                    "\(Figures.count(count, "file")) did not check and were put aside, \(Figures.bytes(bytes))",
                    remedy: "check the disk; the server's log says what each held; delete \(path)/quarantine when done"
                )
            )
        }
        return findings
    }

    private static func measure(_ folder: String) -> (count: Int, bytes: UInt64)? {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return nil }
        var bytes: UInt64 = 0
        for name in names {
            let facts = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            bytes &+= (facts?[.size] as? NSNumber)?.uint64Value ?? 0
        }
        return (names.count, bytes)
    }
}
