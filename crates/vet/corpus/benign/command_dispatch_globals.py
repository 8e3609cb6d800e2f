# label: benign
# expect: V503
# note: A command-line tool that finds its commands in globals() by the word on the command line.
import sys


def cmd_add(*xs):
    """add numbers"""
    print(sum(map(float, xs)))


def cmd_upper(*words):
    """shout"""
    print(" ".join(words).upper())


def cmd_help():
    for name, fn in sorted(globals().items()):
        if name.startswith("cmd_"):
            print(f"  {name[4:]:10} {fn.__doc__ or ''}")


def main(argv):
    name = argv[1] if len(argv) > 1 else "help"
    fn = globals().get("cmd_" + name)
    if fn is None:
        sys.exit(f"no command {name!r}; try help")
    fn(*argv[2:])


cmd_help.__doc__ = "this list"
main(sys.argv)
