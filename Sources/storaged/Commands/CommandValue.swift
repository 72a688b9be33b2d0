import ArgumentParser
import StorageCore

/// Values of the commands' own flags, in the formats of the settings.
enum CommandValue {
    static func duration(_ text: String, in range: ClosedRange<Duration>) throws -> Duration {
        try value(text, .duration(in: range))
    }

    /// A limit of an account: a number, `none`, or `default` for what the settings say.
    static func limit(_ text: String, isSize: Bool) throws -> QuotaLimit {
        guard text.asciiLowercased != "default" else { return QuotaLimit(value: nil) }
        let range: ClosedRange<Int64> = 0...(1 << 62)
        let format: ValueFormat<Int64?> = .orNone(isSize ? .size(in: range) : .count(in: range))
        return QuotaLimit(value: try value(text, format) ?? ContainerLimits.unlimited)
    }

    /// An address of a database, which a refusal never shows as it is: it may hold a password.
    static func database(_ text: String, of flag: String) throws -> StoragedConfiguration.Database.Location {
        let format = ValueFormat<StoragedConfiguration.Database.Location>.databaseLocation
        do throws(ValueRefusal) {
            return try format.value(of: text)
        } catch {
            let shown = format.shown(text).quotedForDisplay
            throw ValidationError("\(flag): \(shown) is not acceptable; \(error.cure)")
        }
    }

    /// A store of bytes.
    static func place(_ text: String, of flag: String) throws -> StoragedConfiguration.Blobs.Place {
        do throws(ValueRefusal) {
            return try ValueFormat<StoragedConfiguration.Blobs.Place>.blobPlace.value(of: text)
        } catch {
            throw ValidationError("\(flag): \(text.quotedForDisplay) is not acceptable; \(error.cure)")
        }
    }

    private static func value<Value>(_ text: String, _ format: ValueFormat<Value>) throws -> Value {
        do throws(ValueRefusal) {
            return try format.value(of: text)
        } catch {
            throw ValidationError("\(text.quotedForDisplay) is not acceptable; \(error.cure)")
        }
    }
}
