import os, random, sys, uuid, secrets
print(sys.flags.hash_randomization, sys.hash_info, hash("x") == hash("x"), hash(7), hash(1.5), hash(None) != 1)
random.seed(5)
print(random.random(), random.getstate()[0], len(os.urandom(4)), len(secrets.token_hex(4)))
print(uuid.uuid5(uuid.NAMESPACE_DNS, "x"))
