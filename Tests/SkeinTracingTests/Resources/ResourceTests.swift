// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinTracing
import Testing

@Suite struct ResourceTests {
    /// A machine on which `files` are all that can be read.
    private func machine(_ files: [String: String] = [:], _ environment: [String: String] = [:]) -> Surroundings {
        var surroundings = Surroundings()
        surroundings.environment = environment
        surroundings.file = { path, byteCountMax in
            guard let text = files[path] else { return .unreadable("there is no such file") }
            return text.utf8.count > byteCountMax ? .tooLong : .bytes(Array(text.utf8))
        }
        return surroundings
    }

    /// The attributes that are not those of the SDK itself.
    private func attributes(
        _ surroundings: Surroundings,
        _ change: (inout TracingConfiguration) -> Void = { _ in }
    ) -> [String: AttributeValue] {
        var configuration = ResolvedConfiguration(TracingConfiguration(), in: surroundings).configuration
        change(&configuration)
        let pairs = configuration.resource(in: surroundings).attributes.map { ($0.key, $0.value) }
        return Dictionary(uniqueKeysWithValues: pairs).filter { !$0.key.hasPrefix("telemetry.sdk.") }
    }

    @Test func `where nothing can be found out the resource has a name and the SDK`() {
        var configuration = TracingConfiguration()
        configuration.detectors = []
        #expect(
            configuration.resource(in: Surroundings())
                == Resource(attributes: [
                    Attribute("service.name", "unknown_service"),
                    Attribute("telemetry.sdk.language", "swift"),
                    Attribute("telemetry.sdk.name", "skein"),
                    Attribute("telemetry.sdk.version", .string(Version.current)),
                ])
        )
    }

    @Test func `a service without a name is called by its executable`() {
        var surroundings = machine()
        surroundings.arguments = ["./bin/shop", "--port", "80"]
        #expect(attributes(surroundings)["service.name"] == "unknown_service:shop")
        surroundings.executablePath = "/usr/bin/shopd"
        #expect(attributes(surroundings)["service.name"] == "unknown_service:shopd")
    }

    @Test func `service_name comes from its variable, then code, then attributes`() {
        let list = ["OTEL_RESOURCE_ATTRIBUTES": "service.name=list"]
        #expect(attributes(machine([:], list))["service.name"] == "list")
        var code = TracingConfiguration()
        code.serviceName = "code"
        let both = ResolvedConfiguration(code, in: machine([:], list)).configuration
        #expect(both.resource(in: machine()).serviceName == "code")
        let all = machine([:], list.merging(["OTEL_SERVICE_NAME": "variable"]) { $1 })
        #expect(ResolvedConfiguration(code, in: all).configuration.resource(in: all).serviceName == "variable")
    }

    @Test func `code wins over the variable, and both over what is detected`() {
        var surroundings = machine([:], ["OTEL_RESOURCE_ATTRIBUTES": "a=variable, b = two%20words ,host.name=named"])
        surroundings.hostName = "detected"
        var code = TracingConfiguration()
        code.resourceAttributes = ["a": "code", "c": ["x", "y"]]
        let resource = ResolvedConfiguration(code, in: surroundings).configuration.resource(in: surroundings)
        #expect(resource.attributes["a"] == "code" && resource.attributes["b"] == "two words")
        #expect(resource.attributes["c"] == ["x", "y"] && resource.attributes["host.name"] == "named")
    }

    @Test(arguments: [
        ("a=1,b=%zz", "member 2 has a % without two hexadecimal digits of UTF-8 after it: write % as %25"),
        ("a=1,b=%E4", "member 2 has a % without two hexadecimal digits of UTF-8 after it: write % as %25"),
        ("a=1,b", "member 2 has no =: write key=value,key=value"),
    ])
    func `one mistake in the variable leaves out all of it`(text: String, reason: String) {
        let resolved = ResolvedConfiguration(
            TracingConfiguration(),
            in: machine([:], ["OTEL_RESOURCE_ATTRIBUTES": text])
        )
        #expect(resolved.configuration.resourceAttributes.isEmpty)
        #expect(
            resolved.problems.map(\.description)
                == ["OTEL_RESOURCE_ATTRIBUTES is ignored: \(reason); none of its attributes is set"]
        )
    }

    @Test func `the process is described, its arguments only when they are asked for`() {
        var surroundings = machine()
        surroundings.processID = 42
        surroundings.arguments = ["shop", "--token", "secret"]
        surroundings.executablePath = "/bin/shop"
        surroundings.swiftVersion = "6.3"
        surroundings.instanceID = "2a"
        #expect(
            attributes(surroundings) == [
                "service.name": "unknown_service:shop", "service.instance.id": "2a", "process.pid": 42,
                "process.executable.name": "shop", "process.executable.path": "/bin/shop",
                "process.runtime.name": "swift",
                "process.runtime.version": "6.3",
            ]
        )
        let asked = attributes(surroundings) { $0.describesCommandArguments = true }
        #expect(asked["process.command_args"] == ["shop", "--token", "secret"])
    }

    @Test func `host and system are described`() {
        var surroundings = machine([
            "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
            "/etc/os-release": "# c\nNAME=Debian\nVERSION_ID='13'\nPRETTY_NAME=\"Debian \\\"13\\\"\"\nbroken\n",
        ])
        surroundings.hostName = "web-1"
        surroundings.architecture = "amd64"
        surroundings.operatingSystem = "linux"
        let found = attributes(surroundings) { $0.detectors = [.host, .os] }
        #expect(
            found == [
                "service.name": "unknown_service", "host.name": "web-1", "host.arch": "amd64",
                "host.id": "0123456789abcdef0123456789abcdef", "os.type": "linux", "os.name": "Debian",
                "os.version": "13",
                "os.description": "Debian \"13\"",
            ]
        )
    }

    @Test func `without a release file the kernel's version describes the system`() {
        var surroundings = machine(["/etc/machine-id": "uninitialized\n"])
        surroundings.kernelVersion = "6.1.0"
        let found = attributes(surroundings) { $0.detectors = [.host, .os] }
        #expect(found == ["service.name": "unknown_service", "os.version": "6.1.0", "os.description": "6.1.0"])
    }

    @Test func `only the detectors that are named run, and of those what the filter takes`() {
        var surroundings = machine()
        surroundings.hostName = "h"
        surroundings.architecture = "arm64"
        surroundings.instanceID = "i"
        let found = attributes(surroundings) {
            $0.detectors = [.host]
            $0.detectedAttributes = NameFilter(included: ["*.name", "host.????"], excluded: ["host.name"])
        }
        #expect(found == ["service.name": "unknown_service", "host.arch": "arm64"])
    }

    @Test(
        arguments: [
            ([:], [:]),
            (["POD_NAME": "p", "NODE_NAME": "n"], [:]),
            (["POD_NAME": "p", "KUBERNETES_SERVICE_HOST": "10.0.0.1"], ["k8s.pod.name": "p"]),
            (["POD_NAME": "p", "K8S_POD_NAME": "q", "KUBERNETES_SERVICE_HOST": "x"], ["k8s.pod.name": "q"]),
            (
                [
                    "OTEL_RESOURCE_ATTRIBUTES_POD_NAME": "p", "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME": "n",
                    "K8S_POD_UID": "u",
                    "K8S_NAMESPACE_NAME": "s", "K8S_CONTAINER_NAME": "c", "K8S_DEPLOYMENT_NAME": "d",
                    "K8S_CLUSTER_NAME": "k",
                ],
                [
                    "k8s.pod.name": "p", "k8s.node.name": "n", "k8s.pod.uid": "u", "k8s.namespace.name": "s",
                    "k8s.container.name": "c", "k8s.deployment.name": "d", "k8s.cluster.name": "k",
                ]
            ),
        ] as [([String: String], [String: AttributeValue])]
    )
    func `pods are described by their variables`(environment: [String: String], found: [String: AttributeValue]) {
        var surroundings = machine([:], environment)
        surroundings.instanceID = ""
        let attributes = attributes(surroundings) { $0.detectors = [.kubernetes] }
        #expect(attributes.filter { $0.key != "service.name" } == found)
    }

    @Test func `the namespace of a pod is in the folder of its account`() {
        let path = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
        let found = attributes(machine([path: "shop\n"], ["POD_NAME": "p"])) { $0.detectors = [.kubernetes] }
        #expect(found == ["service.name": "unknown_service", "k8s.namespace.name": "shop", "k8s.pod.name": "p"])
    }

    @Test func `this process describes itself`() {
        let surroundings = Surroundings.current()
        let found = attributes(surroundings)
        #expect(found["process.pid"] != nil && found["process.executable.name"] != nil && found["host.name"] != nil)
        guard case .string(let id) = found["service.instance.id"] else {
            Issue.record("no id")
            return
        }
        #expect(id.count == 36 && Array(id)[14] == "4")
        #expect(Surroundings.current().instanceID == id)
    }

    @Test func `only regular files are read, and no more of them than is wanted`() {
        let surroundings = Surroundings.current()
        if case .bytes = surroundings.file("/dev/null", 10) { Issue.record("a device was read") }
        if case .bytes = surroundings.file("/", 10) { Issue.record("a folder was read") }
        if case .bytes = surroundings.file("/nowhere/at/all", 10) { Issue.record("nothing was read") }
        let this = surroundings.executablePath ?? ""
        if case .tooLong = surroundings.file(this, 10) {} else { Issue.record("\(this) was read") }
    }
}
