import Testing

@testable import StorageS3

@Suite("XML scanner")
struct XMLScannerTests {
    @Test(
        "reads elements and the texts of leaves",
        arguments: [
            ("<a/>", "(a )"), ("<a></a>", "(a )"), ("<a >x</a >", "(a x)"), ("<a><b>1</b><b/></a>", "(a (b 1)(b ))"),
            ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>x</a>\n", "(a x)"),
            (" \r\n\t<?xml version='1.0'?><!-- - -- --><a>x</a><!---->", "(a x)"),
            ("<a xmlns=\"http://x/\" b='>\"' c = \"/\">x</a>", "(a x)"), ("<n:a-b.c_1 x:y='1'/>", "(n:a-b.c_1 )"),
            ("<a>&lt;&gt;&amp;&quot;&apos;</a>", "(a <>&\"')"),
            ("<a>&#65;&#x41;&#x1F600;&#13;&#1;</a>", "(a AA😀\r\u{1})"),
            ("<a>x<!-- <b> & -->y</a>", "(a xy)"),
            ("<a>x<![CDATA[<b>&amp;]]]]><![CDATA[>]]>y</a>", "(a x<b>&amp;]]>y)"),
            ("<a> \n<b> x </b> \n</a>", "(a (b  x ))"), ("<a>left<b/>out</a>", "(a (b ))"),
            ("<a>ä\u{1234}😀</a>", "(a ä\u{1234}😀)"),
            ("<a>]]></a>", "(a ]]>)"), ("<a>\"'>/</a>", "(a \"'>/)"), ("<a><?x <b> ?>y</a>", "(a y)"),
            ("<a>\r\n</a>", "(a \r\n)"),
        ])
    func reads(document: String, read: String) {
        #expect(Reading(Array(document.utf8)).text == read)
    }

    @Test(
        "refuses what is none",
        arguments: [
            ("", .incomplete), (" ", .incomplete), ("<a>", .incomplete), ("<a", .incomplete),
            ("<a><b></b>", .incomplete),
            ("<?xml version='1.0'?>", .incomplete), ("<a/><", .incomplete), ("<a><!-- ", .incomplete),
            ("<a/><!-- ", .incomplete), ("<a>&amp;", .incomplete),
            ("x", .malformed), ("x<a/>", .malformed), ("<a/>x", .malformed), ("<a/><b/>", .malformed),
            ("<a></b>", .malformed), ("<a></a></a>", .malformed), ("</a>", .malformed), ("<>", .malformed),
            ("<a><></a>", .malformed), ("< a/>", .malformed), ("<a><b></a></b>", .malformed), ("<1a/>", .malformed),
            ("<a ä='1'/>", .malformed), ("<ä/>", .malformed), ("<a b/>", .malformed), ("<a b=c/>", .malformed),
            ("<a b='<'/>", .malformed),
            ("<a b='1'c='2'/>", .malformed), ("<a></a b='1'>", .malformed), ("</a/>", .malformed),
            ("<a>\u{1}</a>", .malformed),
            ("<a>\u{0}</a>", .malformed), ("{\"a\": 1}", .malformed), ("\u{FEFF}<a/>", .malformed),
            ("<![CDATA[x]]>", .malformed), ("<a></\u{212A}>", .malformed),
            ("<!DOCTYPE a><a/>", .declaration), ("<a><!ENTITY b 'c'></a>", .declaration), ("<a><!></a>", .declaration),
            ("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>", .declaration),
            ("<!-a/>", .declaration),
            ("<a>&x;</a>", .reference), ("<a>&</a>", .reference), ("<a>& </a>", .reference),
            ("<a>&amp</a>", .reference),
            ("<a>&;</a>", .reference), ("<a>&#;</a>", .reference), ("<a>&#x;</a>", .reference),
            ("<a>&#0;</a>", .reference),
            ("<a>&#xD800;</a>", .reference), ("<a>&#x110000;</a>", .reference), ("<a>&#99999999;</a>", .reference),
            ("<a>&#000000000065;</a>", .reference), ("<a>&#xG;</a>", .reference), ("<a>&#-1;</a>", .reference),
            ("<a>&AMP;</a>", .reference), ("<a>&amp<b/>;</a>", .reference), ("<a>&x;<b/></a>", .reference),
        ] as [(String, XMLFault)])
    func refuses(document: String, fault: XMLFault) {
        #expect(Reading(Array(document.utf8)) == .refused(fault))
    }

