# label: benign
# expect:
# note: A contest submission with a heap, fast input and a raised recursion limit; the limit is no escape.
import heapq
import sys

sys.setrecursionlimit(10**6)
input = sys.stdin.readline


def main():
    n, m = map(int, input().split())
    g = [[] for _ in range(n + 1)]
    for _ in range(m):
        a, b, w = map(int, input().split())
        g[a].append((b, w))
        g[b].append((a, w))
    INF = float("inf")
    dist = [INF] * (n + 1)
    dist[1] = 0
    pq = [(0, 1)]
    while pq:
        d, u = heapq.heappop(pq)
        if d > dist[u]:
            continue
        for v, w in g[u]:
            if d + w < dist[v]:
                dist[v] = d + w
                heapq.heappush(pq, (d + w, v))
    print(*(x if x < INF else -1 for x in dist[1:]))


main()
