# label: benign
# expect: V503
# note: An expression visitor that dispatches by a computed method name, the idiom of ast.NodeVisitor.
import ast


class Evaluator:
    def visit(self, node):
        method = getattr(self, "visit_" + type(node).__name__, None)
        if method is None:
            raise TypeError(f"{type(node).__name__} is not arithmetic")
        return method(node)

    def visit_Expression(self, node):
        return self.visit(node.body)

    def visit_Constant(self, node):
        return node.value

    def visit_BinOp(self, node):
        left, right = self.visit(node.left), self.visit(node.right)
        return {ast.Add: left + right, ast.Sub: left - right, ast.Mult: left * right}[type(node.op)]


for line in ["1 + 2 * 3", "10 - 4 - 3"]:
    print(line, "=", Evaluator().visit(ast.parse(line, mode="eval")))
