# name: "empty"
# files: {"empty/nothing.py": ""}
