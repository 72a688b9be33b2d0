import StorageCore
import Testing

@Suite("FilePath")
struct FilePathTests {
    private static let segment255 = String(repeating: "s", count: 255)

    static let valid: [String] = [
        "a", "a/b", "a/b/c.txt", ".a", "a.", "...", "....", "a/...", ".a/..b", "..a", "a..", ". .", " ", "a b", " a ",
        "~", "~root",
        "-rf", "--", "*", "?", "\"", "'", "`", "$HOME", "$(x)", ";", "|", "&", "<a>", "\\", "..\\a", "a\\..\\b",
        "%2e%2e", "%2F",
        "%00", "+", "a+b", ":", "C:", "CON", "NUL", "a:b", "#", "a?b=c", "{}", "[a]", "привет/мир", "\u{E9}",
        "e\u{301}", "日本/語",
        "\u{1F600}", "\u{10FFFF}", "\u{FEFF}a", "\u{200B}", "\u{202E}gpj.exe", "\u{A0}", "\u{FFFD}", "a\u{301}/b",
        "\u{FF0F}",
        "\u{2024}\u{2024}", "by-hash/x", segment255, "\(segment255)/\(segment255)/\(segment255)/\(segment255)",
        String(repeating: "a/", count: 511) + "aa",
    ]

    @Test("A path of any valid UTF-8 is kept byte for byte", arguments: valid)
    func keepsBytes(_ text: String) throws {
        let path = try FilePath(text)
        #expect(path.bytes == Array(text.utf8))
        #expect(path.text.utf8.elementsEqual(text.utf8))
        #expect(path.description.utf8.elementsEqual("/\(text)".utf8))
    }

    @Test("One leading slash is dropped", arguments: ["a", "a/b", "..."])
    func dropsSlash(_ text: String) throws {
        let path = try FilePath("/\(text)")
        #expect(path.bytes == Array(text.utf8))
    }

    static let invalidTexts: [String] = [
        "", "/", "//", "///", "//a", "a/", "a//", "a//b", "/a/", ".", "..", "./", "../", "./a", "../a", "a/.", "a/..",
        "a/./b",
        "a/../b", "/.", "/..", "/../etc/passwd", "../../..", "a/b/../../..", "\0", "a\0", "a\0b", "\n", "a\nb",
        "a\r\nb", "\r",
        "a\tb", "\u{1}", "\u{1B}[31m", "\u{1F}", "\u{7F}", "a\u{7F}b", "\u{80}", "\u{85}", "a\u{9F}", "a/\u{9B}/b",
        // The combining mark joins the slash or dots before it to one character; the bytes are still theirs.
        "a//\u{301}b\0", "../\u{301}", "a/..//\u{301}", "./\u{301}", "/\u{301}/../b", "a/\u{20DD}/..", "a//\u{FE0F}/b",
        segment255 + "s", "a/\(segment255)s", String(repeating: "ä", count: 128),
        String(repeating: "a/", count: 512) + "a",
        String(repeating: "x", count: 1_025), String(repeating: "/", count: 2_000),
    ]

    @Test("A path with a bad segment, a control character or too many bytes is refused", arguments: invalidTexts)
    func refuses(_ text: String) {
        let error = #expect(throws: StorageError.self) { try FilePath(text) }
        #expect(error?.code == .invalidPath)
    }

    @Test("A slash with a combining mark behind it is a slash: the mark begins the next segment")
    func combiningMarkAfterSlash() throws {
        let path = try FilePath("a/\u{301}b")
        #expect(path.depth == 1)
        #expect(path.parent?.text == "a")
        #expect(Array(path.name) == Array("\u{301}b".utf8))
        #expect(path.isInside(try FilePath("a")))
    }

