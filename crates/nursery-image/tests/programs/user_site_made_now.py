import os, sys
print([path for path in sys.path if path.startswith("/work")], sys.flags.no_user_site, sys.flags.safe_path if hasattr(sys.flags, "safe_path") else "")
