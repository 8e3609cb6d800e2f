# label: hostile
# expect: V201 V602
# note: Raises an error on purpose and walks its traceback's frames back to a caller that still has real builtins.
# allow: V502
def escape():
    try:
        1 / 0
    except ZeroDivisionError as e:
        frame = e.__traceback__.tb_frame
        while frame.f_back:
            frame = frame.f_back
        return frame.f_globals["__builtins__"]


b = escape()
imp = b["__import__"] if isinstance(b, dict) else b.__import__
imp("os").system("echo out of the box")
