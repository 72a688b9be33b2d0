import StorageS3

/// Where the bytes are to lie, judged as a whole: what of it has no effect, and what is wrong together.
struct BlobSettings: Sendable {
    private let values: ConfigurationValues
    /// Of what can be read; nil where a text is none.
    private let store: StoragedConfiguration.Blobs.Store?
    private let fallback: StoragedConfiguration.Blobs.Place?

    init(_ values: ConfigurationValues) {
        self.values = values
        store = try? values[Keys.blobsStore]
        fallback = (try? values[Keys.blobsFallback]) ?? nil
    }

    private var usesBucket: Bool { store == .s3 || fallback == .s3 }

    /// Whether a value may be any text, because nothing comes of it and it may be meant for another program.
    func isIdle(_ value: ConfigurationValues.Value) -> Bool {
        !usesBucket && Self.isOfBucket(value) && value.origin.isVariable
    }

    // MARK: What has no effect

    /// What was given for a bucket where nothing lies in one, and for copies of what lies there.
    var notices: [String] {
        let reason =
            given(Keys.blobsStore).map { "\($0.key.name) (\($0.origin)) is \($0.text.escapedForDisplay)" }
            ?? "no \(Keys.s3Bucket.name) is given"
        return values.all.filter { value in
            let isIdleCache = value.key.name == Keys.blobsHotCache.name && store != .s3
            let isIdleBucket = Self.isOfBucket(value) && !usesBucket && !isLonely(value)
            return value.origin != .builtIn && (isIdleCache || isIdleBucket)
        }.map { "\($0.key.name) (\($0.origin)) has no effect: \(reason)" }
    }

    // MARK: What is wrong together

    var contradictions: [ConfigurationProblem] {
        memoryContradiction + lonelyEndpoint + incompleteBucket + impossibleBucket + fallbackContradiction
            + redirectContradiction
    }

    private var memoryContradiction: [ConfigurationProblem] {
        guard let store = values.value(named: Keys.blobsStore.name),
            let database = values.value(named: Keys.databaseURL.name),
            let isMemoryDatabase = try? values[Keys.databaseURL] == .memory,
            (self.store == .memory) != isMemoryDatabase
        else { return [] }
        return [
            ConfigurationProblem(
                "\(database.key.name) (\(database.origin)) and \(store.key.name) (\(store.origin)) do not go together:"
                    + " one forgets at exit what the other keeps; set both to memory"
                    + " (database.url 'memory:', blobs.store 'memory'), or neither")
        ]
    }

    /// A server is asked for, but no bucket of it: files on disk would not be what was meant.
    private var lonelyEndpoint: [ConfigurationProblem] {
        guard let endpoint = values.value(named: Keys.s3Endpoint.name), isLonely(endpoint) else { return [] }
        return [
            ConfigurationProblem(
                "\(endpoint.key.name) (\(endpoint.origin)) is given without \(Keys.s3Bucket.name); give both, or set"
                    + " \(Keys.blobsStore.name) to disk")
        ]
    }

    private var incompleteBucket: [ConfigurationProblem] {
        guard usesBucket else { return [] }
        let needed: [any ConfigurationKeyDescription] = [Keys.s3Bucket, Keys.s3AccessKey, Keys.s3SecretKey]
        let missing = needed.filter { values.value(named: $0.name)?.text.isEmpty ?? true }
        guard !missing.isEmpty else { return [] }
        let bucket = given(Keys.s3Bucket).flatMap { $0.text.isEmpty ? nil : $0 }
        let asking = bucket ?? values.value(named: store == .s3 ? Keys.blobsStore.name : Keys.blobsFallback.name)
        let place = asking.map { "\($0.key.name): \($0.text.quotedForDisplay) (\($0.origin)) " } ?? ""
        let names = missing.map { ([$0.environmentName] + $0.aliases.prefix(1)).joined(separator: " or ") }
        return [
            ConfigurationProblem(
                "\(place)is given without \(missing.map(\.name).joined(separator: ", ")); give"
                    + " \(names.joined(separator: ", ")) in the environment or in .env, or set"
                    + " \(Keys.blobsStore.name) to disk")
        ]
    }

    /// What the store in a bucket would refuse unasked, such as a name that cannot be a part of a host's.
    private var impossibleBucket: [ConfigurationProblem] {
        guard usesBucket, let bucket = (try? StoragedConfiguration.S3(values)) ?? nil else { return [] }
        return S3Configuration(bucket).problems.map { problem in
            let name = "s3.\(problem.field.rawValue)"
            let value = values.value(named: name).map { " \($0.key.shown($0.text).quotedForDisplay) (\($0.origin))" }
            return ConfigurationProblem("\(name):\(value ?? "") \(problem.complaint)")
        }
    }

    /// A store cannot be moved into itself, nor out of or into the memory of a process.
    private var fallbackContradiction: [ConfigurationProblem] {
        guard let fallback, let value = values.value(named: Keys.blobsFallback.name), let store else { return [] }
        let reason: String
        switch (store, fallback) {
        case (.memory, _): reason = "nothing is moved into memory"
        case (.s3, .s3): reason = "there is one bucket; give disk or disk:<directory>"
        case (.disk, .disk(let directory)) where isDataDirectory(directory):
            reason = "that is where \(Keys.blobsStore.name) is; give s3 or disk:<another directory>"
        default: return []
        }
        return [
            ConfigurationProblem(
                "\(value.key.name): \(value.text.quotedForDisplay) (\(value.origin)) does not go together with"
                    + " \(Keys.blobsStore.name) '\(store.rawValue)': \(reason)")
        ]
    }

    /// A proxy can send only what lies as a file where it was told, and it is told so only where it is known.
    private var redirectContradiction: [ConfigurationProblem] {
        guard let redirect = given(Keys.httpAccelRedirect), !redirect.text.isEmpty else { return [] }
        let reason: String
        if let store, store != .disk {
            reason = "\(Keys.blobsStore.name) is \(store.rawValue), which has no files that a proxy could send"
        } else if fallback != nil {
            reason = "with \(Keys.blobsFallback.name) not all files are in \(Keys.dataDirectory.name)"
        } else if (try? values[Keys.httpTrustedProxies])?.isEmpty ?? false {
            reason = "it is for proxies that \(Keys.httpTrustedProxies.name) names; give their addresses"
        } else {
            return []
        }
        return [
            ConfigurationProblem(
                "\(redirect.key.name): \(redirect.text.quotedForDisplay) (\(redirect.origin)) cannot be used: \(reason)"
            )
        ]
    }

    private func isDataDirectory(_ directory: String?) -> Bool {
        guard let directory else { return true }
        return values.value(named: Keys.dataDirectory.name)?.text == directory
    }

    // MARK: -

    private static func isOfBucket(_ value: ConfigurationValues.Value) -> Bool { value.key.name.hasPrefix("s3.") }

    /// An address of a server with no bucket, while nobody decided for another store by hand.
    private func isLonely(_ value: ConfigurationValues.Value) -> Bool {
        value.key.name == Keys.s3Endpoint.name && !value.text.isEmpty && !usesBucket && given(Keys.blobsStore) == nil
    }

    private func given(_ key: some ConfigurationKeyDescription) -> ConfigurationValues.Value? {
        values.value(named: key.name).flatMap { $0.origin == .builtIn ? nil : $0 }
    }
}
