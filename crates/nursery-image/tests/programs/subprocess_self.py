import subprocess, sys, os
code = "import sys, os; print(sys.flags, sys.argv, sys.path, sorted(sys.modules), sorted(os.environ), sys.stdin.read())"
print(subprocess.run([sys.executable, "-I", "-c", code, "a"], input="in", capture_output=True, text=True))
print(subprocess.run([sys.executable, __file__ + "x"], capture_output=True, text=True))
print(subprocess.run([sys.executable, "-c", "import sys; sys.exit(7)"]).returncode)
pid = os.fork()
if pid == 0:
    print("child", os.getppid() != 1, flush=True)
    os._exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
os.execv(sys.executable, [sys.executable, "-c", "print('executed')"])
