# label: benign
# expect:
# note: A subnet calculator full of private and metadata addresses that connects to nothing.
import ipaddress

PRIVATE = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")]
METADATA = ipaddress.ip_address("169.254.169.254")


def describe(text):
    a = ipaddress.ip_address(text)
    tags = [str(n) for n in PRIVATE if a in n]
    if a == METADATA:
        tags.append("cloud metadata")
    if a.is_loopback:
        tags.append("loopback")
    return f"{a:>15}  {', '.join(tags) or 'public'}"


for t in ("10.1.2.3", "192.0.2.9", "169.254.169.254", "127.0.0.1"):
    print(describe(t))
print(sum(n.num_addresses for n in PRIVATE))
