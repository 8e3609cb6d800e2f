# label: benign
# expect:
# note: argparse with set_defaults(func=...), the ordinary way of dispatch; vars(args) is printed as a whole.
import argparse


def count(args):
    with open(args.file) as f:
        text = f.read()
    print(len(text.split()) if args.words else len(text))


def head(args):
    with open(args.file) as f:
        for _, line in zip(range(args.n), f):
            print(line, end="")


p = argparse.ArgumentParser(prog="txt")
sub = p.add_subparsers(required=True)
c = sub.add_parser("count")
c.add_argument("file")
c.add_argument("--words", action="store_true")
c.set_defaults(func=count)
h = sub.add_parser("head")
h.add_argument("file")
h.add_argument("-n", type=int, default=10)
h.set_defaults(func=head)

args = p.parse_args()
print(vars(args))
args.func(args)
