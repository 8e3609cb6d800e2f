# label: benign
# expect: V101
# note: A backup of one's own documents folder into a tar file in the work directory; reads the home, changes nothing.
import tarfile
import time
from pathlib import Path

SOURCE = Path("~/Documents").expanduser()
target = Path(f"backup-{time.strftime('%Y%m%d')}.tar.gz")


def wanted(info):
    if info.name.endswith((".tmp", ".iso")) or info.size > 50_000_000:
        return None
    info.uid = info.gid = 0
    return info


with tarfile.open(target, "w:gz") as tar:
    tar.add(SOURCE, arcname="documents", filter=wanted)
print(target, target.stat().st_size, "bytes")
