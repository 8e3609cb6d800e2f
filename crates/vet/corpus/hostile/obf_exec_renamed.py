# label: hostile
# expect: V501 V504
# note: exec and b64decode under harmless names, through import aliases and re-assignment.
# obfuscated: yes
# allow: V401
from base64 import b64decode as from_table
from builtins import exec as render

template = from_table
draw = render
draw(template(b"aW1wb3J0IGN0eXBlczsgY3R5cGVzLnN0cmluZ19hdCgwKQ==").decode())
