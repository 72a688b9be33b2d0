import Hummingbird
import Logging
import StorageCore
import StorageHTTP
import StorageSQL
import StorageSQLite

/// The whole application over one directory; tests call it as `main` does.
func buildApplication(data: String, port: Int) async throws -> some ApplicationProtocol {
    let blobs = try await LocalDiskBlobStore.open(directory: data)
    let metadata = try await SQLMetadataStore.sqlite(path: data + "/storaged.sqlite")
    let storage = FileStorage(metadata: metadata, blobs: blobs)
    let authentication = try BuiltInAuthentication(metadata: metadata)
    let stores = OpenStores(metadata: metadata, blobs: blobs, authentication: authentication)
    let files = StorageRoutes<WebAppContext>(
        storage: storage, accounts: authentication.accounts, authentication: authentication)

    var application = Application(
        router: buildRouter(storage, files),
        // Hummingbird's own server does too; this one also sends files from the kernel and bounds every wait for a client.
        server: .storage(),
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port), serverName: "web-app"),
        logger: Logger(label: "web-app"))
    // Services end in the opposite order: the server first, the stores after all that use them.
    application.addServices(
        stores,
        GarbageCollector(metadata: metadata, blobs: blobs, grace: .seconds(300), interval: .seconds(600)),
        Sweeper(metadata: metadata, interval: .seconds(600)))
    return application
}

/// The application's own routes, and those of the store for every other path.
func buildRouter(_ storage: FileStorage, _ files: StorageRoutes<WebAppContext>) -> Router<WebAppContext> {
    let router = Router(context: WebAppContext.self)
    router.get("/") { _, _ in "Files are at /api/files, their documentation at /docs.\n" }
    router.get("/health") { _, _ in
        try await storage.metadata.ping()
        try await storage.blobs.ping()
        return "ok\n"
    }
    NoteRoutes(storage: storage).add(to: router.group("notes").add(middleware: SignedIn(files: files)))
    return router.add(storage: files)
}
