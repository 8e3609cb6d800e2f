import gc
print(gc.get_count()[1:], [one["collections"] for one in gc.get_stats()])
