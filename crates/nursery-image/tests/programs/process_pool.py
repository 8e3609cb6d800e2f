import concurrent.futures, os
def square(n): return n * n
if __name__ == "__main__":
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        print(list(pool.map(square, range(5))))
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        print(list(pool.map(square, range(5))))
