// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinServer

/// Asks a server how it does and tries its ports; without one, tries whether the ports are free.
struct ServerCheck {
    let address: String
    /// The folder that is looked at beside.
    let dataDirectory: String

    func findings() async throws(CommandFailure) -> [Finding] {
        let client = try ServerClient(address)
        let status: ServerStatusAnswer
        do throws(CommandFailure) {
            status = try await client.get(ServerStatusAnswer.self, ServerStatusAnswer.path)
        } catch {
            // Something else than a server of ours may sit on the port: then the ports tell.
            return [.note("server", "no Skein answers at \(client.server)", remedy: "start one with `skein serve`")]
                + freePorts()
        }
        var findings = [
            Finding.ok(
                "server",
                "Skein \(status.version) at \(client.server), \(Figures.count(status.spans, "span")) stored"
            )
        ]
        if let served = status.dataDirectory, Self.real(served) != Self.real(dataDirectory) {
            findings.append(
                .note(
                    "other folder",
                    "the server keeps its traces in \(served), not in \(dataDirectory), which is looked at below",
                    remedy: "name the server's folder with --data-dir, or the other server with --server"
                )
            )
        }
        if status.version != Version.current {
            findings.append(
                .note(
                    "version",
                    "the server is \(status.version), this command is \(Version.current)",
                    remedy: "use the same version for both"
                )
            )
        }
        for problem in status.problems {
            findings.append(.problem("health", problem, remedy: Self.remedy(problem)))
        }
        if status.problems.isEmpty { findings.append(.ok("health", status.health)) }
        return findings + status.listeners.map { reach($0) } + (await figures(client))
    }

    /// The path without links, which one folder may have many of.
    private static func real(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }

    /// What to do about a problem that the server tells: of a full disk its log says no more.
    private static func remedy(_ problem: String) -> String {
        problem.contains("make space") || problem.contains("disk is full")
            ? "free space on that disk or raise its quota; keep less with --retention or --retention-bytes"
            : "see the server's log"
    }

    // MARK: Ports

    private func reach(_ listener: ServerStatusAnswer.Listener) -> Finding {
        let subject = listener.name
        guard let (host, port) = Self.split(listener.address) else { return .note(subject, listener.address) }
        if ListenerName(rawValue: listener.name)?.isUDP == true {
            return .ok(subject, "\(listener.address)/udp, which answers nobody")
        }
        // A listener on every address is tried on this machine's own.
        let target = ["0.0.0.0", "::", "[::]"].contains(host) ? "127.0.0.1" : host
        switch PortProbe.connect(host: target, port: port) {
        case .done: return .ok(subject, "\(listener.address) takes connections")
        case .refused(let reason):
            return .problem(
                subject,
                "\(listener.address) takes no connections from here: \(reason)",
                remedy: "check firewalls, or run doctor on the server's machine"
            )
        }
    }

    private func freePorts() -> [Finding] {
        ListenerName.allCases.compactMap { name in
            let address = "\(name.defaultAddress)"
            guard let (host, port) = Self.split(address) else { return nil }
            let shown = name.isUDP ? "\(address)/udp" : address
            switch PortProbe.bind(host: host, port: port, isUDP: name.isUDP) {
            case .done: return .ok(name.rawValue, "\(shown) is free")
            case .refused(let reason):
                return .problem(
                    name.rawValue,
                    "\(shown) cannot be used: \(reason)",
                    remedy: "stop what uses it, or give another port: --listen \(name.rawValue)=\(host):PORT"
                )
            }
        }
    }

    private static func split(_ address: String) -> (host: String, port: Int)? {
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]) else {
            return nil
        }
        let host = address[..<colon]
        return (host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host), port)
    }

    // MARK: Store

    /// The figures of the store that the server's metrics show.
    private func figures(_ client: ServerClient) async -> [Finding] {
        guard let body = try? await client.get("/metrics") else { return [] }
        var figures: [String: Double] = [:]
        for line in String(decoding: body, as: UTF8.self).split(separator: "\n") where line.hasPrefix("skein_store_") {
            let parts = line.split(separator: " ")
            if parts.count == 2, let value = Double(parts[1]) {
                figures[String(parts[0].dropFirst("skein_store_".count))] = value
            }
        }
        var findings: [Finding] = []
        func whole(_ name: String) -> Int? { figures[name].flatMap { Int(exactly: $0.rounded()) } }
        if let failed = whole("log_syncs_failed_total"), failed > 0 {
            findings.append(
                .problem("log", "\(Figures.count(failed, "sync")) failed", remedy: "check the disk of the data folder")
            )
        } else if let bytes = whole("log_bytes") {
            findings.append(.ok("log", "\(Figures.bytes(UInt64(max(bytes, 0)))) open, no sync failed"))
        }
        if let spans = whole("head_spans") { findings.append(.ok("head", "\(Figures.count(spans, "span")) in memory")) }
        if let blocks = whole("blocks") { findings.append(.ok("blocks", Figures.count(blocks, "block"))) }
        return findings
    }
}
