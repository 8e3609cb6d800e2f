import sys, code, runpy, os
runpy.run_path("/work/other.py", run_name="elsewhere") if os.path.exists("/work/other.py") else print("none")
print(runpy.run_module("this" if False else "stat")["__name__"])
exec(compile("print(__name__, __file__)", "<made>", "exec"))
try:
    exec(compile("1/0", "<made>", "exec"))
except ZeroDivisionError:
    import traceback
    traceback.print_exc()
