import ArgumentParser

/// Values of the commands' own flags, in the formats of the settings.
enum CommandValue {
    static func duration(_ text: String, in range: ClosedRange<Duration>) throws -> Duration {
        try value(text, .duration(in: range))
    }

    private static func value<Value>(_ text: String, _ format: ValueFormat<Value>) throws -> Value {
        do throws(ValueRefusal) {
            return try format.value(of: text)
        } catch {
            throw ValidationError("\(text.quotedForDisplay) is not acceptable; \(error.cure)")
        }
    }
}
