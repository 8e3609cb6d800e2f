# label: benign
# expect:
# note: Generates passwords and hashes them; secrets are made, not kept.
import hashlib
import os
import secrets
import string

ALPHABET = string.ascii_letters + string.digits
PASSWORD_LENGTH = 20
TOKEN_NAME = "session-token"


def make_password(n=PASSWORD_LENGTH):
    return "".join(secrets.choice(ALPHABET) for _ in range(n))


def stored(password):
    salt = os.urandom(16)
    return salt.hex() + "$" + hashlib.scrypt(password.encode(), salt=salt, n=2**12, r=8, p=1).hex()


secret = make_password()
token = secrets.token_urlsafe(32)
print(TOKEN_NAME, len(token), stored(secret)[:20])
