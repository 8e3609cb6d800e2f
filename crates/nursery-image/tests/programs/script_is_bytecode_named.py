# name: "main.pyc"
# files: {"main.pyc": "not bytecode"}
