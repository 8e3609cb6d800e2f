# the fields of proc_pid_stat(5) that are neither times, sizes nor addresses.
text = open("/proc/self/stat").read()
fields = text.rsplit(") ", 1)[1].split()
for name, number in [("state", 3), ("ppid", 4), ("pgrp", 5), ("session", 6), ("tty", 7), ("tpgid", 8), ("priority", 18), ("nice", 19),
                     ("threads", 20), ("exit_signal", 38), ("rt_priority", 40), ("policy", 41), ("blocked", 32), ("ignored", 33), ("caught", 34)]:
    print(name, fields[number - 3])
