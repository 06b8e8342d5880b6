// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinTracing
import Testing

@Suite struct ContainerTests {
    private static let id = String(repeating: "0123456789abcdef", count: 4)
    private static let sandbox = String(repeating: "f", count: 64)

    private func find(cgroup: String, mounts: String = "") -> AttributeValue? {
        var surroundings = Surroundings()
        surroundings.file = { path, _ in
            switch path {
            case "/proc/self/cgroup": .bytes(Array(cgroup.utf8))
            case "/proc/self/mountinfo": .bytes(Array(mounts.utf8))
            default: .unreadable("there is no such file")
            }
        }
        var configuration = TracingConfiguration()
        configuration.detectors = [.container]
        return configuration.resource(in: surroundings).attributes["container.id"]
    }

    @Test(arguments: [
        "12:pids:/docker/\(id)\n11:cpu:/docker/\(id)",
        "1:name=systemd:/system.slice/docker-\(id).scope",
        "0::/system.slice/docker-\(id).scope",
        "3:cpu:/kubepods/besteffort/pod3c1f/\(id)",
        "3:cpu:/kubepods.slice/kubepods-pod1.slice/cri-containerd-\(id).scope",
        "3:cpu:/kubepods.slice/kubepods-pod1.slice/crio-\(id).scope",
        "3:cpu:/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:\(id)",
        "0::/machine.slice/libpod-\(id).scope",
        "0::/\n1:cpu:/docker/\(id)",
    ])
    func `a control group names its container`(text: String) {
        #expect(find(cgroup: text) == .string(Self.id))
    }

    @Test(arguments: [
        "", "0::/", "0::/user.slice/session-1.scope", "1:cpu:/docker/short", "broken", "::",
        "1:cpu:/docker/\(id.uppercased())",
        "1:cpu:/docker/\(id)0",
    ])
    func `other control groups name none`(text: String) {
        #expect(find(cgroup: text) == nil)
    }

    @Test(arguments: [
        ("600 5 8:1 /var/lib/docker/containers/\(id)/hostname /etc/hostname rw - ext4 /dev/sda1 rw", id),
        (
            "600 5 8:1 /var/lib/containers/storage/overlay-containers/\(id)/userdata/hosts /etc/hosts rw - ext4 /dev/sda1 rw",
            id
        ),
        ("broken\n\n600 5 8:1 /containers/\(id)/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw", id),
        ("600 5 8:1 /var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/\(sandbox)/hostname /etc/hostname rw", nil),
        ("600 5 8:1 /var/lib/docker/containers/\(id)/data /data rw - ext4 /dev/sda1 rw", nil),
        ("600 5 8:1 /containers /etc/hosts rw", nil),
    ])
    func `where control groups are hidden, what is mounted names the container`(text: String, id: String?) {
        #expect(find(cgroup: "0::/", mounts: text) == id.map(AttributeValue.string))
    }
}
