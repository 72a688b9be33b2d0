/// The first of many elements in some order, picked as they come with memory for a few only.
struct FirstOf<Element: Sendable>: Sendable {
    /// The most elements that are kept.
    let limit: Int
    private let precedes: @Sendable (Element, Element) -> Bool
    private var elements: [Element] = []
    private var last: Element?

    init(_ limit: Int, by precedes: @escaping @Sendable (Element, Element) -> Bool) {
        self.limit = limit
        self.precedes = precedes
    }

    /// Offers an element.
    mutating func insert(_ element: Element) {
        if let last, !precedes(element, last) { return }
        elements.append(element)
        // Sorting at twice the limit costs each element a logarithm only.
        guard elements.count >= 2 * limit else { return }
        elements = sorted
        last = elements.last
    }

    /// Whether as many were offered as are kept.
    var isFull: Bool { elements.count >= limit }

    /// The elements in order.
    var sorted: [Element] { Array(elements.sorted(by: precedes).prefix(limit)) }
}
