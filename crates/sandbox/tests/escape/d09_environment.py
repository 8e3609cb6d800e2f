# id: D09
# title: The environment of the host does not come along
# expect: contained
# guards: descriptors
# control: none, the environment belongs to the plan itself

import os

BAD = ("KEY", "TOKEN", "SECRET", "PASSWORD", "SSH", "AWS", "GITHUB", "CARGO", "RUST", "SUDO", "DBUS", "DISPLAY", "LD_")
seen = [name for name in os.environ if any(word in name.upper() for word in BAD)]
print(f"ESCAPED: {seen}" if seen else f"CONTAINED: only {sorted(os.environ)}")
