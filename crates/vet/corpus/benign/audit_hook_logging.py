# label: benign
# expect: V604
# note: A security course's example: an audit hook that only prints which files are opened.
import sys

opened = []


def hook(event, args):
    if event == "open" and isinstance(args[0], str):
        opened.append(args[0])


sys.addaudithook(hook)

with open("notes.txt", "w") as f:
    f.write("remember the milk\n")
with open("notes.txt") as f:
    f.read()

print("opened:", opened)
