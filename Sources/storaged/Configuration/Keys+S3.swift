/// The settings of a bucket: of Amazon S3, or of any server that speaks its protocol.
extension Keys {
    static let s3Endpoint = ConfigurationKey(
        "s3.endpoint", .optionalEndpoint, default: .nothing(shown: "amazon"),
        aliases: ["ENDPOINT_URL", "AWS_ENDPOINT_URL"],
        help: "address of the S3 server, such as https://s3.example.org")
    static let s3Region = ConfigurationKey(
        "s3.region", .region, default: "us-east-1", aliases: ["AWS_REGION"],
        help: "region that requests are signed for")
    static let s3Bucket = ConfigurationKey(
        "s3.bucket", .optionalBucket, default: .nothing(shown: "none"), aliases: ["BUCKET", "BUCKET_NAME"],
        help: "name of the bucket, which must exist; it makes blobs.store s3")
    static let s3Prefix = ConfigurationKey(
        "s3.prefix", .keyPrefix, default: .nothing(shown: "none"),
        help: "what all names in the bucket begin with, such as files/production")
    static let s3AccessKey = ConfigurationKey(
        "s3.access-key", .accessKey, default: .nothing(shown: "none"),
        aliases: ["AWS_ACCESS_KEY_ID", "ACCESS_KEY"], isSecret: true, help: "id of the access key")
    static let s3SecretKey = ConfigurationKey(
        "s3.secret-key", .fieldSecret, default: .nothing(shown: "none"),
        aliases: ["AWS_SECRET_ACCESS_KEY", "SECRET_KEY"],
        isSecret: true, help: "the secret of that access key")
    static let s3SessionToken = ConfigurationKey(
        "s3.session-token", .fieldSecret, default: .nothing(shown: "none"), aliases: ["AWS_SESSION_TOKEN"],
        isSecret: true, help: "what temporary credentials have beside their two keys")
    static let s3PathStyle = ConfigurationKey(
        "s3.path-style", .boolean, default: "true",
        help: "the bucket's name in the path of a URL; false for in the host's name")
}
