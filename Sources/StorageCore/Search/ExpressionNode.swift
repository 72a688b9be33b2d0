/// A part of a regular expression, as it was written.
indirect enum ExpressionNode: Hashable, Sendable {
    /// Nothing at all: matches everywhere.
    case empty
    /// One character.
    case one(ScalarSet)
    /// `^`: the beginning of the name.
    case start
    /// `$`: the end of the name.
    case end
    /// One behind the other.
    case sequence([ExpressionNode])
    /// One of several.
    case choice([ExpressionNode])
    /// At least so often and at most so often; nil for any number of times.
    case repeated(ExpressionNode, least: Int, most: Int?)

    /// The most instructions that it can become, or the greatest number where that is more.
    var cost: Int {
        switch self {
        case .empty, .one, .start, .end: 1
        case .sequence(let nodes): Self.sum(nodes)
        case .choice(let nodes): Self.sum(nodes, each: 2)
        case .repeated(let node, let least, let most):
            Self.product(max(most ?? least + 1, 1), Self.sum([node], each: 2))
        }
    }

    private static func sum(_ nodes: [ExpressionNode], each: Int = 0) -> Int {
        nodes.reduce(0) { total, node in
            let (partial, overflows) = total.addingReportingOverflow(node.cost)
            let (sum, overflowsToo) = partial.addingReportingOverflow(each)
            return overflows || overflowsToo ? .max : sum
        }
    }

    private static func product(_ count: Int, _ cost: Int) -> Int {
        let (product, overflows) = count.multipliedReportingOverflow(by: cost)
        return overflows ? .max : product
    }
}
