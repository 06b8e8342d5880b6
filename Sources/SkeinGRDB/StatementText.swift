// SPDX-License-Identifier: Apache-2.0
#if GRDB
    /// A statement without its values, as it may be shown (OpenTelemetry semantic conventions 1.45, "Sanitization of
    /// `db.query.text`").
    struct StatementText: Equatable {
        /// The statement with `?` in place of texts, numbers and blobs, without comments, and with one blank between words.
        private(set) var sanitized: String
        /// The first word, in capitals: `SELECT`.
        private(set) var operation: String
        /// The operation and the first table that it names: `SELECT player`.
        private(set) var summary: String

        /// Reads `sql`. Where `doubleQuotesAreTexts`, what stands in double quotes is taken for a value too.
        init(_ sql: String, doubleQuotesAreTexts: Bool = false) {
            var scanner = Scanner(bytes: Array(sql.utf8), doubleQuotesAreTexts: doubleQuotesAreTexts)
            scanner.run()
            sanitized = String(decoding: scanner.output, as: UTF8.self)
            operation = scanner.words.first.map { $0.uppercased() } ?? ""
            summary = operation
            if let table = Self.table(scanner.words) { summary += " \(table)" }
        }

        /// The word behind `FROM`, `INTO`, `UPDATE` or `TABLE`.
        private static func table(_ words: [String]) -> String? {
            guard
                let index = words.firstIndex(where: {
                    ["FROM", "INTO", "UPDATE", "TABLE", "INDEX"].contains($0.uppercased())
                })
            else { return nil }
            let between: Set = ["IF", "NOT", "EXISTS", "OR", "ROLLBACK", "ABORT", "REPLACE", "FAIL", "IGNORE"]
            return words[(index + 1)...].first { !between.contains($0.uppercased()) }
        }

        /// Goes through a statement once, byte by byte (SQLite's "How SQLite tokenizes" and "SQL as understood by SQLite").
        private struct Scanner {
            let bytes: [UInt8]
            let doubleQuotesAreTexts: Bool
            var output: [UInt8] = []
            /// Names and key words in their order, without quotes; as many as the summary can need.
            var words: [String] = []
            var position = 0

            private static let wordCountMax = 64

            mutating func run() {
                output.reserveCapacity(bytes.count)
                while position < bytes.count {
                    let byte = bytes[position]
                    switch byte {
                    case UInt8(ascii: "'"): value { $0.skipQuoted(byte) }
                    case UInt8(ascii: "\""):
                        if doubleQuotesAreTexts { value { $0.skipQuoted(byte) } } else { name { $0.skipQuoted(byte) } }
                    case UInt8(ascii: "`"): name { $0.skipQuoted(byte) }
                    case UInt8(ascii: "["): name { $0.skipQuoted(UInt8(ascii: "]")) }
                    case UInt8(ascii: "-") where next == UInt8(ascii: "-"): skipLine()
                    case UInt8(ascii: "/") where next == UInt8(ascii: "*"): skipComment()
                    case UInt8(ascii: "x"), UInt8(ascii: "X"):
                        if next == UInt8(ascii: "'") {
                            position += 1
                            value { $0.skipQuoted(UInt8(ascii: "'")) }
                        } else {
                            word()
                        }
                    case _ where byte.isDigit || byte == UInt8(ascii: ".") && next?.isDigit == true:
                        value { $0.skipWord() }
                    case UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "$"): parameter()
                    case _ where byte.isWord: word()
                    case _ where byte.isBlank: blank()
                    default:
                        output.append(byte)
                        position += 1
                    }
                }
                while output.last?.isBlank == true { output.removeLast() }
            }

            private var next: UInt8? { position + 1 < bytes.count ? bytes[position + 1] : nil }

            private mutating func value(_ skip: (inout Scanner) -> Void) {
                skip(&self)
                output.append(UInt8(ascii: "?"))
            }

            private mutating func name(_ skip: (inout Scanner) -> Void) {
                let start = position
                skip(&self)
                output += bytes[start..<position]
                guard words.count < Self.wordCountMax else { return }
                words.append(String(decoding: bytes[start..<position].dropFirst().dropLast(), as: UTF8.self))
            }

            private mutating func word() {
                let start = position
                while position < bytes.count, bytes[position].isWord || bytes[position].isDigit { position += 1 }
                output += bytes[start..<position]
                guard words.count < Self.wordCountMax else { return }
                words.append(String(decoding: bytes[start..<position], as: UTF8.self))
            }

            private mutating func parameter() {
                output.append(bytes[position])
                position += 1
                while position < bytes.count, bytes[position].isWord || bytes[position].isDigit {
                    output.append(bytes[position])
                    position += 1
                }
            }

            private mutating func blank() {
                if let last = output.last, !last.isBlank { output.append(UInt8(ascii: " ")) }
                position += 1
            }

            /// To behind the quote that closes; two of them stand for one.
            private mutating func skipQuoted(_ quote: UInt8) {
                position += 1
                while position < bytes.count {
                    guard bytes[position] == quote else {
                        position += 1
                        continue
                    }
                    guard next == quote, quote != UInt8(ascii: "]") else {
                        position += 1
                        return
                    }
                    position += 2
                }
            }

            /// To behind a number such as `1.5e-3` or `0xFF`.
            private mutating func skipWord() {
                while position < bytes.count {
                    let byte = bytes[position]
                    let isSign = byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
                    let isExponent = position > 0 && (bytes[position - 1] | 0x20) == UInt8(ascii: "e")
                    guard byte.isDigit || byte.isWord || byte == UInt8(ascii: ".") || isSign && isExponent else {
                        return
                    }
                    position += 1
                }
            }

            private mutating func skipLine() {
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            }

            private mutating func skipComment() {
                position += 2
                while position < bytes.count {
                    if bytes[position] == UInt8(ascii: "*"), next == UInt8(ascii: "/") {
                        position += 2
                        break
                    }
                    position += 1
                }
                if let last = output.last, !last.isBlank { output.append(UInt8(ascii: " ")) }
            }
        }
    }

    extension UInt8 {
        fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
        fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || (9...13).contains(self) }
        /// Whether a name may have it, beside digits.
        fileprivate var isWord: Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) || self == UInt8(ascii: "_") || self >= 0x80
        }
    }
#endif