    static let invalidBytes: [[UInt8]] = [
        // Overlong forms of slash, dot and NUL.
        [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xF0, 0x80, 0x80, 0xAF], [0x2E, 0xC0, 0xAE], [0xC0, 0xAE, 0xC0, 0xAE],
        [0xC0, 0x80],
        [0xE0, 0x80, 0x80], [0xC1, 0xBF],
        // Surrogates, numbers beyond Unicode, bytes that are never UTF-8.
        [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80], [0xF4, 0x90, 0x80, 0x80],
        [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0x61, 0xFF, 0x62],
        // Sequences that are cut or begin in the middle.
        [0x80], [0xBF], [0xC3], [0x61, 0xC3], [0xC3, 0x2F, 0x61], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xC3, 0x28],
        // C1 controls in UTF-8, NUL and DEL as bytes.
        [0xC2, 0x80], [0xC2, 0x85], [0x61, 0xC2, 0x9F], [0x00], [0x61, 0x00, 0x62], [0x7F],
    ]

    @Test("Bytes that are no UTF-8, or controls, are refused", arguments: invalidBytes)
    func refusesBytes(_ bytes: [UInt8]) {
        let error = #expect(throws: StorageError.self) { try FilePath(bytes) }
        #expect(error?.code == .invalidPath)
    }

    @Test(
        "Letters whose bytes neighbour the C1 controls are allowed",
        arguments: ["\u{A0}", "\u{FF}", "\u{C0}", "\u{480}"])
    func neighboursOfControls(_ text: String) throws {
        #expect(try FilePath(text).bytes == Array(text.utf8))
    }

    @Test("Composed and decomposed letters, cases and wildcards are different paths")
    func differs() throws {
        let texts = ["\u{E9}", "e\u{301}", "a", "A", "\u{212A}", "k", "K", "%", "_"]
        let paths = Set(try texts.map { try FilePath($0) })
        #expect(paths.count == texts.count)
    }

    @Test("Name, parent, ancestors, depth and prefix follow the slashes")
    func parts() throws {
        let path = try FilePath("a/b/c")
        #expect(Array(path.name) == Array("c".utf8))
        #expect(path.parent == (try FilePath("a/b")))
        #expect(path.ancestors.map(\.text) == ["a", "a/b"])
        #expect(path.depth == 2)
        #expect(path.prefix == Array("a/b/c/".utf8))
        let top = try FilePath("a")
        #expect(Array(top.name) == Array("a".utf8))
        #expect(top.parent == nil)
        #expect(top.ancestors.isEmpty)
        #expect(top.depth == 0)
    }

    static let insides: [(String, String, Bool)] = [
        ("a", "a", true), ("a/b", "a", true), ("a/b/c", "a", true), ("ab", "a", false), ("a!", "a", false),
        ("a", "a/b", false),
        ("A/b", "a", false), ("b/a", "a", false), ("a0/b", "a", false),
    ]

    @Test("A path is inside itself and the folders above, not inside names that only begin alike", arguments: insides)
    func isInside(_ path: String, _ folder: String, _ expected: Bool) throws {
        #expect(try FilePath(path).isInside(FilePath(folder)) == expected)
    }

    @Test("Paths are ordered by their bytes")
    func order() throws {
        let texts = ["A", "a", "a!", "a/b", "a0", "aa", "b", "\u{E9}", "\u{43F}", "\u{FFFD}", "\u{10FFFF}"]
        let paths = try texts.map { try FilePath($0) }
        #expect(paths.shuffled().sorted() == paths)
    }

    @Test("An entry's path is checked like any other")
    func appending() throws {
        let folder = try FilePath("a/b")
        #expect(try folder.appending(Array("c/d".utf8)).text == "a/b/c/d")
        for bad in ["", "/c", "..", "c/", "\0", String(repeating: "s", count: 256)] {
            let error = #expect(throws: StorageError.self) { try folder.appending(Array(bad.utf8)) }
            #expect(error?.code == .invalidPath)
        }
        let long = try FilePath(String(repeating: "a/", count: 511) + "aa")
        #expect(throws: StorageError.self) { try long.appending(Array("b".utf8)) }
    }

    @Test("Random bytes are a path or refused, and a path never has what is forbidden")
    func randomBytes() throws {
        let alphabet: [UInt8] = [
            0x2F, 0x2E, 0x61, 0x00, 0x7F, 0x1F, 0xC2, 0x80, 0x9F, 0xA0, 0xC3, 0xA9, 0xCC, 0x81, 0xFF, 0xF0, 0x9F,
        ]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...8)).compactMap { _ in alphabet.randomElement() }
            guard let path = try? FilePath(bytes) else { continue }
            let segments = path.bytes.split(separator: 0x2F, omittingEmptySubsequences: false).map(Array.init)
            #expect(segments.allSatisfy { !$0.isEmpty && $0 != [0x2E] && $0 != [0x2E, 0x2E] })
            #expect(path.bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
            #expect(path.text.unicodeScalars.allSatisfy { !(0x80...0x9F).contains($0.value) && $0.value != 0xFFFD })
            #expect(try FilePath(path.bytes) == path)
        }
    }
}
