// SPDX-License-Identifier: Apache-2.0
#if GRDB
    /// A statement without its values, as it may be shown (OpenTelemetry semantic conventions 1.45, "Sanitization of
    /// `db.query.text`").
    struct StatementText: Equatable {
        /// The statement with `?` in place of texts, numbers and blobs, without comments, and with one blank between words. What is
        /// behind the first 8 KiB is cut off, and `…` in its place.
        private(set) var sanitized: String
        /// The first word, in capitals: `SELECT`.
        private(set) var operation: String
        /// The operation and the first table that it names: `SELECT player`.
        private(set) var summary: String

        /// Bytes of a text that are recorded.
        static let byteCountMax = 8_192

        /// What statements begin with (SQLite's "SQL as understood by SQLite").
        static let operations: Set = [
            "ALTER", "ANALYZE", "ATTACH", "BEGIN", "COMMIT", "CREATE", "DELETE", "DETACH", "DROP", "END", "EXPLAIN",
            "INSERT", "PRAGMA", "REINDEX", "RELEASE", "REPLACE", "ROLLBACK", "SAVEPOINT", "SELECT", "UPDATE", "VACUUM",
            "VALUES", "WITH",
        ]

        /// Reads `sql`. Where `doubleQuotesAreTexts`, what stands in double quotes is taken for a value too.
        init(_ sql: String, doubleQuotesAreTexts: Bool = false) {
            var scanner = Scanner(bytes: Array(sql.utf8), doubleQuotesAreTexts: doubleQuotesAreTexts)
            scanner.run()
            sanitized = Self.cut(scanner.output)
            operation = scanner.tokens.first?.keyWord ?? ""
            summary = operation
            if let table = Self.table(scanner.tokens, operation) { summary += " \(table)" }
        }

        /// The first 8 KiB of a text and `…`, or all of one that is not longer.
        static func cut(_ text: some BidirectionalCollection<UInt8>) -> String {
            guard text.count > byteCountMax else { return String(decoding: text, as: UTF8.self) }
            var end = text.index(text.startIndex, offsetBy: byteCountMax)
            // Not within a character.
            while end > text.startIndex, UTF8.isContinuation(text[end]) { end = text.index(before: end) }
            return String(decoding: text[..<end], as: UTF8.self) + "…"
        }

        /// The name directly behind `FROM`, `INTO` or `UPDATE`, with that of its schema; or of what is created, dropped or altered.
        private static func table(_ tokens: [Token], _ operation: String) -> String? {
            let isDefinition = ["CREATE", "DROP", "ALTER"].contains(operation)
            let before: Set =
                isDefinition ? ["TABLE", "INDEX", "VIEW", "TRIGGER"] : ["FROM", "INTO", "UPDATE", "TABLE", "INDEX"]
            let between: Set = ["IF", "NOT", "EXISTS", "OR", "ROLLBACK", "ABORT", "REPLACE", "FAIL", "IGNORE"]
            for (index, token) in tokens.enumerated() where token.keyWord.map(before.contains) == true {
                let behind = tokens[(index + 1)...].drop { $0.keyWord.map(between.contains) == true }
                // A query in parentheses has a table of its own further on.
                guard var name = behind.first?.name else { continue }
                var rest = behind.dropFirst()
                while rest.first == .dot, let next = rest.dropFirst().first?.name {
                    name += ".\(next)"
                    rest = rest.dropFirst(2)
                }
                return name
            }
            return nil
        }

        /// What the summary is made of.
        private enum Token: Equatable {
            /// A key word, or a name without quotes.
            case word(String)
            /// A name in quotes, without them.
            case quoted(String)
            case dot
            /// A value, or a parenthesis that opens.
            case other

            /// In capitals.
            var keyWord: String? { if case .word(let word) = self { word.uppercased() } else { nil } }

            var name: String? {
                switch self {
                case .word(let name), .quoted(let name): name
                case .dot, .other: nil
                }
            }
        }

        /// Goes through a statement once, byte by byte (SQLite's "How SQLite tokenizes" and "SQL as understood by SQLite").
        private struct Scanner {
            let bytes: [UInt8]
            let doubleQuotesAreTexts: Bool
            var output: [UInt8] = []
            /// As many as the summary can need.
            var tokens: [Token] = []
            var position = 0

            private static let tokenCountMax = 128

            mutating func run() {
                output.reserveCapacity(min(bytes.count, StatementText.byteCountMax + 1))
                while position < bytes.count, output.count <= StatementText.byteCountMax {
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
                        if byte == UInt8(ascii: ".") { take(.dot) }
                        if byte == UInt8(ascii: "(") { take(.other) }
                        output.append(byte)
                        position += 1
                    }
                }
                while output.last?.isBlank == true { output.removeLast() }
            }

            private var next: UInt8? { position + 1 < bytes.count ? bytes[position + 1] : nil }

            private mutating func take(_ token: Token) {
                if tokens.count < Self.tokenCountMax { tokens.append(token) }
            }

            private mutating func value(_ skip: (inout Scanner) -> Void) {
                skip(&self)
                take(.other)
                output.append(UInt8(ascii: "?"))
            }

            private mutating func name(_ skip: (inout Scanner) -> Void) {
                let start = position
                skip(&self)
                output += bytes[start..<position]
                take(.quoted(String(decoding: bytes[start..<position].dropFirst().dropLast(), as: UTF8.self)))
            }

            private mutating func word() {
                let start = position
                while position < bytes.count, bytes[position].isWord || bytes[position].isDigit { position += 1 }
                output += bytes[start..<position]
                take(.word(String(decoding: bytes[start..<position], as: UTF8.self)))
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
