# id: H02
# title: Limits and usage can be read, and limits lowered
# expect: contained
# guards: rlimits
# control: none, positive case

import resource

for name in (n for n in dir(resource) if n.startswith("RLIMIT_")):
    resource.getrlimit(getattr(resource, name))
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (32, 32)
print("CONTAINED: works, read and lowered")
