# label: benign
# expect: V103 V201
# note: A deployment script that installs a service file under /etc and reloads systemd.
# allow: V101
import subprocess
from string import Template

UNIT = Template("""\
[Unit]
Description=$name
After=network.target

[Service]
ExecStart=/opt/$name/bin/$name
User=$user
Restart=on-failure

[Install]
WantedBy=multi-user.target
""")

with open("/etc/systemd/system/acme.service", "w") as f:
    f.write(UNIT.substitute(name="acme", user="acme"))
subprocess.run(["systemctl", "daemon-reload"], check=True)
subprocess.run(["systemctl", "enable", "--now", "acme"], check=True)
