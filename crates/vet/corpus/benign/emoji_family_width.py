# label: benign
# expect:
# note: Measures emoji sequences that contain zero-width joiners; the joiners are the subject.
# allow: V005
import unicodedata

SAMPLES = ["👩‍💻", "👨‍👩‍👧", "🏳️‍🌈", "é"]

for s in SAMPLES:
    print(s, len(s), [unicodedata.name(c, "?") for c in s])
