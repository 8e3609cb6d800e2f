# label: benign
# expect:
# note: Long random-looking hexadecimal strings that are checksums and uuids; entropy alone is not a secret.
import hashlib
import pathlib
import uuid

SHA256 = {
    "train.csv": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "test.csv": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
}
NAMESPACE = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
GIT_COMMIT = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

for name, want in SHA256.items():
    p = pathlib.Path("data") / name
    if p.exists():
        got = hashlib.sha256(p.read_bytes()).hexdigest()
        print(name, "ok" if got == want else f"differs: {got}")
print(uuid.uuid5(NAMESPACE, GIT_COMMIT))
