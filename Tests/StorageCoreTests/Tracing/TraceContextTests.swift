import Testing

@testable import StorageCore

@Suite("TraceContext")
struct TraceContextTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"

    @Test("goes on with a trace, in a span of its own")
    func child() throws {
        let context = try #require(
            TraceContext(traceparent: "00-\(Self.trace)-\(Self.span)-01", tracestate: ["a=1", "b@c=2, d=3"]))
        #expect(context.traceID == Self.trace)
        #expect(context.traceparent == "00-\(Self.trace)-\(Self.span)-01")
        #expect(context.state == "a=1,b@c=2, d=3")
        let (one, two) = (context.child(), context.child())
        for child in [one, two] {
            #expect(child.traceparent.hasPrefix("00-\(Self.trace)-"))
            #expect(child.traceparent.hasSuffix("-01"))
            #expect(child.traceparent.utf8.count == 55)
            #expect(child.state == context.state)
            #expect(child.traceparent != context.traceparent)
        }
        #expect(one != two)
    }

    @Test(
        "takes what the recommendation allows",
        arguments: [
            ("00-\(trace)-\(span)-00", "00"), ("00-\(trace)-\(span)-ff", "01"), ("00-\(trace)-\(span)-02", "00"),
            // Versions to come: what is known of them is read.
            ("01-\(trace)-\(span)-01", "01"), ("cc-\(trace)-\(span)-01-what-the-future-brings", "01"),
            ("fe-\(trace)-\(span)-01-", "01"),
        ])
    func taken(text: String, flags: String) throws {
        let context = try #require(TraceContext(traceparent: text))
        #expect(context.traceparent == "00-\(Self.trace)-\(Self.span)-\(flags)")
    }

    @Test(
        "refuses what it does not",
        arguments: [
            "", "-", "00", "00-\(trace)-\(span)", "00-\(trace)-\(span)-", "00-\(trace)-\(span)-0",
            "00-\(trace)-\(span)-01-", "00-\(trace)-\(span)-01-x", "00-\(trace)-\(span)-001", "ff-\(trace)-\(span)-01",
            "cc-\(trace)-\(span)-01.x", "0-\(trace)-\(span)-01", " 00-\(trace)-\(span)-01", "00-\(trace)-\(span)-01 ",
            "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-\(span.uppercased())-01", "0G-\(trace)-\(span)-01",
            "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01",
            "00_\(trace)-\(span)-01", "00-\(trace)_\(span)-01", "00-\(trace)-\(span)_01", "00-\(trace)-\(span)-0x",
            "00-\(trace.dropLast())é-\(span)-01", "00-\(trace)-\(span)-01, 00-\(trace)-\(span)-01",
            String(repeating: "0", count: 55), String(repeating: "-", count: 55), String(repeating: "a", count: 4_000),
        ])
    func refused(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test("passes on a list of what services want known, as long as it is one")
    func state() throws {
        let long = "a=" + String(repeating: "x", count: 256)
        for (fields, expected) in [
            (["a=1"], "a=1"), (["a=1", "b=2"], "a=1,b=2"), (["a=1,,b=2 "], "a=1,,b=2 "), ([long], long),
            (["0t@s=v w!"], "0t@s=v w!"),
            ([], nil), ([""], nil), ([","], nil), (["a"], nil), (["=1"], nil), (["a="], nil), (["A=1"], nil),
            (["a=1,a=2"], nil), (["a=é"], nil), (["a=1=2"], nil), (["a=\u{7F}"], nil), ([long + "x"], nil),
            (["t@=1"], nil), (["t@s@u=1"], nil), (["0a=1"], nil), (["t@0s=1"], nil),
            ([(0..<33).map { "k\($0)=1" }.joined(separator: ",")], nil), ([long + ",b=" + long.dropFirst(2)], nil),
        ] as [([String], String?)] {
            let context = try #require(
                TraceContext(traceparent: "00-\(Self.trace)-\(Self.span)-01", tracestate: fields))
            #expect(context.state == expected, "\(fields)")
        }
    }

    @Test("begins traces that are told apart and can be gone on with")
    func fresh() {
        let (one, two) = (TraceContext(), TraceContext())
        #expect(one.traceID != two.traceID)
        #expect(TraceContext(traceparent: one.traceparent) == one)
        #expect(TraceContext.current == nil)
    }
}
