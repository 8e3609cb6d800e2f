import sys
skip = {"modules", "meta_path", "path_hooks", "path_importer_cache", "stdin", "stdout", "stderr",
        "__stdin__", "__stdout__", "__stderr__", "_git"}
for name in sorted(vars(sys)):
    value = getattr(sys, name)
    if name in skip or callable(value):
        print(name, type(value).__name__)
    else:
        # In the order of its hashes, which are the nursery's.
        print(name, ascii(sorted(value) if isinstance(value, frozenset) else value))
print(sys.path, sys.meta_path, sys.path_hooks)
print(sorted(sys.path_importer_cache))
for name in ("getswitchinterval", "getrecursionlimit", "getdlopenflags", "getfilesystemencoding", "getfilesystemencodeerrors",
             "getdefaultencoding", "getprofile", "gettrace", "get_asyncgen_hooks", "get_coroutine_origin_tracking_depth",
             "is_finalizing", "get_int_max_str_digits", "is_stack_trampoline_active"):
    if hasattr(sys, name):
        print(name, getattr(sys, name)())
