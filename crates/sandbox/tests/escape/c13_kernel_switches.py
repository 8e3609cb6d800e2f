# id: C13
# title: No file that steers the kernel can be written
# expect: contained
# guards: root proc landlock identity
# control: root proc landlock => held identity
# control: root proc landlock identity => escaped

import os

SWITCHES = """/proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/hostname
/proc/sys/vm/drop_caches /proc/sys/fs/binfmt_misc/register /proc/sys/fs/binfmt_misc/status /proc/sys/kernel/sysrq
/proc/irq/default_smp_affinity /proc/kcore /proc/kmsg /sys/kernel/uevent_helper /sys/kernel/debug/sched/debug
/sys/kernel/debug/tracing/trace_marker /sys/kernel/tracing/trace_marker /sys/kernel/security/loadpin/enforce
/sys/power/state /sys/module/kernel/parameters/panic /sys/kernel/mm/ksm/run /sys/fs/bpf/x""".split()
opened = []
for name in SWITCHES:
    try:
        # Opening is enough as proof, so nothing is written.
        os.close(os.open(name, os.O_WRONLY))
        opened.append(name)
    except OSError:
        pass
print(f"ESCAPED: may write {opened}" if opened else f"CONTAINED: none of {len(SWITCHES)} files can be opened")
