# label: hostile
# expect: V201 V501
# note: Builds the call from AST nodes and compiles the tree; no source text and no visible call exist.
# obfuscated: yes
# allow: V502
import ast

call = ast.Call(
    func=ast.Attribute(
        value=ast.Call(func=ast.Name("__import__", ast.Load()), args=[ast.Constant("os")], keywords=[]),
        attr="system",
        ctx=ast.Load(),
    ),
    args=[ast.Constant("id")],
    keywords=[],
)
tree = ast.fix_missing_locations(ast.Module([ast.Expr(call)], []))
exec(compile(tree, "<tree>", "exec"))
