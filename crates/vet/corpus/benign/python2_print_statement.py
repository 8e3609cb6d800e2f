# label: benign
# expect: V001
# note: An old script for Python 2; the print statement is a syntax error today.
#!/usr/bin/env python
import sys

def histogram(words):
    d = {}
    for w in words:
        if not d.has_key(w):
            d[w] = 0
        d[w] += 1
    return d

if __name__ == '__main__':
    for w, n in sorted(histogram(sys.stdin.read().split()).items()):
        print "%-20s %d" % (w, n)
