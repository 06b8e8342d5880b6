// SPDX-License-Identifier: Apache-2.0
#if GRDB
    import Testing

    @testable import SkeinGRDB

    @Suite struct StatementTextTests {
        @Test(arguments: [
            (
                "SELECT * FROM player WHERE name = 'O''Hara' AND score > 10",
                "SELECT * FROM player WHERE name = ? AND score > ?"
            ),
            ("insert into t2 values (x'00ff', -1.5e-3, 0xFF, .5, NULL)", "insert into t2 values (?, -?, ?, ?, NULL)"),
            (
                "SELECT a1, \"b 2\" FROM [c 3] -- secret 1\n  WHERE /* 'x' */ d=?1",
                "SELECT a1, \"b 2\" FROM [c 3] WHERE d=?1"
            ),
            ("SELECT :name, @at, $dollar, ?", "SELECT :name, @at, $dollar, ?"),
            ("SELECT 'never closed", "SELECT ?"), ("", ""),
        ])
        func `values are left out, names and parameters stay`(sql: String, sanitized: String) {
            #expect(StatementText(sql).sanitized == sanitized)
        }

        @Test func `double quotes hold values where they may`() {
            #expect(StatementText("SELECT \"secret\"", doubleQuotesAreTexts: true).sanitized == "SELECT ?")
        }

        @Test(arguments: [8_190, 8_191, 8_192])
        func `a text is cut at 8 KiB, not within a character`(bytes: Int) {
            let start = "SELECT " + String(repeating: "a", count: bytes - 7)
            #expect(StatementText(start).sanitized == start)
            #expect(StatementText(start + "éb").sanitized == (bytes == 8_190 ? start + "é…" : start + "…"))
            #expect(StatementText.cut((start + "éb").utf8) == (bytes == 8_190 ? start + "é…" : start + "…"))
        }

        @Test(arguments: [
            ("select * from \"player\" join team", "SELECT", "SELECT player"),
            ("INSERT OR REPLACE INTO player VALUES (1)", "INSERT", "INSERT player"),
            ("UPDATE OR IGNORE player SET a = 1", "UPDATE", "UPDATE player"),
            ("CREATE TABLE IF NOT EXISTS player (id)", "CREATE", "CREATE player"),
            ("BEGIN IMMEDIATE TRANSACTION", "BEGIN", "BEGIN"), ("-- nothing", "", ""),
            ("SELECT COUNT(*) FROM (SELECT * FROM player)", "SELECT", "SELECT player"),
            ("SELECT * FROM (VALUES (1))", "SELECT", "SELECT"),
            ("SELECT \"from\" FROM main . \"player\" AS p", "SELECT", "SELECT main.player"),
            ("SELECT * FROM 'player' WHERE a = 1", "SELECT", "SELECT"),
            ("CREATE TRIGGER t AFTER UPDATE ON x BEGIN INSERT INTO log VALUES (1); END", "CREATE", "CREATE t"),
            ("CREATE VIEW IF NOT EXISTS v AS SELECT * FROM player", "CREATE", "CREATE v"),
            ("DROP TABLE main.player", "DROP", "DROP main.player"),
        ])
        func `a statement is summed up by what it does to which table`(sql: String, operation: String, summary: String)
        {
            #expect(StatementText(sql).operation == operation)
            #expect(StatementText(sql).summary == summary)
        }
    }
#endif
