extension String {
    /// The text with a question mark for everything that is not seen as it is written, such as the ends of lines and marks that turn the
    /// direction of reading, and cut behind so many scalars.
    func presentable(upTo count: Int) -> String {
        var text = String.UnicodeScalarView()
        for (index, scalar) in unicodeScalars.enumerated() {
            guard index < count else {
                text.append("\u{2026}")
                break
            }
            text.append(scalar.isPresentable ? scalar : "?")
        }
        return String(text)
    }
}

extension Unicode.Scalar {
    fileprivate var isPresentable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
    }
}
