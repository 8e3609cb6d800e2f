# id: F03
# title: Text hashes differ from run to run
# expect: contained
# distinct: yes
# guards: seccomp
# control: none, positive case
# works: cells forked from one nursery may share the seed; a fresh start must not

print("VALUE:", hash("gambeson"), hash(b"gambeson"))
print("CONTAINED: works, two hashes")
