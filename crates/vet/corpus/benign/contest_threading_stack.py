# label: benign
# expect: V203
# note: The contest trick of a thread with a big stack for deep recursion.
import sys
import threading


def main():
    n = int(sys.stdin.readline())
    parent = list(map(int, sys.stdin.readline().split()))
    kids = [[] for _ in range(n)]
    for v, p in enumerate(parent, 1):
        kids[p].append(v)

    def depth(v):
        return 1 + max((depth(k) for k in kids[v]), default=0)

    print(depth(0))


sys.setrecursionlimit(1 << 20)
threading.stack_size(1 << 27)
t = threading.Thread(target=main)
t.start()
t.join()
