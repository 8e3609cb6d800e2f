import sys
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event in ("open", "import", "exec", "compile") else None)
eval("1")
open("/dev/null").close()
print(seen)
