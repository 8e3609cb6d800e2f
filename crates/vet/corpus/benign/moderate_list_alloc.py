# label: benign
# expect:
# note: A DP table of a thousand by a thousand and a string of a megabyte; multiplication of lists is not a memory bomb.
def lcs(a, b):
    dp = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            dp[i][j] = dp[i - 1][j - 1] + 1 if x == y else max(dp[i - 1][j], dp[i][j - 1])
    return dp[-1][-1]


pad = " " * 1_000_000
a = ("abcde" * 200)[:1000]
b = ("badce" * 200)[:1000]
print(lcs(a, b), len(pad))
