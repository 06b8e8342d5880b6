// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// CPU seconds per million spans of the codecs, over the bodies of a corpus (bench/README.md says how it is made and
// what its records are):  SkeinBenchmarks FILE.corpus [PASSES] [STAGE]
// STAGE is a codec, `engine` for the store alone: log, head, restart, blocks and queries, or `names` for what names and top
// values cost. Without a corpus:  SkeinBenchmarks cardinality [COUNT]  for as many distinct services, names, keys, values, and
// SkeinBenchmarks sampling [TRACES]  for a tail sampler in which as many traces wait.

/// CPU seconds of this process so far.
func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func readFile(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "rb") else { return [] }
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    let size = ftell(file)
    rewind(file)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        count = fread(buffer.baseAddress, 1, size, file)
    }
}

/// The request bodies of a corpus.
func bodies(_ file: UnsafeRawBufferPointer) throws -> [UnsafeRawBufferPointer] {
    var reader = ByteReader(file)
    try reader.skip(40)
    var bodies: [UnsafeRawBufferPointer] = []
    while !reader.isAtEnd {
        let length = Int(try reader.readLittleEndian(UInt32.self))
        _ = try reader.readLittleEndian(UInt32.self)
        let offsets = Int(try reader.readLittleEndian(UInt32.self)) + Int(try reader.readLittleEndian(UInt32.self))
        try reader.skip(8 + 4 * offsets)
        bodies.append(try reader.read(length))
    }
    return bodies
}

func report(_ name: String, spans: Int, bytes: Int, _ body: () throws -> Void) rethrows {
    let start = cpuSeconds()
    try body()
    let seconds = cpuSeconds() - start
    let perMillion = seconds / Double(spans) * 1e6
    print("\(name): \((perMillion * 1000).rounded() / 1000) CPU-s per million spans, \(bytes / spans) bytes a span")
}

guard CommandLine.arguments.count > 1 else {
    print(
        "usage: SkeinBenchmarks FILE.corpus [PASSES] [STAGE]\n       SkeinBenchmarks cardinality [COUNT [KIND]]\n"
            + "       SkeinBenchmarks sampling [TRACES]"
    )
    exit(2)
}
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "open" {
    try await CardinalityBenchmark.open(CommandLine.arguments[2])
    exit(0)
}
if CommandLine.arguments[1] == "cardinality" {
    let count = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 1_000_000
    let chosen = CommandLine.arguments.dropFirst(3).first
    for kind in CardinalityBenchmark.Kind.allCases where chosen == nil || chosen == kind.rawValue {
        let folder = "/tmp/skein-benchmark-\(UInt64.random(in: 0 ... .max))"
        try await CardinalityBenchmark(kind: kind, count: count, folder: folder).run()
    }
    exit(0)
}
if CommandLine.arguments[1] == "sampling" {
    let count = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 50_000
    try await SamplingBenchmark(traceCount: count).run()
    exit(0)
}
let file = readFile(CommandLine.arguments[1])
let passes = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 1 : 1
let stage = CommandLine.arguments.count > 3 ? CommandLine.arguments[3] : ""

if stage == "engine" || stage == "names" {
    // The file's bytes stay where they are until the process ends.
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: file.count, alignment: 16)
    memory.copyBytes(from: file)
    let folder = "/tmp/skein-benchmark-\(UInt64.random(in: 0 ... .max))"
    let requests = try bodies(UnsafeRawBufferPointer(memory))
    let engine = try EngineBenchmark(requests, passes: passes, folder: folder)
    if stage == "engine" {
        try await engine.run()
    } else {
        try await NamesBenchmark(engine.batches, folder: folder).run()
    }
    exit(0)
}

try file.withUnsafeBytes { file in
    let requests = try bodies(file)
    var decoder = OTLP.ProtobufDecoder()
    let batches = try requests.map { try decoder.decode($0, receivedUnixNanos: 0).batch }
    let spans = batches.reduce(0) { $0 + $1.count }
    var size = requests.reduce(0) { $0 + $1.count }
    print("\(requests.count) requests, \(spans) spans")
    let zipkin = ZipkinBodies(stage.isEmpty || stage == "zipkin" ? batches : [])
    let jaeger = JaegerBodies(stage.isEmpty || stage == "jaeger" ? batches : [])
    for _ in 0..<passes {
        if stage.isEmpty || stage == "zipkin" {
            var decoder = Zipkin.SpanDecoder()
            for (name, format, bodies) in [
                ("JSON", Zipkin.Format.jsonV2, zipkin.json), ("protobuf", .proto3, zipkin.proto3),
                ("Thrift", .thrift, zipkin.thrift),
            ] {
                let size = bodies.reduce(0) { $0 + $1.count }
                try report("decode Zipkin \(name)", spans: spans, bytes: size) {
                    for body in bodies {
                        try body.withUnsafeBytes { _ = try decoder.decode($0, as: format, receivedUnixNanos: 0) }
                    }
                }
            }
        }
        if stage.isEmpty || stage == "jaeger" {
            var thrift = Jaeger.ThriftDecoder()
            var protobuf = Jaeger.ProtobufDecoder()
            func report(_ name: String, _ bodies: [[UInt8]], _ decode: (UnsafeRawBufferPointer) throws -> DecodedSpans)
                throws
            {
                let size = bodies.reduce(0) { $0 + $1.count }
                var found = 0
                try SkeinBenchmarks.report("decode Jaeger \(name)", spans: spans, bytes: size) {
                    for body in bodies { found += try body.withUnsafeBytes { try decode($0).accepted } }
                }
                precondition(found == spans, "\(found) of \(spans) spans were read")
            }
            try report("compact Thrift", jaeger.compact) { try thrift.decodeCompact($0, receivedUnixNanos: 0) }
            try report("binary Thrift", jaeger.binary) { try thrift.decodeBinary($0, receivedUnixNanos: 0) }
            try report("Thrift over HTTP", jaeger.posted) { try thrift.decodeBatch($0, receivedUnixNanos: 0) }
            try report("protobuf", jaeger.protobuf) { try protobuf.decode($0, receivedUnixNanos: 0) }
        }
        if stage.isEmpty || stage == "decode" {
            try report("decode protobuf", spans: spans, bytes: size) {
                for request in requests { _ = try decoder.decode(request, receivedUnixNanos: 0) }
            }
        }
        if stage.isEmpty || stage == "encode" {
            var out = ByteWriter()
            size = 0
            for batch in batches {
                out.removeAll()
                OTLP.ProtobufEncoder.append(batch, to: &out)
                size += out.count
            }
            report("encode protobuf", spans: spans, bytes: size) {
                for batch in batches {
                    out.removeAll()
                    OTLP.ProtobufEncoder.append(batch, to: &out)
                }
            }
        }
        if stage.isEmpty || stage == "json" {
            var json = JSONWriter()
            size = 0
            var texts: [[UInt8]] = []
            for batch in batches {
                json.removeAll()
                OTLP.JSONEncoder(batch).write(to: &json)
                size += json.count
                texts.append(json.array())
            }
            report("encode JSON", spans: spans, bytes: size) {
                for batch in batches {
                    json.removeAll()
                    OTLP.JSONEncoder(batch).write(to: &json)
                }
            }
            var decoder = OTLP.JSONDecoder()
            try report("decode JSON", spans: spans, bytes: size) {
                for text in texts {
                    try text.withUnsafeBytes { _ = try decoder.decode($0, receivedUnixNanos: 0) }
                }
            }
        }
    }
}
