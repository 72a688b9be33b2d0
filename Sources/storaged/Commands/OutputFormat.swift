import ArgumentParser

/// How a command prints what it has to say: for people, or with `--json` for programs.
struct OutputFormat: ParsableArguments {
    @Flag(help: "print one JSON object a line")
    var json = false

    /// Prints one thing.
    func write(_ value: some Encodable, _ text: @autoclosure () -> String) throws {
        try StandardOutput.write(line: json ? JSONLine.text(of: value) : text())
    }

    /// Prints what the body passes on: each at once as JSON, all of them as a table for people.
    func writeTable<Row: TableRow>(of _: Row.Type, _ body: ((Row) throws -> Void) async throws -> Void) async throws {
        var table = Row.table
        try await body { row in
            if json { try StandardOutput.write(line: JSONLine.text(of: row)) } else { row.add(to: &table) }
        }
        if !json { try StandardOutput.write(line: table.text) }
    }
}

/// One of many things that a command lists.
protocol TableRow: Encodable {
    /// The table with its header alone.
    static var table: TextTable { get }

    func add(to table: inout TextTable)
}
