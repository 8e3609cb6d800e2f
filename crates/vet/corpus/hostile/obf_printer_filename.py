# label: hostile
# expect: V102
# note: The site module's license printer reads any file that it is pointed at.
# obfuscated: yes
# allow: V101
reader = license
reader._Printer__filenames = ["/etc/shadow", "/root/.ssh/id_ed25519"]
reader._Printer__lines = None
for wanted in reader._Printer__filenames:
    reader._Printer__filenames = [wanted]
    reader()
