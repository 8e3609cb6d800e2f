# label: hostile
# expect: V602
# note: A generator that looks at its own gi_frame to reach the frame that resumes it, without sys or inspect.
def probe():
    yield g.gi_frame.f_back


g = probe()
frame = [f for f in g][0]
while frame.f_back:
    frame = frame.f_back
for name in frame.f_builtins:
    print(name)
print(frame.f_globals.get("SECRET_TESTS"))
