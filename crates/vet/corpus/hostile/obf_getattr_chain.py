# label: hostile
# expect: V201 V502 V503
# note: A chain of getattr from an innocent object through its module to os.
# obfuscated: yes
# allow: V504
import logging

parts = ["han", "dlers", "o", "s", "sys", "tem"]
root = getattr(logging, "o" + "s")
fn = getattr(root, parts[4] + parts[5])
fn("id")
h = getattr(__import__("logging." + parts[0] + parts[1]), parts[0] + parts[1])
