# a warm program's clocks start when it does, but for those of the cell, which was there before.
import time, resource, os
print(time.process_time() < 5, time.thread_time() < 5, time.monotonic() >= 0, time.get_clock_info("monotonic"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0, os.times().elapsed >= 0)
