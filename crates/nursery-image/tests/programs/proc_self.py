import os
read = lambda name: open(f"/proc/self/{name}", "rb").read()
print(read("cmdline"), read("environ"), read("comm"), os.readlink("/proc/self/exe"), os.readlink("/proc/self/cwd"), os.readlink("/proc/self/root"))
print(read("task/%d/comm" % os.getpid()), os.listdir("/proc/self/task"), os.listdir("/proc"))
names = []
for line in open("/proc/self/maps"):
    words = line.split(None, 5)
    name = words[5].strip() if len(words) > 5 else ""
    if name and name not in names:
        names.append(name)
print(sorted(names))
print([line for line in open("/proc/self/maps") if "gambeson" in line or "memfd" in line or "deleted" in line])
print(read("oom_score_adj"), read("limits"), read("cgroup"), read("coredump_filter"), read("timerslack_ns") if os.path.exists("/proc/self/timerslack_ns") else "")
