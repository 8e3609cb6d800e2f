# id: B07
# title: No hard limit can be raised
# expect: contained
# guards: capabilities namespace.user identity
# control: capabilities => held identity

import resource

raised = []
for name in sorted(n for n in dir(resource) if n.startswith("RLIMIT_")):
    number = getattr(resource, name)
    soft, hard = resource.getrlimit(number)
    if hard == resource.RLIM_INFINITY:
        continue
    try:
        resource.setrlimit(number, (soft, hard + 1))
        raised.append(name)
    except (OSError, ValueError):
        pass
print(f"ESCAPED: raised {raised}" if raised else "CONTAINED: every attempt was refused, EPERM")
