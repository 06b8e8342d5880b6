// SPDX-License-Identifier: Apache-2.0

/// The id of the container that the process runs in, of the files that Linux shows it.
enum ContainerID {
    /// From the path of a control group (cgroups 1), otherwise from what is mounted from the container's folder (cgroups 2).
    static func find(_ surroundings: Surroundings) -> String? {
        surroundings.text("/proc/self/cgroup").flatMap(inControlGroups)
            ?? surroundings.text("/proc/self/mountinfo", byteCountMax: 1 << 20).flatMap(inMounts)
    }

    /// Lines of `number:controllers:path`; the id is the last part of a path, maybe `docker-….scope` and the like.
    static func inControlGroups(_ text: String) -> String? {
        for line in text.split(whereSeparator: \.isNewline) {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, var name = fields[2].split(separator: "/").last else { continue }
            if name.hasSuffix(".scope") { name = name.dropLast(6) }
            // A prefix names what runs the container: docker-, cri-containerd-, crio-, libpod-, or cri-containerd: in a path of
            // systemd.
            if let end = name.lastIndex(where: { $0 == "-" || $0 == ":" }) { name = name[name.index(after: end)...] }
            if isID(name) { return String(name) }
        }
        return nil
    }

    /// Lines of mounts (proc_pid_mountinfo(5)). Of those that containers get from whatever runs them, the one whose source lies in
    /// `containers/…`; that of a sandbox is the pod's.
    static func inMounts(_ text: String) -> String? {
        for line in text.split(whereSeparator: \.isNewline) {
            let fields = line.split(separator: " ")
            guard fields.count > 4, ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"].contains(fields[4]) else {
                continue
            }
            let parts = fields[3].split(separator: "/")
            for (folder, name) in zip(parts, parts.dropFirst())
            where ["containers", "overlay-containers"].contains(folder) && isID(name) {
                return String(name)
            }
        }
        return nil
    }

    private static func isID(_ text: Substring) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
