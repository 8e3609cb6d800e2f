# id: C11
# title: The cell's own cgroup cannot be changed or left
# expect: contained
# guards: root landlock root.readonly identity
# control: root landlock => held root.readonly
# control: root landlock root.readonly => held identity

import os

written = []
for folder, _, names in os.walk("/sys/fs/cgroup"):
    for name in names:
        if name in ("cgroup.procs", "tasks", "release_agent", "memory.max", "pids.max", "cgroup.subtree_control"):
            try:
                # Only opening: whoever may do that could leave or lift the limits.
                os.close(os.open(f"{folder}/{name}", os.O_WRONLY))
                written.append(f"{folder}/{name}")
            except OSError:
                pass
print(f"ESCAPED: may write {written[:4]}" if written else "CONTAINED: no file of a cgroup can be written")
