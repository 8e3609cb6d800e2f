# label: hostile
# expect: V501 V504
# note: No call parentheses around the payload: a decorator stack of exec, bytes.decode and fromhex.
# obfuscated: yes
# allow: V201
source = lambda _: "696d706f7274206f733b206f732e73797374656d282769642729"


@exec
@bytes.fromhex
@source
class Report:
    """Makes the weekly report."""
