package import StorageCore

extension S3Configuration.Problem.Field {
    /// The part of a configuration that somebody has to look at after a store could not be opened; nil when it is none of them.
    package init?(refusedBy error: StorageError) {
        if let problem = error.cause as? S3Configuration.Problem {
            self = problem.field
            return
        }
        guard let failure = error.cause as? S3Failure else {
            guard error.isTransient || error.cause is S3Distrust else { return nil }
            self = .endpoint
            return
        }
        switch failure.kind {
        case .denied where failure.code == "SignatureDoesNotMatch": self = .secretKey
        case .denied where failure.isAboutToken: self = .sessionToken
        case .denied where failure.code == "AccessDenied": self = .bucket
        case .denied: self = .accessKey
        case .noBucket: self = .bucket
        case .elsewhere: self = .region
        case .passing: self = .endpoint
        case .skewed, .full: return nil
        case .unsupported, .other: self = .endpoint
        }
    }
}
