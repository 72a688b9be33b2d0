extension WrongConfiguration {
    private static let keys = ["AWS_ACCESS_KEY_ID": "hunter2", "AWS_SECRET_ACCESS_KEY": "hunter2"]

    /// Buckets that cannot be, and what is missing to use one.
    static let buckets: [WrongConfiguration] = [
        .init(
            environment: keys.merging(["BUCKET": "my bucket"]) { $1 }, key: "s3.bucket", value: "my bucket",
            says: ["BUCKET in the environment", "the name of a bucket"]),
        .init(
            environment: keys, yaml: "s3: {bucket: a/b}", key: "s3.bucket", value: "a/b",
            says: ["config.yaml, line 1", "the name of a bucket"]),
        .init(
            environment: keys.merging(["S3_BUCKET": "files", "ENDPOINT_URL": "s3.example.org"]) { $1 },
            key: "s3.endpoint", value: "s3.example.org", says: ["ENDPOINT_URL in the environment", "https://"]),
        .init(
            arguments: ["--s3-endpoint", "https://s3.example.org/files"],
            environment: keys.merging(["S3_BUCKET": "files"]) { $1 }, key: "s3.endpoint",
            value: "https://s3.example.org/files", says: ["(--s3-endpoint)", "https://s3.example.org"]),
        .init(
            arguments: ["--s3-endpoint", "http://u:hunter2@s3"],
            environment: keys.merging(["S3_BUCKET": "files"]) { $1 }, key: "s3.endpoint", value: "http://***@s3",
            says: ["(--s3-endpoint)"]),
        .init(
            environment: keys.merging(["S3_BUCKET": "files", "AWS_REGION": "eu west"]) { $1 }, key: "s3.region",
            value: "eu west", says: ["AWS_REGION in the environment", "us-east-1"]),
        .init(
            arguments: ["--s3-bucket=files", "--s3-prefix", "/files"], environment: keys, key: "s3.prefix",
            value: "/files", says: ["(--s3-prefix)"]),
        .init(
            arguments: ["--s3-bucket=files", "--s3-prefix", "a/../b"], environment: keys, key: "s3.prefix",
            value: "a/../b", says: ["(--s3-prefix)"]),
        .init(
            arguments: ["--s3-bucket=files", "--s3-path-style", "auto"], environment: keys, key: "s3.path-style",
            value: "auto", says: ["true or false"]),
        .init(
            arguments: ["--s3-bucket=files", "--s3-path-style=false", "--s3-endpoint=http://[::1]:9000"],
            environment: keys, key: "s3.path-style", value: "false",
            says: ["(--s3-path-style)", "must be true", "IP address"]),
        .init(
            arguments: ["--s3-bucket=Files_1", "--s3-path-style=false"], environment: keys, key: "s3.bucket",
            value: "Files_1", says: ["(--s3-bucket)", "no capital letter"]),
        .init(
            environment: ["BUCKET": "files", "ACCESS_KEY": "hunter2/x", "SECRET_KEY": "hunter2"],
            key: "s3.access-key", value: "***", says: ["ACCESS_KEY in the environment", "ASCII"]),
        .init(
            dotEnv: "BUCKET=files\nACCESS_KEY=a\nSECRET_KEY=\"hunter2 hunter2\"", key: "s3.secret-key", value: "***",
            says: ["SECRET_KEY in .env, line 3", "ASCII"]),
        .init(
            arguments: ["--s3-secret-key", "hunter2"], key: "s3.secret-key",
            says: ["everybody on the machine", "S3_SECRET_KEY"]),
        .init(
            arguments: ["--s3-access-key=hunter2"], key: "s3.access-key",
            says: ["everybody on the machine", "S3_ACCESS_KEY"]),
        .init(
            dotEnv: "BUCKET_NAME=files", key: "s3.bucket", value: "files",
            says: ["BUCKET_NAME in .env, line 1", "without s3.access-key, s3.secret-key", "AWS_ACCESS_KEY_ID", "disk"]),
        .init(
            environment: ["S3_BUCKET": "files", "SECRET_KEY": "hunter2"], key: "s3.bucket", value: "files",
            says: ["without s3.access-key;", "S3_ACCESS_KEY"]),
        .init(
            arguments: ["--blobs-store", "s3"], environment: keys, key: "blobs.store", value: "s3",
            says: ["(--blobs-store)", "without s3.bucket", "S3_BUCKET or BUCKET"]),
        .init(
            arguments: ["--blobs-store=disk", "--blobs-fallback=s3"], environment: keys, key: "blobs.fallback",
            value: "s3", says: ["(--blobs-fallback)", "without s3.bucket"]),
        .init(
            dotEnv: "ENDPOINT_URL=http://s3", key: "s3.endpoint",
            says: ["ENDPOINT_URL in .env, line 1", "without s3.bucket", "blobs.store to disk"]),
        .init(
            arguments: ["--blobs-fallback", "tape"], key: "blobs.fallback", value: "tape",
            says: ["disk:<directory>", "s3"]),
        .init(
            arguments: ["--blobs-fallback", "disk:"], key: "blobs.fallback", value: "disk:",
            says: ["disk:<directory>", "s3"]),
        .init(
            arguments: ["--blobs-fallback", "disk"], key: "blobs.fallback", value: "disk",
            says: ["(--blobs-fallback)", "blobs.store 'disk'", "disk:<another directory>"]),
        .init(
            arguments: ["--blobs-fallback=disk:files", "--data-directory=files"], key: "blobs.fallback",
            value: "disk:files", says: ["blobs.store 'disk'", "disk:<another directory>"]),
        .init(
            arguments: ["--blobs-fallback=s3", "--s3-bucket=files"], environment: keys, key: "blobs.fallback",
            value: "s3", says: ["blobs.store 's3'", "there is one bucket"]),
        .init(
            arguments: ["--blobs-fallback=disk", "--database-url=memory:"], key: "blobs.fallback", value: "disk",
            says: ["blobs.store 'memory'", "nothing is moved into memory"]),
        .init(
            arguments: ["--s3-bucket=files", "--database-url=memory:"], environment: keys, key: "database.url",
            says: ["blobs.store", "do not go together", "set both"]),
        .init(
            arguments: ["--blobs-hot-cache", "much"], key: "blobs.hot-cache", value: "much", says: ["a size"]),
    ]
}
