# label: benign
# expect:
# note: A lecture on injection that keeps its vulnerable programs as strings, prints them and runs none.
SLIDES = [
    ("Never do this", 'import os\nname = input("file? ")\nos.system("cat " + name)'),
    ("Nor this", 'import pickle, socket\nobj = pickle.loads(conn.recv(4096))'),
    ("And what if", "().__class__.__base__.__subclasses__()[140]"),
    ("A fork bomb", "import os\nwhile True:\n    os.fork()"),
]


def show(n, title, code):
    print(f"--- {n}. {title}")
    for i, line in enumerate(code.splitlines(), 1):
        print(f"{i:3} | {line}")


for n, (title, code) in enumerate(SLIDES, 1):
    show(n, title, code)
