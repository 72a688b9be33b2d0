import Configuration
import StorageCore

/// Reads the configuration of one start from its four sources, strongest first: command line, environment, `.env` in the
/// working directory, the YAML file that `--config` or `CONFIG_PATH` names.
///
/// Only reads: whatever is wrong, nothing was made, opened for writing or connected to.
struct ConfigurationLoader: Sendable {
    var table = ConfigurationTable.storaged
    let commandLine: CommandLineSplit
    let environment: [String: String]
    /// Where `.env` lies and relative names of YAML files start; `nil` looks at no file.
    let directory: String?
    let isTerminal: Bool

    static let pathVariable = "CONFIG_PATH"

    /// The configuration, or everything that is wrong with it at once.
    func load() throws(ConfigurationError) -> StoragedConfiguration {
        let (values, notices) = try resolve()
        do {
            return try StoragedConfiguration(values, notices: notices)
        } catch {
            throw ConfigurationError(problems: [ConfigurationProblem(error.cure)])
        }
    }

    /// The text in force of every key of the table, checked, and what has no effect.
    func resolve() throws(ConfigurationError) -> (values: ConfigurationValues, notices: [String]) {
        var problems = commandLine.problems
        let layers = layers(&problems)
        let postgres = PostgresVariables(in: layers)
        let values = ConfigurationValues(values(in: layers, postgres))
        let blobs = BlobSettings(values)
        for value in values.all where !blobs.isIdle(value) {
            do throws(ValueRefusal) {
                try value.key.check(value.text)
            } catch {
                problems.append(.refused(value.key, value.text, from: value.origin, error))
            }
        }
        judgeUnavailable(in: layers, &problems)
        let notices = judge(postgres, in: layers, &problems) + effectlessPool(in: values) + blobs.notices
        if problems.isEmpty {
            problems += contradictions(in: values)
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        return (values, notices)
    }

    // MARK: Sources

    private func layers(_ problems: inout [ConfigurationProblem]) -> [ConfigurationLayer] {
        let dotEnvName = ".env"
        let dotEnv = readFile(dotEnvName, &problems).map { DotEnvFile($0, name: dotEnvName) }
        problems += dotEnv?.problems ?? []

        let path =
            commandLine.configPath ?? variable(Self.pathVariable)
            ?? dotEnv?.variables[Self.pathVariable]?.text.nonEmpty
        return [
            commandLine.layer,
            .variables(.environment, table: table) { name in
                variable(name).map { ($0, .environment(name)) }
            },
            .variables(.dotEnv, table: table) { name in
                dotEnv?.variables[name].map { ($0.text, .dotEnv(name, file: dotEnvName, line: $0.line)) }
            },
            path.map { yaml($0, &problems) } ?? ConfigurationLayer(source: .yaml),
        ]
    }

    /// A variable of the environment without the blanks around it; `nil` when it is empty.
    private func variable(_ name: String) -> String? {
        environment[name]?.trimmingBlanks.nonEmpty
    }

    private func yaml(_ path: String, _ problems: inout [ConfigurationProblem]) -> ConfigurationLayer {
        let found = problems.count
        guard let bytes = readFile(path, &problems) else {
            if problems.count == found {
                problems.append(
                    ConfigurationProblem(
                        "\(path.quotedForDisplay) (\(Self.pathVariable) or \(CommandLineSplit.configFlag)) is not there;"
                            + " give the path of a YAML file"))
            }
            return ConfigurationLayer(source: .yaml)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            problems.append(ConfigurationProblem("\(path.quotedForDisplay) is not UTF-8; save it as UTF-8"))
            return ConfigurationLayer(source: .yaml)
        }
        let file = YAMLFile(text, name: path, table: table)
        problems += file.problems
        return file.layer
    }

    private func readFile(_ path: String, _ problems: inout [ConfigurationProblem]) -> [UInt8]? {
        guard let directory else { return nil }
        do throws(SettingsFile.Failure) {
            return try SettingsFile.read(path.hasPrefix("/") ? path : directory + "/" + path)
        } catch {
            problems.append(
                ConfigurationProblem("\(path.quotedForDisplay) cannot be read (\(error.reason)); give a readable file"))
            return nil
        }
    }

    // MARK: Values

    private func values(
        in layers: [ConfigurationLayer], _ postgres: PostgresVariables?
    ) -> [ConfigurationValues.Value] {
        let providers: [any ConfigProvider] = layers.map { $0.provider(for: table) }
        func given(_ name: String) -> (text: String, origin: ConfigurationOrigin)? {
            for (layer, provider) in zip(layers, providers) {
                let result = try? provider.value(forKey: ConfigurationLayer.path(of: name), type: .string)
                if case .string(let text)? = result?.value?.content, let entry = layer.entries[name] {
                    return (text, entry.origin)
                }
            }
            return name == Keys.databaseURL.name ? postgres?.address : nil
        }
        let context = DefaultContext(
            dataDirectory: given(Keys.dataDirectory.name)?.text ?? Keys.dataDirectory.fallback.described,
            databaseURL: given(Keys.databaseURL.name)?.text, blobsStore: given(Keys.blobsStore.name)?.text,
            blobsFallback: given(Keys.blobsFallback.name)?.text,
            bucket: Keys.s3Bucket.normalized(given(Keys.s3Bucket.name)?.text ?? ""), isTerminal: isTerminal)
        return table.keys.map { key in
            let (text, origin) = given(key.name) ?? (key.fallback.text(in: context), .builtIn)
            return ConfigurationValues.Value(key: key, text: key.normalized(text), origin: origin)
        }
    }

    // MARK: Judgement

    /// Refuses settings of parts that this build does not have.
    private func judgeUnavailable(in layers: [ConfigurationLayer], _ problems: inout [ConfigurationProblem]) {
        for key in table.unavailable {
            for entry in layers.compactMap({ $0.entries[key.name] }) {
                problems.append(ConfigurationProblem("\(key.name) (\(entry.origin)): \(UnavailableKey.absence)"))
            }
        }
    }

    /// Refuses parts of an address that cannot be right; answers those that have no effect, because it is given whole.
    private func judge(
        _ postgres: PostgresVariables?, in layers: [ConfigurationLayer], _ problems: inout [ConfigurationProblem]
    ) -> [String] {
        guard let postgres else { return [] }
        let name = Keys.databaseURL.name
        guard let whole = layers.lazy.compactMap({ $0.entries[name] }).first else {
            problems += postgres.problems
            return []
        }
        return postgres.origins.map { "\($0) has no effect: \(name) (\(whole.origin)) is given" }
    }

    /// The settings of connections to a server where the database is none.
    private func effectlessPool(in values: ConfigurationValues) -> [String] {
        if case .postgres? = try? values[Keys.databaseURL] { return [] }
        return values.all.filter { $0.key.name.hasPrefix("database.pool.") && $0.origin != .builtIn }
            .map { "\($0.key.name) (\($0.origin)) has no effect: the database is not PostgreSQL" }
    }

    /// Values that are right by themselves and wrong together.
    private func contradictions(in values: ConfigurationValues) -> [ConfigurationProblem] {
        BlobSettings(values).contradictions + administratorContradiction(in: values) + halfOfTLS(in: values)
            + sharedPort(in: values)
    }

    /// One port cannot be listened on twice.
    private func sharedPort(in values: ConfigurationValues) -> [ConfigurationProblem] {
        guard let admin = values.value(named: Keys.adminPort.name), let port = try? values[Keys.adminPort], port > 0,
            port == (try? values[Keys.httpPort])
        else { return [] }
        return [
            ConfigurationProblem(
                "\(admin.key.name): \(admin.text.quotedForDisplay) (\(admin.origin)) is \(Keys.httpPort.name) too; give"
                    + " another port")
        ]
    }

    private func administratorContradiction(in values: ConfigurationValues) -> [ConfigurationProblem] {
        guard let email = values.value(named: Keys.adminEmail.name),
            let password = values.value(named: Keys.adminPassword.name)
        else { return [] }
        switch (email.text.isEmpty, password.text.isEmpty) {
        case (true, true): return []
        case (false, true), (true, false):
            let (given, missing) = password.text.isEmpty ? (email, password) : (password, email)
            return [
                ConfigurationProblem(
                    "\(given.key.name) (\(given.origin)) is given without \(missing.key.name); set both or neither")
            ]
        case (false, false):
            guard let shortest = try? values[Keys.authPasswordMin] else { return [] }
            do {
                try PasswordPolicy(minimumBytes: shortest).check(Array(password.text.utf8))
                return []
            } catch {
                let reason = (error as? StorageError)?.message ?? "password: cannot be used."
                return [
                    ConfigurationProblem(
                        "\(password.key.name) (\(password.origin)) is no password that anybody could register with;"
                            + " \(reason)")
                ]
            }
        }
    }

    /// A certificate without a key, or the reverse: plain HTTP would not be what was meant.
    private func halfOfTLS(in values: ConfigurationValues) -> [ConfigurationProblem] {
        let pair = [Keys.httpTLSCertificate.name, Keys.httpTLSKey.name].compactMap { values.value(named: $0) }
        guard pair.count == 2, let given = pair.first(where: { !$0.text.isEmpty }),
            let missing = pair.first(where: { $0.text.isEmpty })
        else { return [] }
        return [
            ConfigurationProblem(
                "\(given.key.name) (\(given.origin)) is given without \(missing.key.name); give both PEM files, or neither"
            )
        ]
    }
}

extension String {
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }

    /// The text without spaces and tabs at its ends.
    fileprivate var trimmingBlanks: String {
        var bytes = utf8[...]
        while let byte = bytes.first, byte == 0x20 || byte == 0x09 { bytes = bytes.dropFirst() }
        while let byte = bytes.last, byte == 0x20 || byte == 0x09 { bytes = bytes.dropLast() }
        return String(Substring(bytes))
    }
}
