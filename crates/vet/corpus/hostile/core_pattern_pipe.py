# label: hostile
# expect: V103
# note: Points core_pattern and modprobe's path at programs of its own.
# allow: V101
for knob, value in (
    ("/proc/sys/kernel/core_pattern", "|/tmp/handler %p"),
    ("/proc/sys/kernel/modprobe", "/tmp/handler"),
    ("/sys/kernel/uevent_helper", "/tmp/handler"),
    ("/proc/sysrq-trigger", "b"),
):
    try:
        with open(knob, "w") as f:
            f.write(value)
        print("wrote", knob)
    except OSError as err:
        print(knob, err)
