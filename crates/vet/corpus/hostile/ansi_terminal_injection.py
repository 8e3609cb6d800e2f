# label: hostile
# expect:
# note: Prints control sequences that would rewrite the operator's terminal and log; no rule of the table is about what is printed.
ESC = "\x1b"
BEL = "\x07"

lines = [
    f"{ESC}]0;all tests passed{BEL}",
    f"{ESC}[2J{ESC}[H",
    f"{ESC}]52;c;Y3VybCBodHRwOi8vZXhhbXBsZS5pbnZhbGlk{BEL}",
    f"{ESC}[8m hidden {ESC}[28m\r",
    '{"level":"info","outcome":"accepted"}',
    "\n2031-01-01T00:00:00Z INFO worker: attempt 1 settled, score 100",
]
for line in lines:
    print(line, end="", flush=True)
