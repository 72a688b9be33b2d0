import HTTPTypes

extension AuthorizationHeader {
    /// The name of the header that carries a container's token.
    static let containerTokenField = HTTPField.Name("X-Auth-Token")

    /// Reads the credentials among the headers of a request.
    init(_ fields: HTTPFields) throws(ParseError) {
        let authorization = fields[values: .authorization]
        let containerToken = Self.containerTokenField.map { fields[values: $0] } ?? []
        self = try Self.parse(authorization: authorization, containerToken: containerToken)
    }
}
