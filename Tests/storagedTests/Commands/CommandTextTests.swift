import Testing

@testable import storaged

@Suite("What commands print")
struct CommandTextTests {
    @Test(
        "sizes are rounded down to one decimal of the largest unit",
        arguments: [
            (0, "0 bytes"), (1, "1 byte"), (1_023, "1023 bytes"), (1_024, "1.0 KiB"), (1_535, "1.4 KiB"),
            (1_536, "1.5 KiB"), (1 << 20, "1.0 MiB"), ((1 << 20) - 1, "1023.9 KiB"), (5 << 40, "5.0 TiB"),
            (.max, "7.9 EiB"), (.min, "-8.0 EiB"), (-2_048, "-2.0 KiB"),
        ] as [(Int64, String)])
    func sizes(bytes: Int64, text: String) {
        #expect(ByteText.of(bytes) == text)
    }

    @Test("columns are aligned, nothing is behind the last, and no cell steers the terminal")
    func table() {
        var table = TextTable("LOGIN", "ROLE", "FILES")
        table.add("ann", "admin", "3")
        table.add("bob\u{1B}[2J", "user", "12")
        #expect(
            table.text == """
                LOGIN         ROLE   FILES
                ann           admin  3
                bob\\u{1b}[2J  user   12
                """)
    }

    @Test(
        "a bar shows the share of bytes, or of files where there are none, and never more than all",
        arguments: [
            (0, 0, 10, 1_000, "[....................]   0%  0 of 10 files, 0 bytes of 1000 bytes"),
            (5, 500, 10, 1_000, "[##########..........]  50%  5 of 10 files, 500 bytes of 1000 bytes"),
            (10, 1_200, 10, 1_000, "[####################] 100%  10 of 10 files, 1000 bytes of 1000 bytes"),
            (1, 0, 4, 0, "[#####...............]  25%  1 of 4 files"),
            (7, 0, 0, 0, "7 checked"), (7, 1_536, 0, 0, "7 checked, 1.5 KiB read"),
        ] as [(Int, Int64, Int, Int64, String)])
    func bar(items: Int, bytes: Int64, allItems: Int, allBytes: Int64, line: String) {
        #expect(ProgressBar.line(items: items, bytes: bytes, of: .init(items: allItems, bytes: allBytes)) == line)
    }

    @Test("a bar counts what it is told to count")
    func noun() {
        let rows = ProgressBar.Total(items: 4, noun: "rows copied")
        #expect(ProgressBar.line(items: 1, bytes: 0, of: rows) == "[#####...............]  25%  1 of 4 rows copied")
        let unknown = ProgressBar.Total(noun: "rows copied")
        #expect(ProgressBar.line(items: 7, bytes: 0, of: unknown) == "7 rows copied")
    }

    @Test(
        "names of files are shown as text, and as bytes where they are none",
        arguments: [
            (Array("a é".utf8), "a é"), ([0x61, 0x0A], "a\\u{a}"), ([0x61, 0xFF, 0x05], "a\\xff\\x05"), ([], ""),
        ] as [([UInt8], String)])
    func names(bytes: [UInt8], text: String) {
        #expect(LocalName.shown(bytes) == text)
    }

    @Test(
        "JSON has names as they are, and the bytes of those that are no text",
        arguments: [
            (Array("a\nb".utf8), #"{"event":"failed","name":"a\nb","name_bytes":null,"reason":"r"}"#),
            (Array(#"a\xff"#.utf8), #"{"event":"failed","name":"a\\xff","name_bytes":null,"reason":"r"}"#),
            ([0x61, 0xFF], #"{"event":"failed","name":"a\\xff","name_bytes":"Yf8=","reason":"r"}"#),
        ])
    func remarks(name: [UInt8], json: String) throws {
        let remark = try #require(ImportRemark(.failed(name: name, reason: "r")))
        #expect(try JSONLine.text(of: remark) == json)
    }

    @Test("JSON has sorted members in snake case, on one line")
    func json() throws {
        let report = ImportReport(stored: 2, bytes: 7, alreadyThere: 1)
        #expect(
            try JSONLine.text(of: report)
                == #"{"already_there":1,"bytes":7,"failed":0,"folders":0,"is_complete":true,"is_dry_run":false,"skipped":0,"stored":2,"updated":0}"#
        )
    }
}
