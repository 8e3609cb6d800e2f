import sys, tracemalloc, trace, cProfile, io
print(tracemalloc.is_tracing(), tracemalloc.get_traceback_limit())
tracemalloc.start()
x = [bytes(1000) for _ in range(10)]
snapshot = tracemalloc.take_snapshot()
print([(stat.traceback[0].filename, stat.traceback[0].lineno) for stat in snapshot.statistics("lineno")][:1])
calls = []
sys.settrace(lambda frame, event, arg: calls.append((frame.f_code.co_name, event)))
def f(): return 1
f()
sys.settrace(None)
print(calls)
