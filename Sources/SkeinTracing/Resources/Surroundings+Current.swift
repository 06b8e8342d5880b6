// SPDX-License-Identifier: Apache-2.0
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Surroundings {
    /// Those of this process, read when it is called. What the system does not tell is left out.
    package static func current() -> Surroundings {
        var surroundings = Surroundings()
        surroundings.environment = ProcessInfo.processInfo.environment
        surroundings.file = { read($0, byteCountMax: $1) }
        surroundings.hostName = hostName
        surroundings.processID = Int(getpid())
        surroundings.arguments = CommandLine.arguments
        surroundings.executablePath = executablePath
        surroundings.instanceID = thisInstance
        surroundings.architecture = architecture
        surroundings.operatingSystem = operatingSystem
        surroundings.kernelVersion = kernelVersion
        surroundings.swiftVersion = swiftVersion
        return surroundings
    }

    /// The same whenever it is asked for.
    private static let thisInstance = UUID().uuidString.lowercased()

    /// Reads nothing but regular files: a pipe might keep it waiting.
    static func read(_ path: String, byteCountMax: Int) -> FileReading {
        let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return .unreadable(String(cString: strerror(errno))) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return .unreadable("it is no regular file")
        }
        // Files of /proc do not know their length.
        var bytes: [UInt8] = []
        let pieceByteCount = 16_384
        while bytes.count <= byteCountMax {
            var failure: Int32 = 0
            let piece = [UInt8](unsafeUninitializedCapacity: pieceByteCount) { buffer, count in
                var result = -1
                repeat {
                    #if canImport(Darwin)
                        result = Darwin.read(file, buffer.baseAddress, pieceByteCount)
                    #elseif canImport(Musl)
                        result = Musl.read(file, buffer.baseAddress, pieceByteCount)
                    #else
                        result = Glibc.read(file, buffer.baseAddress, pieceByteCount)
                    #endif
                } while result < 0 && errno == EINTR
                failure = result < 0 ? errno : 0
                count = max(result, 0)
            }
            if failure != 0 { return .unreadable(String(cString: strerror(failure))) }
            if piece.isEmpty { return .bytes(bytes) }
            bytes += piece
        }
        return .tooLong
    }

    /// What the machine calls itself, without asking a name server.
    private static var hostName: String? {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, bytes.count - 1) == 0 else { return nil }
        return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static var kernelVersion: String? {
        var names = utsname()
        guard uname(&names) == 0 else { return nil }
        return withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static var executablePath: String? {
        #if os(Linux)
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        #else
            Bundle.main.executablePath
        #endif
    }

    private static var architecture: String? {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #elseif arch(arm)
            "arm32"
        #elseif arch(i386)
            "x86"
        #elseif arch(s390x)
            "s390x"
        #elseif arch(powerpc64) || arch(powerpc64le)
            "ppc64"
        #else
            nil
        #endif
    }

    private static var operatingSystem: String? {
        #if os(Linux)
            "linux"
        #elseif canImport(Darwin)
            "darwin"
        #else
            nil
        #endif
    }

    private static var swiftVersion: String {
        #if compiler(>=6.5)
            "6.5"
        #elseif compiler(>=6.4)
            "6.4"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}
