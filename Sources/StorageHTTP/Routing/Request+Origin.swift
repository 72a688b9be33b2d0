import HTTPTypes
import Hummingbird

extension Request {
    /// Refuses a change that a page of another origin makes a browser ask for (Fetch standard, `Sec-Fetch-Site` and `Origin`).
    ///
    /// A browser may have cached Basic credentials and sends them with it; clients that are no browsers send neither field.
    func refuseForeignOrigin() throws {
        switch method {
        case .get, .head, .options: return
        default: break
        }
        let isCrossSite = headers[.secFetchSite] == "cross-site"
        let isForeign = headers[.origin].map { !isOwn(origin: $0) } ?? false
        guard !isCrossSite, !isForeign else {
            throw Problem(.forbidden, "foreign_origin", "A page of another origin may not change anything here.")
        }
    }

    private func isOwn(origin: String) -> Bool {
        guard let host = head.authority else { return false }
        let origin = Array(origin.utf8)
        return ["http://", "https://"].contains { origin.elementsEqual(($0 + host).utf8) }
    }
}
