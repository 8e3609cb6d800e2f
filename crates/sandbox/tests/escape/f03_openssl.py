# id: F03
# title: The random bytes of OpenSSL differ from run to run
# expect: contained
# distinct: yes
# guards: seccomp
# control: none, positive case

import ssl

print("VALUE:", ssl.RAND_bytes(16).hex())
print("CONTAINED: works, sixteen bytes")
