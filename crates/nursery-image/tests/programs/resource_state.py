import resource, os
for name in sorted(name for name in dir(resource) if name.startswith("RLIMIT_")):
    print(name, resource.getrlimit(getattr(resource, name)))
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime < 0.5, usage.ru_nswap, os.times().children_user)
print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), os.umask(0o22), os.getcwd(), os.getsid(0), os.getpgrp(), os.getlogin if False else "")
print(os.getresuid(), os.getresgid(), os.getgroups(), os.cpu_count(), os.sched_getaffinity(0))
