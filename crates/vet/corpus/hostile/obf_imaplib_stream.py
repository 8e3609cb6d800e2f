# label: hostile
# expect: V201
# note: A mail client's constructor that takes a command and starts it; no module of processes is imported.
# obfuscated: yes
import imaplib

try:
    imaplib.IMAP4_stream("sh -c 'id >&2'")
except Exception:
    pass
