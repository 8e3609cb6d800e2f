print([line for line in open("/proc/self/status") if line.startswith("FDSize")])
