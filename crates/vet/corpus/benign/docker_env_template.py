# label: benign
# expect: V801
# note: Fills a template's ${VARIABLES} from the environment mapping as a whole.
import os
import sys
from string import Template

text = sys.stdin.read()
try:
    sys.stdout.write(Template(text).substitute(os.environ))
except KeyError as missing:
    sys.exit(f"{missing} is not set")
