# label: benign
# expect: V501
# note: Compiles a template to Python source and runs it, as real template engines do; generated text that was joined is executed.
# allow: V504
import re

TOKEN = re.compile(r"({{.*?}}|{%.*?%})", re.S)


class Template:
    """{{ expr }} prints, {% for x in xs %} ... {% end %} loops."""

    def __init__(self, text):
        lines, depth = ["def render(ctx):", "    out = []"], 1
        for part in TOKEN.split(text):
            pad = "    " * depth
            if part.startswith("{{"):
                lines.append(f"{pad}out.append(str({part[2:-2].strip()}))")
            elif part.startswith("{%"):
                word = part[2:-2].strip()
                if word == "end":
                    depth -= 1
                else:
                    lines.append(f"{pad}{word}:")
                    depth += 1
            elif part:
                lines.append(f"{pad}out.append({part!r})")
        lines.append("    return ''.join(out)")
        self.namespace = {}
        exec(compile("\n".join(lines), "<template>", "exec"), self.namespace)

    def render(self, **ctx):
        return self.namespace["render"](ctx)


page = Template("<ul>{% for x in ctx['items'] %}<li>{{ x }}</li>{% end %}</ul>")
print(page.render(items=["a", "b", "c"]))
