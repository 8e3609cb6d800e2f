# id: D12
# title: The working folder lies inside the root
# expect: contained
# guards: root namespace.mount
# control: none, dropping the root moves the folder and the question with it

import os

here = os.getcwd()
above = os.path.samestat(os.stat("../" * 64), os.stat("/"))
outside = here.startswith("(unreachable)") or not above
print(f"ESCAPED: the working folder {here} is outside" if outside else f"CONTAINED: {here} is beneath the root")
