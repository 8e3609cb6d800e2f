# id: H02
# title: Standard input can be read to its end
# expect: contained
# guards: descriptors
# control: none, positive case

import sys

text = sys.stdin.read()
assert sys.stdin.read() == ""
print(f"CONTAINED: works, {len(text)} characters until the end")
