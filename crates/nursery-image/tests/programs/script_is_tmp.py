# name: "/dev/null"
