# label: hostile
# expect: V201 V701
# note: YAML with a python/object/apply tag, loaded by the unsafe loader; the process start stands only in the data.
import yaml

DOC = """
name: job
retries: 3
hook: !!python/object/apply:subprocess.check_output
  args: [["sh", "-c", "id"]]
"""

conf = yaml.load(DOC, Loader=yaml.UnsafeLoader)
print(conf["hook"].decode())
