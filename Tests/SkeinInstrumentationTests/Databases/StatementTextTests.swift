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

        @Test(arguments: [
            ("select * from \"player\" join team", "SELECT", "SELECT player"),
            ("INSERT OR REPLACE INTO player VALUES (1)", "INSERT", "INSERT player"),
            ("UPDATE OR IGNORE player SET a = 1", "UPDATE", "UPDATE player"),
            ("CREATE TABLE IF NOT EXISTS player (id)", "CREATE", "CREATE player"),
            ("BEGIN IMMEDIATE TRANSACTION", "BEGIN", "BEGIN"), ("-- nothing", "", ""),
        ])
        func `a statement is summed up by what it does to which table`(sql: String, operation: String, summary: String)
        {
            #expect(StatementText(sql).operation == operation)
            #expect(StatementText(sql).summary == summary)
        }
    }
#endif
