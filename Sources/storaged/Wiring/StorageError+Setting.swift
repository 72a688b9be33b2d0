import StorageCore

extension StorageError {
    /// The same failure, with the setting that it is about, and what is to be done as a further sentence.
    func of(_ name: String, _ configuration: StoragedConfiguration, adding cure: String = "") -> StorageError {
        let value = configuration.provenance.value(named: name)
        let place = value.map { "\(name): \($0.key.shown($0.text).quotedForDisplay) (\($0.origin)): " } ?? ""
        return StorageError(code, place + message + cure, isTransient: isTransient, cause: cause)
    }
}
