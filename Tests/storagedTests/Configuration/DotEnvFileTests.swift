import Testing

@testable import storaged

@Suite(".env files")
struct DotEnvFileTests {
    private func texts(_ text: String) -> [String: String] {
        DotEnvFile(Array(text.utf8), name: ".env").variables.mapValues(\.text)
    }

    @Test(
        "one line gives one value",
        arguments: [
            ("A=b", "b"), ("A = b", "b"), ("\tA\t=\tb\t", "b"), ("export A=b", "b"), ("export  A = b", "b"), ("A=", ""),
            ("A= ", ""), ("A=b c  d ", "b c  d"), ("A=b # c", "b"), ("A=b#c", "b#c"), ("A=#c", "#c"), ("A= #c", ""),
            ("A=b\r", "b"), ("A='b # c'", "b # c"), ("A=\"b # c\" # d", "b # c"), ("A='b\\n'", "b\\n"),
            ("A=\"b\\n\\t\\\"\\\\\\$c\"", "b\n\t\"\\$c"), ("A=\"\\x\"", "\\x"), ("A=''", ""), ("A=\"a\nb\"", "a\nb"),
            ("A=b=c==", "b=c=="), ("A=b'c'", "b'c'"), ("A=${B}", "${B}"), ("\u{FEFF}A=b", "b"), ("A=1\nA=2", "2"),
            ("A=пароль", "пароль"), ("A=\"b\"\r\n", "b"),
        ])
    func line(text: String, value: String) {
        #expect(texts(text)["A"] == value)
    }

    @Test("export is a name like any other where it is assigned to")
    func exportAsName() {
        #expect(texts("export=b") == ["export": "b"])
    }

    @Test(
        "lines without an assignment assign nothing",
        arguments: ["", "\n\n", "# A=b", "  # A=b", "A", "A # b", "export A"])
    func noAssignment(text: String) {
        let file = DotEnvFile(Array(text.utf8), name: ".env")
        #expect(file.variables.isEmpty)
        #expect(file.problems.isEmpty)
    }

    @Test(
        "a broken line is a problem that names the line and not its text, and the others still count",
        arguments: ["hunter2 hunter2", "=hunter2", "B='hunter2", "B=\"hunter2", "B='hunter2' x", "B: hunter2"])
    func broken(line: String) {
        let file = DotEnvFile(Array("A=1\n\(line)\nC=3\n".utf8), name: ".env")
        #expect(file.problems.count == 1)
        #expect(file.problems.first?.description.hasPrefix(".env, line 2: ") == true)
        #expect(file.problems.first?.description.contains("hunter2") == false)
        #expect(file.variables.mapValues(\.text) == ["A": "1", "C": "3"])
    }

    @Test("bytes that are no UTF-8 are a problem of their line")
    func invalidUTF8() {
        let file = DotEnvFile(Array("A=1\nB=".utf8) + [0xFF, 0x0A] + Array("C=3".utf8), name: ".env")
        #expect(file.problems.map(\.description) == [".env, line 2: this is not UTF-8; write it in UTF-8"])
        #expect(file.variables.mapValues(\.text) == ["A": "1", "C": "3"])
    }

    @Test("no prefix of a file and no single wrong byte ends the process")
    func survivesAnything() {
        let text = Array("export A = \"b\\n\" # c\nB='d\ne' \r\n= x\n\"\\".utf8)
        var variables = 0
        for length in 0...text.count {
            variables += DotEnvFile(Array(text[..<length]), name: ".env").variables.count
        }
        for index in text.indices {
            for byte in [0, 0x0A, 0x22, 0x27, 0x3D, 0x5C, 0xFF] as [UInt8] {
                var broken = text
                broken[index] = byte
                variables += DotEnvFile(broken, name: ".env").variables.count
            }
        }
        #expect(variables > 0)
    }
}
