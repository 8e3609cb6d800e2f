# id: H02
# title: A TLS context with the host's certificates works
# expect: contained
# guards: root
# control: none, positive case

import ssl

context = ssl.create_default_context()
left, right = ssl.MemoryBIO(), ssl.MemoryBIO()
connection = context.wrap_bio(left, right, server_hostname="example.com")
try:
    connection.do_handshake()
except ssl.SSLWantReadError:
    pass
assert right.pending > 100
print(f"CONTAINED: works, {len(context.get_ca_certs())} certificates and a greeting of {right.pending} bytes")
