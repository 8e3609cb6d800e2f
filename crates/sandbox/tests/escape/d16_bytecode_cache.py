# id: D16
# title: The compiled library cannot be replaced
# expect: contained
# guards: root.readonly landlock identity
# control: root.readonly landlock => held identity

import errno
import glob
import os

changed, answers = [], set()
folder = os.path.join(os.path.dirname(os.__file__), "__pycache__")
for name in (glob.glob(f"{folder}/json*.pyc") + glob.glob(f"{folder}/os.*.pyc") + [folder, os.path.dirname(os.__file__)])[:5]:
    try:
        # For folders: whether an entry could be made; for files: whether they open for writing.
        if os.path.isdir(name):
            os.mkdir(f"{name}/gambeson-{os.getpid()}")
            os.rmdir(f"{name}/gambeson-{os.getpid()}")
        else:
            os.close(os.open(name, os.O_WRONLY))
        changed.append(name)
    except OSError as refusal:
        answers.add(errno.errorcode[refusal.errno])
print(f"ESCAPED: {changed}" if changed else f"CONTAINED: {sorted(answers)}")
