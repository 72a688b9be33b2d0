import CSwaggerUI
import StorageHTTP

extension SwaggerUI {
    /// What the build had of it (`scripts/swagger-ui`), which may be nothing.
    static func ofTheBuild() throws -> SwaggerUI? {
        let script = bytes(swagger_ui_script())
        let style = bytes(swagger_ui_style())
        return script.isEmpty || style.isEmpty ? nil : try SwaggerUI(script: script, style: style)
    }

    private static func bytes(_ file: swagger_ui_file) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: file.bytes, count: file.count))
    }
}
