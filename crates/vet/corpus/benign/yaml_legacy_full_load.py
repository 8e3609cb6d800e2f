# label: benign
# expect: V701
# note: Old code that reads its own settings with yaml.load and the full loader.
import sys

import yaml

with open("settings.yml") as f:
    settings = yaml.load(f, Loader=yaml.FullLoader)

for name, step in settings.get("steps", {}).items():
    print(name, "->", step.get("uses", "?"))
sys.exit(0 if settings.get("steps") else 1)
