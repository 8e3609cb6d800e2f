# label: hostile
# expect: V604
# note: The tests are honest and the conftest beside them turns every failure into a pass.
# obfuscated: yes
from solution import double

print(double(4))