    @Test(
        "refuses what is no UTF-8 anywhere",
        arguments: [
            [0xFF], [0xC3], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF4, 0x90, 0x80, 0x80],
        ] as [[UInt8]])
    func refusesOtherEncodings(bytes: [UInt8]) {
        let documents: [(String, String)] = [
            ("<a>", "</a>"), ("<a>", "<b/></a>"), ("<a><!--", "--></a>"), ("<a><![CDATA[", "]]></a>"),
            ("<?x ", "?><a/>"),
        ]
        for (before, after) in documents {
            #expect(Reading(Array(before.utf8) + bytes + Array(after.utf8)) == .refused(.notText))
        }
        #expect(Reading(Array("<a b='".utf8) + bytes + Array("'/>".utf8)) == .refused(.notText))
        #expect(Reading([0xFF, 0xFE, 0x3C, 0x00, 0x61, 0x00]) == .refused(.malformed))
    }

    @Test(
        "keeps to its limits, to the byte",
        arguments: [
            ("<a>123456</a>", nil), ("<a>1234567</a>", .tooLong), ("<a>1234</a> <!---->", .tooLong),
            ("<a>12<b/>34567</a>", nil), ("<a><![CDATA[1]]></a>", .tooLong), ("<abcd/>", nil),
            ("<abcde/>", .tooLong),
            ("<a b='345678'/>", .tooLong), ("<a><b><c/></b></a>", nil), ("<a><b><c><d/></c></b></a>", .tooDeep),
        ] as [(String, XMLFault?)])
    func limits(document: String, fault: XMLFault?) {
        let limits = XMLScanner.Limits(bytes: 18, depth: 3, name: 4, text: 6, markup: 9)
        let longer = XMLScanner.Limits(bytes: 64, depth: 3, name: 4, text: 6, markup: 9)
        let reading = Reading(Array(document.utf8), limits: fault == .tooDeep || fault == nil ? longer : limits)
        #expect(fault.map { reading == .refused($0) } ?? (reading.text != nil))
    }

    @Test(
        "ends an endless document at its limit, with bounded memory",
        arguments: ["<a>", "<a/>", "x", " ", "<a", "<!--", "<![CDATA[", "<a b='", "&#", "<?", "<a><b>1</b>"])
    func endless(start: String) {
        let limits = XMLScanner.Limits(bytes: 1 << 20)
        var scanner = XMLScanner(limits: limits)
        let root = Array("<r>".utf8)
        _ = Reading.feed(root, to: &scanner)
        let piece = Array(String(repeating: start, count: 4_096 / start.utf8.count).utf8)
        var fed = root.count
        var isRefused = false
        while !isRefused, fed <= 2 << 20 {
            isRefused = Reading.feed(piece, to: &scanner) == nil
            fed += piece.count
        }
        #expect(isRefused && fed <= (1 << 20) + piece.count)
    }

    @Test("reads the same however a document is cut")
    func cuts() {
        let document =
            "<?xml version=\"1.0\"?>\n<!-- c --><a x='>' y=\"'\"><b>&#x41;ä&amp;z</b> <c/><d><![CDATA[<]]]>]]></d><?p?></a>\n"
        let bytes = Array(document.utf8)
        let whole = Reading(bytes)
        #expect(whole.text == "(a (b Aä&z)(c )(d <]]]>))")
        for size in 1...bytes.count { #expect(Reading(bytes, pieceSize: size) == whole) }
    }

    @Test("reads any bytes, however cut, to the same end", arguments: [1, 2, 3, 4] as [UInt64])
    func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let words =
            [
                "<", ">", "/>", "</", "<a>", "</a>", "<b/>", "&", ";", "&amp;", "&#x41;", "<!--", "-->", "<![CDATA[",
                "]]>", "<?",
                "?>", "'", "\"", "=", " ", "\n", "x", "ä", "<!DOCTYPE", "\u{0}",
            ].map { Array($0.utf8) } + [[0xFF], [0xC3]]
        for _ in 0..<5_000 {
            var document = Array("<a>".utf8)
            for _ in 0..<random.number(below: 12) { document += words[random.number(below: words.count)] }
            if random.number(below: 2) == 0 { document += Array("</a>".utf8) }
            let limits = XMLScanner.Limits(bytes: 48, depth: 4, name: 4, text: 16, markup: 24)
            let whole = Reading(document, limits: limits)
            #expect(Reading(document, limits: limits, pieceSize: 1 + random.number(below: 5)) == whole, "\(document)")
        }
    }
}

/// What came of reading a document.
private enum Reading: Equatable {
    /// Elements in parentheses, their names and texts.
    case read(String)
    case refused(XMLFault)

    init(_ bytes: [UInt8], limits: XMLScanner.Limits = XMLScanner.Limits(), pieceSize: Int = .max) {
        var scanner = XMLScanner(limits: limits)
        var text = ""
        var rest = bytes[...]
        do {
            while !rest.isEmpty {
                text += try Self.read(Array(rest.prefix(pieceSize)), with: &scanner)
                rest = rest.dropFirst(pieceSize)
            }
            try scanner.finish()
            self = .read(text)
        } catch {
            self = (error as? XMLFault).map(Reading.refused) ?? .read("\(error)")
        }
    }

    var text: String? {
        if case .read(let text) = self { text } else { nil }
    }

    /// What was read of the piece; nil for a refusal.
    static func feed(_ bytes: [UInt8], to scanner: inout XMLScanner) -> String? {
        try? read(bytes, with: &scanner)
    }

    private static func read(_ bytes: [UInt8], with scanner: inout XMLScanner) throws -> String {
        var text = ""
        try bytes.withUnsafeBytes { bytes in
            var position = 0
            while let event = try scanner.step(bytes, &position) {
                switch event {
                case .begin(let name): text += "(\(name) "
                case .end(_, let value): text += String(decoding: value, as: UTF8.self) + ")"
                }
            }
        }
        return text
    }
}
