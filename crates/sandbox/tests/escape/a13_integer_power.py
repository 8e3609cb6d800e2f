# id: A13
# title: A single endless integer operation ends at the CPU limit
# expect: limit_hit cpu
# limits: memory=256M cpu=1s wall=20s
# guards: deadline.cpu rlimits
# control: deadline.cpu rlimits => escaped

# One operation that neither returns to the interpreter nor checks for signals for seconds.
number = 3**3_000_000
number = number**5
print("ESCAPED: survived")
