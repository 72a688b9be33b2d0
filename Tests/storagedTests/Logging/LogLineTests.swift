import Foundation
import Logging
import Testing

@testable import storaged

@Suite("Log lines")
struct LogLineTests {
    private static let time = LogTime(seconds: 1_767_225_599, microseconds: 42)

    private func line(
        _ format: LogFormat, _ message: String, _ metadata: [(key: String, value: Logger.MetadataValue)] = []
    ) -> String {
        String(
            decoding: LogLine(
                format, at: Self.time, level: .info, label: "storaged", message: message, metadata: metadata
            ).bytes,
            as: UTF8.self)
    }

    @Test(
        "a moment is RFC 3339 with microseconds",
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000000Z"), (951_827_696, 1, "2000-02-29T12:34:56.000001Z"),
            (1_767_225_599, 999_999, "2025-12-31T23:59:59.999999Z"), (1_767_225_600, 0, "2026-01-01T00:00:00.000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"), (1_709_164_800, 0, "2024-02-29T00:00:00.000000Z"),
            (-5, 0, "1970-01-01T00:00:00.000000Z"),
        ] as [(Int64, Int64, String)])
    func time(seconds: Int64, microseconds: Int64, text: String) {
        var bytes: [UInt8] = []
        LogTime(seconds: seconds, microseconds: microseconds).append(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test("text is time, level, label, message and pairs")
    func text() {
        #expect(
            line(.text, "file stored", [("id", "7"), ("path", "a b"), ("q", "a\"b=c"), ("none", "")])
                == "2025-12-31T23:59:59.000042Z info     storaged: file stored id=7 path=\"a b\" q=\"a\\\"b=c\" none=\"\"\n"
        )
    }

    @Test("JSON is one object with the pairs as members")
    func json() throws {
        let text = line(
            .json, "file \"stored\"",
            [
                ("count", .stringConvertible(7)), ("list", ["a", "b"]), ("map", ["k": "v", "a": "b"]),
                ("message", "mine"),
                ("ok", .stringConvertible(true)),
            ])
        #expect(
            text
                == #"{"time":"2025-12-31T23:59:59.000042Z","level":"info","logger":"storaged","message":"file \"stored\"","#
                + #""count":7,"list":["a","b"],"map":{"a":"b","k":"v"},"message_":"mine","ok":true}"# + "\n")
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        #expect(object?["message"] as? String == "file \"stored\"")
    }

    @Test(
        "whatever a client sends, a record is one line without control bytes, and JSON gives it back",
        arguments: [
            "a\nb", "a\r\nb", "\u{0}", "\u{1B}[31mred", "\u{7F}", "\u{85}\u{9B}x", "\u{2028}\u{2029}", "\u{202E}gnp",
            "\u{2066}x",
            "\\\"", "Привет 😀 é", String(repeating: "é", count: 5_000), "\u{200E}\u{E0}\u{C2}",
        ])
    func escaping(message: String) throws {
        for format in LogFormat.allCases {
            let text = line(format, message, [(message, .string(message))])
            #expect(text.utf8.count { $0 == 0x0A } == 1)
            #expect(text.utf8.last == 0x0A)
            #expect(
                text.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && (0x7F...0x9F ~= $0.value) == false })
            #expect(text.unicodeScalars.allSatisfy { (0x2028...0x202E ~= $0.value) == false })
        }
        let object = try JSONSerialization.jsonObject(with: Data(line(.json, message).utf8)) as? [String: Any]
        let expected = message.utf8.count <= 8_192 ? message : String(repeating: "é", count: 4_096) + "…"
        #expect(object?["message"] as? String == expected)
    }

    @Test("the handler writes what the record, the provider and itself know, the nearer one first")
    func handler() throws {
        let pipe = Pipe()
        let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider", "c": "provider"] }
        var handler = LineLogHandler(
            label: "l", format: .json, level: .debug, to: .descriptor(pipe.fileHandleForWriting.fileDescriptor),
            metadataProvider: provider)
        handler[metadataKey: "a"] = "handler"
        handler[metadataKey: "d"] = "handler"
        var logger = Logger(label: "l") { _ in handler }
        logger.logLevel = .debug
        logger.debug("m", metadata: ["c": "record"])
        logger.trace("not written")
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(text.hasSuffix(#""message":"m","a":"provider","b":"provider","c":"record","d":"handler"}"# + "\n"))
        #expect(text.utf8.count { $0 == 0x0A } == 1)
    }
}
