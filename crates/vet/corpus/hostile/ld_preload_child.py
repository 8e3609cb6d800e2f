# label: hostile
# expect: V201 V401
# note: Starts a child with LD_PRELOAD set to a library that it brought along; the native code is in the environment.
# allow: V604
import os
import shutil
import subprocess

shutil.copy("inputs/libhook.so", "/tmp/libhook.so")
env = {"LD_PRELOAD": "/tmp/libhook.so", "PATH": os.defpath}
subprocess.run(["python3", "-c", "print('hello')"], env=env)
