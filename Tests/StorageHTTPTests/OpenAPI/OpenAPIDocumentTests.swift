import Foundation
import HTTPTypes
import Testing

@testable import StorageHTTP

@Suite("The OpenAPI document")
struct OpenAPIDocumentTests {
    private let document: DocumentNode

    init() throws {
        document = DocumentNode(try JSONSerialization.jsonObject(with: Data(OpenAPIDocument.bytes)))
    }

    private var operations: [(path: String, method: String, operation: DocumentNode)] {
        document["paths"].members.flatMap { path, item in
            item.members.map { (path, $0.key.uppercased(), $0.value) }
        }
    }

    @Test("has the routes of the table, and the table has its routes")
    func routes() {
        let served = Set(allRoutes.map { "\($0.method.rawValue) \($0.path)" })
        let documented = Set(operations.map { "\($0.method) \($0.path)" })
        #expect(served.subtracting(documented).sorted() == [], "routes that the document lacks")
        #expect(documented.subtracting(served).sorted() == [], "operations that no route serves")
    }

    @Test("names the parameters of every path as the path does")
    func pathParameters() {
        for (path, method, operation) in operations {
            let inPath = path.split(separator: "/").filter { $0.hasPrefix("{") }.map {
                String($0.dropFirst().dropLast())
            }
            let parameters = operation["parameters"].elements.map(resolve).filter { $0["in"].text == "path" }
            #expect(parameters.compactMap { $0["name"].text }.sorted() == inPath.sorted(), "\(method) \(path)")
            #expect(parameters.allSatisfy { $0["required"].flag == true }, "\(method) \(path)")
        }
    }

    @Test("describes every operation, under a name and a group that are its own")
    func descriptions() {
        let groups = Set(document["tags"].elements.compactMap { $0["name"].text })
        var names: Set<String> = []
        for (path, method, operation) in operations {
            let name = operation["operationId"].text ?? ""
            #expect(names.insert(name).inserted && !name.isEmpty, "\(method) \(path)")
            #expect(operation["summary"].text?.isEmpty == false, "\(method) \(path)")
            let tags = operation["tags"].elements.compactMap(\.text)
            #expect(!tags.isEmpty && groups.isSuperset(of: tags), "\(method) \(path)")
        }
    }

    @Test("has an example of every request and of every answer with content")
    func examples() {
        for (path, method, operation) in operations {
            for (type, content) in operation["requestBody"]["content"].members {
                #expect(content["example"].exists, "\(method) \(path), \(type)")
            }
            for parameter in operation["parameters"].elements.map(resolve) where parameter["required"].flag == true {
                #expect(parameter["example"].exists, "\(method) \(path), \(parameter["name"].text ?? "")")
            }
            let answers = operation["responses"].members.filter { $0.key < "300" }.mapValues(resolve)
            #expect(!answers.isEmpty || operation["responses"]["302"].exists, "\(method) \(path)")
            for (status, answer) in answers where answer["content"].exists {
                #expect(
                    answer["content"].members.values.contains { $0["example"].exists }, "\(method) \(path), \(status)")
            }
        }
    }

    @Test("leads every reference to something")
    func references() {
        for reference in document.references {
            let target = reference.dropFirst(2).split(separator: "/").reduce(document) { $0[String($1)] }
            #expect(reference.hasPrefix("#/") && target.exists, "\(reference)")
        }
    }

    @Test("lists the problem codes of the parsers and of the connection, and uses no code that it does not list")
    func codes() {
        let listed = Set(
            document["components"]["schemas"]["ProblemCode"]["oneOf"].elements.compactMap { $0["const"].text })
        let known = ParseError.Code.allCases.map(\.rawValue) + ConnectionFault.allCases.map(\.code)
        #expect(Set(known).subtracting(listed) == [])
        var used: Set<String> = []
        for (path, method, operation) in operations {
            for (status, answer) in operation["responses"].members.mapValues(resolve) {
                let content = answer["content"]["application/problem+json"]
                guard content.exists else { continue }
                let codes = content["schema"]["properties"]["code"]["enum"].elements.compactMap(\.text)
                #expect(!codes.isEmpty && listed.isSuperset(of: codes), "\(method) \(path), \(status)")
                used.formUnion(codes)
            }
        }
        // Answers that come before any route, or from none.
        let frame: Set = [
            "request_timeout", "headers_too_large", "expectation_failed", "no_route",
        ]
        #expect(listed.subtracting(used).subtracting(frame) == [])
    }

    private func resolve(_ node: DocumentNode) -> DocumentNode {
        guard let reference = node["$ref"].text else { return node }
        return reference.dropFirst(2).split(separator: "/").reduce(document) { $0[String($1)] }
    }
}

/// A value of a JSON document; asking for what is not there gives a value that does not exist.
private struct DocumentNode {
    private let value: Any?

    init(_ value: Any?) { self.value = value }

    subscript(name: String) -> DocumentNode { DocumentNode((value as? [String: Any])?[name]) }

    var exists: Bool { value != nil }
    var text: String? { value as? String }
    var flag: Bool? { value as? Bool }
    var elements: [DocumentNode] { (value as? [Any] ?? []).map(DocumentNode.init) }
    var members: [String: DocumentNode] { (value as? [String: Any] ?? [:]).mapValues(DocumentNode.init) }

    /// Every `$ref` in it.
    var references: [String] {
        members.flatMap { name, value in name == "$ref" ? [value.text ?? ""] : value.references }
            + elements.flatMap(\.references)
    }
}
