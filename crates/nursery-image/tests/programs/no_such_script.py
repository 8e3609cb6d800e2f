# name: "absent.py"
